package check

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// told: every watcher heard everything that the table gives for every stored transition, and nothing else, and nothing
// before it was stored.
//
// A watcher may have missed what was told while he was disconnected. When something was told shows what the other
// watchers heard, if they were connected; if nobody heard it, it may have been told at any time from when it was stored
// until its command was answered, as a coordinator tells first and answers then. Where there is no answer it was told
// within a bound after the last fault. An invitation is told again only while it pends (ADR 0006): its first telling may
// be lost with a worker that dies, if the invitation is over before another takes its place. What a watcher need not have
// heard the call as it is at the end must say.
func told(r *run, v *verdict) {
	facts := r.facts()
	for _, t := range r.Told {
		if v.count("heard", 1); t.Watcher >= 0 && t.Watcher < len(r.gaps) {
			r.hear(facts, t, v)
		}
	}
	for _, s := range r.stories {
		for _, f := range s.facts {
			for w := range r.gaps {
				v.looked()
				r.wasTold(f, w, v)
			}
		}
	}
}

// fact is something that somebody must be told.
type fact struct {
	events.Notice

	story *story
	step  *step
	heard []int64 // by each watcher, for the first time; 0: never
}

// factKey names it: ids are unique for their receiver.
type factKey struct{ app, to, id string }

// slow is how long a notification may be on its way to a watcher who misses nothing.
const slow = 5 * time.Second

func (r *run) facts() map[factKey]*fact {
	all := map[factKey]*fact{}
	for _, s := range r.stories {
		s.facts = nil
		for _, st := range s.steps {
			for _, n := range call.Notify(st.Transition) {
				f := &fact{Notice: n, story: s, step: st, heard: make([]int64, len(r.gaps))}
				key := factKey{s.app, events.Escape(n.To), n.ID}
				if all[key] == nil { // else two transitions have one seq
					all[key] = f
					s.facts = append(s.facts, f)
				}
			}
		}
	}
	return all
}

// hear holds what a watcher heard against the facts.
func (r *run) hear(facts map[factKey]*fact, t record.Told, v *verdict) {
	f := facts[factKey{t.App, t.To, t.ID}]
	switch {
	case f == nil:
		v.failApp(t.App, t.CallID, "%s; no stored transition tells him that%s", r.describeTold(t), r.atSeq(t))
	case f.CallID != t.CallID || f.Seq != t.Seq || string(f.Event) != t.Event || f.UserID != t.UserID || f.Reason != t.Reason:
		v.failApp(t.App, t.CallID, "%s; want %s about %q, reason %q, of %s", r.describeTold(t), f.Event, f.UserID, f.Reason, r.describe(f.step))
	case t.Sum != 0 && t.Sum != record.Sum(f.Notification):
		v.failApp(t.App, t.CallID, "%s, with another body than the table gives him of %s", r.describeTold(t), r.describe(f.step))
	case t.At < f.step.at:
		v.failApp(t.App, t.CallID, "%s, before it was stored: %s", r.describeTold(t), r.describe(f.step))
	default:
		if f.heard[t.Watcher] == 0 {
			f.heard[t.Watcher] = t.At
		}
	}
}

func (r *run) describeTold(t record.Told) string {
	return fmt.Sprintf("watcher %d heard at %s that %s is told %s (%s) about %q, reason %q", t.Watcher, r.when(t.At), t.To, t.Event, t.ID,
		t.UserID, t.Reason)
}

// atSeq says what is stored with the seq of a notification that nothing explains.
func (r *run) atSeq(t record.Told) string {
	s := r.byCall[callID{t.App, t.CallID}]
	if s == nil || s.bySeq[t.Seq] == nil {
		return ": the call has no such seq"
	}
	return ": there is " + r.describe(s.bySeq[t.Seq])
}

// wasTold: the watcher heard the fact, or may have missed it.
func (r *run) wasTold(f *fact, w int, v *verdict) {
	if f.heard[w] != 0 {
		return
	}
	why, exempt := r.unheard(f, w)
	switch {
	case !exempt:
		until := r.lastTold(f.story, f.step)
		v.fail(f.story, "watcher %d never heard that %s is told %s (%s) of %s; %s; %s", w, f.To, f.Event, f.ID, r.describe(f.step), why,
			r.broken(f.step.at, min(until, f.step.at+int64(r.bounds.Handled))))
	case !inEnd(f):
		v.fail(f.story, "watcher %d may have missed that %s is told %s (%s) of %s, and the call at the end, seq %d, does not say it", w, f.To,
			f.Event, f.ID, r.describe(f.step), f.story.newest().Seq)
	default:
		v.exempt(why)
	}
}

