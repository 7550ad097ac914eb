package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// candidate is a command that may have made a transition, with the decision that would make it.
type candidate struct {
	command *command
	decide  func(before events.Transition, in call.Input) call.Outcome
}

// replay finds, for each transition of a call, the command that makes it from the previous transition.
func (r *run) replay(s *story) {
	for i, st := range s.steps {
		before := s.state(i)
		list := r.candidates(s, st)
		if len(list) == 0 {
			st.problem = "no sent command could have made it"
			continue
		}
		for _, c := range list {
			if st.problem = r.makes(c, before, st); st.problem == "" {
				st.made = c.command
				break
			}
		}
		if st.made != nil {
			st.problem = r.timely(st, before)
		}
	}
}

// join adds the messages of each merged invitation to the call that they accept.
func (r *run) join() {
	for _, s := range slices.Clone(r.stories) {
		if len(s.steps) == 0 || s.steps[0].made == nil {
			continue
		}
		if g := call.Merged(s.steps[0].Transition); g != nil {
			s.merged = g
			first := r.story(s.app, g.CallID)
			first.joins = append(first.joins, r.alike(s.steps[0].made)...)
		}
	}
}

// candidates lists the commands that may have made a transition.
func (r *run) candidates(s *story, st *step) []candidate {
	switch {
	case st.Event == events.EventFenced:
		return r.fences(s, st)
	case st.By.Kind == events.ByTimer:
		return r.expires(s, st)
	case st.By.Kind == events.ByService && st.By.Service == events.ServicePresence:
		return r.drops(s, st)
	}
	var list []candidate
	for _, c := range r.commands[commandID{s.app, st.CommandID}] {
		switch {
		case !call.MadeBy(st.Transition, c.Command):
		case c.CallID == s.call:
			list = append(list, candidate{c, func(before events.Transition, in call.Input) call.Outcome {
				return call.Decide(before, c.Command, in)
			}})
		default:
			list = append(list, r.joins(s, c)...)
		}
	}
	return list
}

// joins lists invitations of other calls that were merged into this one. Such an invitation makes the accept
// that completes a glare.
func (r *run) joins(s *story, c *command) []candidate {
	other := r.byCall[callID{c.App, c.CallID}]
	if c.Verb != events.VerbInvite || other == nil || len(other.steps) == 0 {
		return nil
	}
	g := call.Merged(other.steps[0].Transition)
	if g == nil || g.CallID != s.call || !call.MadeBy(other.steps[0].Transition, c.Command) {
		return nil
	}
	return []candidate{{c, func(before events.Transition, in call.Input) call.Outcome {
		return call.Join(before, c.Command, *g, in)
	}}}
}

// fences lists the possible origins of a fence: a hang-up that found no call, or an invite or add of another
// call that met a stale claim.
func (r *run) fences(s *story, st *step) []candidate {
	var list []candidate
	for _, c := range r.commands[commandID{s.app, st.CommandID}] {
		switch c.Verb {
		case events.VerbCancel, events.VerbLeave, events.VerbEnd:
			if c.CallID == s.call && st.Seq == 1 {
				list = append(list, candidate{c, func(before events.Transition, in call.Input) call.Outcome {
					return call.Decide(before, c.Command, in)
				}})
			}
		case events.VerbInvite, events.VerbAdd:
			list = append(list, candidate{c, func(before events.Transition, in call.Input) call.Outcome {
				fencing := c.Command
				fencing.CallID = s.call
				return call.Fence(before, fencing, in)
			}})
		case events.VerbRing, events.VerbAccept, events.VerbDecline, events.VerbExpire, events.VerbTake, events.VerbDrop:
		}
	}
	return list
}

// expires lists the expire commands that the timeouts workers may have sent, one for each deadline that an
// earlier transition created.
func (r *run) expires(s *story, st *step) []candidate {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: s.app, CallID: s.call, Verb: events.VerbExpire},
		CommandID:      st.CommandID, Service: events.ServiceTimeouts,
	}
	for _, earlier := range s.steps[:st.index-1] {
		created := slices.ContainsFunc(call.DeadlinesMade(earlier.Transition, earlier.Seq), func(d call.Deadline) bool {
			return events.ExpireID(s.call, d.DeadlineID) == st.CommandID
		})
		if created {
			return []candidate{{&command{Command: cmd}, func(before events.Transition, in call.Input) call.Outcome {
				return call.Decide(before, cmd, in)
			}}}
		}
	}
	return nil
}

// drops returns the drop that presence may have sent, judged on the version before the transition.
func (r *run) drops(s *story, st *step) []candidate {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: s.app, CallID: s.call, Verb: events.VerbDrop},
		CommandID:      st.CommandID, Service: events.ServicePresence, Seen: st.Seq - 1,
	}
	c := st.Call
	for _, ch := range st.Changes {
		if ch.Reason != events.ReasonLost {
			continue
		}
		if cmd.Party = (events.Seat{UserID: ch.UserID, DeviceID: c.Caller.DeviceID}); ch.Attempt != 0 {
			cmd.Party.DeviceID = c.Callee(ch.UserID).DeviceID
		}
	}
	return []candidate{{&command{Command: cmd}, func(before events.Transition, in call.Input) call.Outcome {
		return call.Decide(before, cmd, in)
	}}}
}