// unheard says why a watcher need not have heard a fact, or must have.
func (r *run) unheard(f *fact, w int) (why string, exempt bool) {
	told := r.toldAt(f)
	for _, at := range told {
		if !r.missed(w, at-int64(slow), at+int64(slow)) {
			return "it was told at " + r.when(at) + ", when he missed nothing", false
		}
	}
	until := r.lastTold(f.story, f.step)
	switch {
	case len(told) > 0:
		return "told while the watcher was disconnected", true
	case r.missed(w, f.step.at, until+int64(slow)):
		return "may have been told while the watcher was disconnected", true
	case f.Event == events.IncomingCallReceived && f.unheard() && r.overSoon(f):
		return "an invitation that was over before it was told again", true
	}
	return "it was told by " + r.when(until) + " at the latest, and he missed nothing until then", false
}

// toldAt lists when the fact was told, as watchers show who missed nothing around then.
func (r *run) toldAt(f *fact) []int64 {
	var list []int64
	for w, at := range f.heard {
		if at != 0 && !r.missed(w, at-int64(slow), at+int64(slow)) {
			list = append(list, at)
		}
	}
	return list
}

// unheard says whether no watcher heard it.
func (f *fact) unheard() bool {
	return !slices.ContainsFunc(f.heard, func(at int64) bool { return at != 0 })
}

// lastTold is until when a transition was told once at least, unless its telling got lost: before a command that the call
// remembers is told ok, everybody is told of what it made. A ring is remembered by none: it was told once all of its
// messages are answered, as one of them made it.
func (r *run) lastTold(s *story, st *step) int64 {
	latest := max(st.at, r.Run.Healed) + int64(r.bounds.Told)
	if st.made == nil || len(st.made.messages) == 0 { // a deadline: who died over it has a successor soon
		return min(latest, r.quiet(st.at, r.bounds.Handled)+int64(r.bounds.Handled))
	}
	all := st.at
	for _, m := range r.alike(st.made) {
		if a := m.first(); a == nil {
			all = never
		} else {
			all = max(all, a.at)
		}
		for _, a := range m.said() {
			if a.OK && a.Call != nil && a.Call.CallID == s.call && a.Call.Seq >= st.Seq && remembersAt(s, a.Call.Seq, st.made) {
				latest = min(latest, a.at)
			}
		}
	}
	return min(latest, all)
}

func remembersAt(s *story, seq int, c *command) bool {
	st := s.bySeq[seq]
	return st != nil && remembers(st.Transition, c)
}

// overSoon says whether an invitation was over before it surely was told again by whoever took the place of a worker
// that died. Something must have been broken for that.
func (r *run) overSoon(f *fact) bool {
	again := r.quiet(f.step.at, r.bounds.Handled)
	if again == f.step.at {
		return false
	}
	x := f.step.Call.Callee(f.To)
	for _, st := range f.story.steps[f.step.index:] {
		now := st.Call.Callee(f.To)
		if now == nil || !now.Pending() || now.Attempt != x.Attempt {
			return st.at <= again+int64(r.bounds.Handled)
		}
	}
	return false
}

// inEnd says whether the call as it is at the end gives the fact, or has gone beyond it.
func inEnd(f *fact) bool {
	end := f.story.newest().Call
	if f.UserID == "" {
		return end.State == events.CallStateEnded && (f.Event != events.CallEnded || string(end.EndReason) == f.Reason)
	}
	then, now := f.step.Call.Callee(f.UserID), end.Callee(f.UserID)
	switch {
	case then == nil: // it is about the caller
		return end.Caller.State == f.step.Call.Caller.State
	case now == nil:
		return false
	case now.Attempt != then.Attempt:
		return now.Attempt > then.Attempt
	}
	return now.State == then.State && now.Reason == then.Reason || !over(then.State)
}

// over says whether a callee's state is final for his attempt.
func over(s events.PartyState) bool {
	switch s {
	case events.StateIn, events.StateInvited, events.StateRinging, events.StateAccepted:
		return false
	case events.StateLeft, events.StateDeclined, events.StateBusy, events.StateCanceled, events.StateTimedOut:
	}
	return true
}