// makes explains why the candidate does not make the transition, and returns "" if it does. If all inputs
// fail, it describes the closest result.
func (r *run) makes(c candidate, before events.Transition, st *step) (problem string) {
	closest := -1
	for _, in := range r.inputs(c.command, before, st) {
		o := c.decide(before, in)
		w, writes := o.(call.Write)
		if !writes {
			if problem == "" {
				problem = fmt.Sprintf("at seq %d worker/call makes from %s: %s", before.Seq, c.command, outcomeText(o))
			}
			continue
		}
		want := written(w, st)
		if want == st.data {
			return ""
		}
		if at := agree(want, st.data); at > closest {
			closest = at
			problem = fmt.Sprintf("at seq %d worker/call makes another transition from %s: %s", before.Seq, c.command, difference(want, st.data, at))
		}
	}
	return problem
}

// written returns the transition as it would be stored, in the format of the stored one.
func written(w call.Write, st *step) string {
	want, t := st.Transition, w.Transition
	want.CommandID, want.Event, want.Seq, want.By, want.Changes = t.CommandID, t.Event, t.Seq, t.By, t.Changes
	want.CustomData, want.Call, want.Commands = t.CustomData, t.Call, t.Commands
	data, err := want.Encode(w.At)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// inputs lists the possible inputs of the decision, as far as the transition shows them. It does not show the
// fraction of the millisecond at which the command was stored, and deadlines are rounded up.
func (r *run) inputs(c *command, before events.Transition, st *step) []call.Input {
	base := call.Input{At: st.time.Time(), Limits: r.limits, Claimed: claimed(st)}
	wait := time.Duration(0)
	if st.Event == events.EventFenced {
		wait = overtakenFor
	}
	if slices.ContainsFunc(st.Changes, func(ch events.Change) bool { return ch.To == events.StateTimedOut }) {
		wait = lateAfter(r.limits, c) + time.Second
	}
	if c.Verb.Internal() {
		wait = 0
	}
	times := []time.Time{base.At, base.At.Add(half)}
	if c.Verb == events.VerbAdd && st.time == before.Call.CreatedAt { // it may have been stored before the call was
		for _, x := range st.Call.Callees {
			at := x.RingDeadline.Time().Add(-ringTimeout(r.limits, c))
			times = append(times, at, at.Add(-half))
		}
	}
	list := make([]call.Input, len(times))
	for i, at := range times {
		list[i] = base
		list[i].At, list[i].Now = at, at.Add(wait)
		if handled, shown := r.handled(st); shown {
			list[i].Now = handled
		}
	}
	return list
}

// handled returns when the transition's invitation was handled, if one of its attempts shows it.
func (r *run) handled(st *step) (at time.Time, shown bool) {
	for _, ch := range st.Changes {
		if x := st.Call.Callee(ch.UserID); ch.From == "" && x != nil && x.ReachDeadline != 0 {
			return x.ReachDeadline.Time().Add(-r.limits.Reach), true
		}
	}
	return at, false
}

// half a millisecond represents any fraction of a millisecond.
const half = 500 * time.Microsecond

// claimed returns the result that the claims must have had.
func claimed(st *step) call.Claimed {
	got := call.Claimed{CallerBusy: st.Call.EndReason == events.EndCallerBusy}
	if st.Event == events.EventInvited {
		got.Glare = call.Merged(st.Transition)
	}
	for _, ch := range st.Changes {
		if ch.To == events.StateBusy && ch.Reason == events.ReasonLineBusy {
			got.Busy = append(got.Busy, ch.UserID)
		}
	}
	return got
}

func outcomeText(o call.Outcome) string {
	switch o := o.(type) {
	case call.Write:
		return fmt.Sprintf("transition %s", o.Transition.Event)
	case call.Keep:
		return fmt.Sprintf("nothing (it made seq %d)", o.Made)
	case call.Refuse:
		return fmt.Sprintf("a refusal, %s", o.Err.Code)
	case call.Wait:
		return fmt.Sprintf("that it waits, %s", o.Why)
	}
	return "no outcome"
}

// agree returns the index of the first difference of two texts.
func agree(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

// difference shows two texts around their first difference.
func difference(want, got string, at int) string {
	const before, after = 30, 90
	part := func(s string) string {
		return strings.ToValidUTF8(s[max(0, min(at, len(s))-before):min(len(s), at+after)], "?")
	}
	return fmt.Sprintf("want …%s…, stored …%s…", part(want), part(got))
}
