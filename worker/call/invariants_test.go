package call_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// history is a call, with the test's own record of the commands that made its transitions.
type history struct {
	last  events.Transition // as decided
	read  events.Transition // the same, as read back from its event
	sent  []line            // all commands to the call
	after int               // number of commands since the end
	again int               // number of repeats

	log    []events.Transition
	bodies []string       // log, encoded when it was written
	made   []command      // the commands that made the transitions, without ring and expire
	maker  map[string]int // by callee: sequence of the transition that made the present attempt
	first  int            // sequence of the first accept
	due    map[events.DeadlineID]events.Time
	winner map[string]string // by callee and attempt: the device that answered
	owners map[string][]string

	refused map[int][]events.RefusedCallee // by sequence: the callees that an add refused
}

func newHistory() *history {
	return &history{
		refused: map[int][]events.RefusedCallee{}, owners: map[string][]string{}, due: map[events.DeadlineID]events.Time{},
		maker: map[string]int{}, winner: map[string]string{},
	}
}

// command is a command that made a transition.
type command struct {
	id, verb, user, service string
	seq                     int
	answers                 int // for a merged invitation: the attempt in the first call
}

func (c command) sender() string { return c.user + " " + c.service }

// keep records a transition and its command.
func (w *world) keep(before events.Transition, l line, wr call.Write) {
	t := wr.Transition
	w.log = append(w.log, t)
	w.bodies = append(w.bodies, w.json(t))
	w.owns(before.Call, t, l.cmd)
	if l.cmd.Verb.Remembered() && t.Event != events.EventFenced {
		c := command{id: l.cmd.CommandID, verb: string(l.cmd.Verb), user: l.cmd.UserID, service: l.cmd.Service, seq: t.Seq}
		if g := l.claimed.Glare; g != nil && t.Event == events.EventInvited {
			c.answers = g.Attempt
		}
		w.made = append(w.made, c)
	}
	if t.Event == events.EventInvited || t.Event == events.EventAdded {
		for _, p := range invitees(before.Call, l.cmd) {
			w.maker[p.UserID] = t.Seq
		}
		w.refused[t.Seq] = refusals(before.Call, l.cmd)
	}
	if t.Event == events.EventAccepted {
		if w.first == 0 {
			w.first = t.Seq
		}
		x := t.Call.Callee(l.cmd.UserID)
		key := fmt.Sprint(x.UserID, x.Attempt)
		if _, taken := w.winner[key]; taken {
			w.failf("%s answered twice in attempt %d", x.UserID, x.Attempt)
		}
		w.winner[key] = l.cmd.DeviceID
	}
	if x := t.Call.Callee(l.cmd.UserID); t.Event == events.EventTaken && x != nil {
		w.winner[fmt.Sprint(x.UserID, x.Attempt)] = l.cmd.DeviceID
	}
	w.noteReached(t)
}

func (w *world) noteReached(t events.Transition) {
	w.reached["event "+string(t.Event)]++
	w.reached["end "+string(t.Call.EndReason)]++
	for _, x := range t.Call.Callees {
		w.reached[fmt.Sprint("attempt ", x.Attempt)]++
	}
	for _, ch := range t.Changes {
		if ch.From == "" && ch.To == events.StateTimedOut {
			w.reached["late"]++
		}
		if ch.To == events.StateCanceled && ch.Reason == events.ReasonEnded {
			w.reached["canceled by the end"]++
		}
	}
	if len(t.Commands) < len(w.made) {
		w.reached["forgotten"]++
	}
}

// checkOutcome: a repeat changes nothing and returns the sequence of its transition. An ended call never changes. A Wait has a
// reason and a time in the future.
func (w *world) checkOutcome(before events.Transition, l line, o call.Outcome) {
	known := slices.IndexFunc(before.Commands, func(r events.Remembered) bool {
		return r.ID == l.cmd.CommandID && r.UserID == l.cmd.UserID && r.Service == l.cmd.Service
	})
	if l.cmd.Verb != events.VerbExpire && l.cmd.Verb != events.VerbDrop && known >= 0 {
		w.checkRepeat(before.Commands[known], l, o)
		return
	}
	if l.cmd.Verb == events.VerbAdd && before.Call.State != events.CallStateEnded {
		w.checkAdd(before.Call, l.cmd, o)
	}
	switch o := o.(type) {
	case call.Write:
		if before.Call.State == events.CallStateEnded {
			w.failf("written after the end: %s", w.json(o))
		}
	case call.Keep:
		w.reached["kept"]++
		if l.cmd.Verb == events.VerbDrop && w.drops(before, l) {
			w.failf("%s drops no party", w.json(l.cmd))
		}
		if o.Made != 0 {
			w.failf("%s is no repeat of %d", w.json(l.cmd), o.Made)
		}
	case call.Refuse:
		w.reached["refused "+string(o.Err.Code)]++
		if o.Err.Message == "" {
			w.failf("refused without a word: %s", o.Err.Code)
		}
	case call.Wait:
		w.checkWait(before, l, o)
	default:
		w.failf("no outcome: %T", o)
	}
}

func (w *world) checkRepeat(known events.Remembered, l line, o call.Outcome) {
	w.reached["repeat"]++
	w.again++
	made := slices.IndexFunc(w.made, func(c command) bool { return c.seq == known.Seq })
	if made < 0 || w.made[made].id != l.cmd.CommandID || w.log[known.Seq-1].CommandID != l.cmd.CommandID {
		w.failf("%s did not make %d", l.cmd.CommandID, known.Seq)
	}
	switch o := o.(type) {
	case call.Keep:
		if known.Verb == l.cmd.Verb && o.Made == known.Seq && w.last.Call.EndReason != events.EndCallerBusy {
			w.checkRefusedAgain(known.Seq, l.cmd)
			return
		}
	case call.Refuse:
		if known.Verb != l.cmd.Verb && o.Err.Code == events.CodeInvalidArgument {
			return
		}
		if known.Verb == l.cmd.Verb && o.Err.Code == events.CodeCallerBusy && w.last.Call.EndReason == events.EndCallerBusy {
			return
		}
	case call.Write, call.Wait:
	}
	w.failf("%s again, which made %d by %s: %s", w.json(l.cmd), known.Seq, known.Verb, w.json(o))
}

func (w *world) checkWait(before events.Transition, l line, o call.Wait) {
	w.reached["wait "+string(o.Why)]++
	ok := o.Until.After(start.Add(l.now))
	switch o.Why {
	case call.WaitForInvitation:
		ok = ok && before.Seq == 0 && o.Until.Equal(start.Add(l.at+5*time.Second)) && slices.Contains(
			[]events.Verb{events.VerbAdd, events.VerbCancel, events.VerbLeave, events.VerbEnd}, l.cmd.Verb)
	case call.WaitForDeadline:
		ok = ok && l.cmd.Verb == events.VerbExpire && slices.ContainsFunc(call.Deadlines(before), func(d call.Deadline) bool {
			return o.Until.Equal(d.At.Time()) && events.ExpireID(l.cmd.CallID, d.DeadlineID) == l.cmd.CommandID
		})
	default:
		ok = false
	}
	if !ok {
		w.failf("%s waits until %v for %s", w.json(l.cmd), o.Until, o.Why)
	}
}

// checkKept: later transitions do not modify earlier ones through shared slices or maps.
func (w *world) checkKept(c *history) {
	for i, t := range c.log {
		if w.json(t) != c.bodies[i] {
			w.failf("transition %d changed under our hands: %s, was %s", i+1, w.json(t), c.bodies[i])
		}
	}
}

func (w *world) checkTransition(before events.Transition, d delivery, wr call.Write) {
	t, c, l := wr.Transition, wr.Transition.Call, d.line
	if strings.Contains(w.json(t), "null") {
		w.failf("null in %s", w.json(t))
	}
	if t.Seq != before.Seq+1 || c.Seq != t.Seq || t.CommandID != l.cmd.CommandID || c.CallID != l.cmd.CallID || c.App != l.cmd.App {
		w.failf("after %d: %s", before.Seq, w.json(t))
	}
	if t.Event == events.EventFenced {
		w.checkFence(before, l, wr)
		return
	}
	w.checkBorn(before, d, wr)
	if t.By != l.cmd.By() || t.CustomData != l.cmd.CustomData {
		w.failf("%s of %s", w.json(t), w.json(l.cmd))
	}
	w.checkChanges(before.Call, t)
	w.checkCallees(before.Call, c)
	w.checkData(before.Call, t, l.cmd)
	w.checkCustom(t.Call)
	w.checkSize(before, wr, l.cmd)
	w.checkFields(before.Call, c, l.cmd)
	w.checkState(before.Call, c)
	w.checkSeats(before.Call, t, l.cmd)
	w.checkNames(before.Call, t, l.cmd)
	w.checkSeen(before, l)
	w.checkReach(before.Call, t, l)
	w.checkEnd(before.Call, t)
}

// checkSize: a transition fits in the size that was reserved. Only an invite or add increases that size, and an accept or take
// with a name or picture, as far as there is room.
func (w *world) checkSize(before events.Transition, wr call.Write, cmd events.Command) {
	t := wr.Transition
	body, err := t.Encode(wr.At)
	if err != nil || len(body) > call.Most(t) {
		w.failf("%d bytes, of %d reserved, %v: %s", len(body), call.Most(t), err, w.json(t))
	}
	named := (cmd.UserName != "" || cmd.UserAvatar != "") && call.Most(t) <= call.MaxTransition
	if t.Event != events.EventInvited && t.Event != events.EventAdded && !named && call.Most(t) > call.Most(before) {
		w.failf("%s took %d bytes more than was reserved: %s", t.Event, call.Most(t)-call.Most(before), w.json(t))
	}
}

// checkChanges: the changes are exactly the differences in state between the call before and after.
func (w *world) checkChanges(before events.Call, t events.Transition) {
	want := []events.Change{}
	if a, b := before.Caller, t.Call.Caller; a.State != b.State {
		want = append(want, events.Change{UserID: b.UserID, From: a.State, To: b.State, Reason: b.Reason})
	}
	for _, x := range t.Call.Callees {
		old := before.Callee(x.UserID)
		switch {
		case old == nil || old.Attempt != x.Attempt:
			want = append(want, events.Change{UserID: x.UserID, Attempt: x.Attempt, To: x.State, Reason: x.Reason})
		case old.State != x.State:
			want = append(want, events.Change{UserID: x.UserID, Attempt: x.Attempt, From: old.State, To: x.State, Reason: x.Reason})
		}
	}
	if w.json(want) != w.json(t.Changes) {
		w.failf("changes %s, want %s", w.json(t.Changes), w.json(want))
	}
}

func isOver(s events.PartyState) bool {
	return !slices.Contains([]events.PartyState{events.StateIn, events.StateInvited, events.StateRinging, events.StateAccepted}, s)
}

// checkCallees: each user has one entry, at their first position. Attempts count up. A terminal state does not change, and the
// others only move forward. A callee who has answered keeps their device.
func (w *world) checkCallees(before, after events.Call) {
	next := map[events.PartyState]string{
		events.StateInvited:  "ringing accepted declined busy canceled timed_out",
		events.StateRinging:  "accepted declined busy canceled timed_out",
		events.StateAccepted: "left",
	}
	seen := map[string]bool{after.Caller.UserID: true}
	for i, x := range after.Callees {
		if seen[x.UserID] || i < len(before.Callees) && before.Callees[i].UserID != x.UserID {
			w.failf("callee %d is %s: %s", i, x.UserID, w.json(after))
		}
		seen[x.UserID] = true
		if isOver(x.State) != (x.Reason != "") {
			w.failf("%s is %s with reason %q", x.UserID, x.State, x.Reason)
		}
		w.checkRingDeadline(after, x)
		if i >= len(before.Callees) {
			continue
		}
		switch old := before.Callees[i]; {
		case x.Attempt == old.Attempt+1 && isOver(old.State):
		case x.Attempt != old.Attempt:
			w.failf("attempt %d of %s after %d", x.Attempt, x.UserID, old.Attempt)
		case isOver(old.State) && x != old:
			w.failf("%s was over: %s, now %s", x.UserID, w.json(old), w.json(x))
		case x.State != old.State && !slices.Contains(strings.Fields(next[old.State]), string(x.State)):
			w.failf("%s went from %s to %s", x.UserID, old.State, x.State)
		case x.RingDeadline != old.RingDeadline || x.ReachDeadline != old.ReachDeadline || x.InvitedBy != old.InvitedBy:
			w.failf("the invitation of %s moved: %s, now %s", x.UserID, w.json(old), w.json(x))
		}
		if device, won := w.winner[fmt.Sprint(x.UserID, x.Attempt)]; won && device != x.DeviceID {
			w.failf("%s answered on %q, now it is %q", x.UserID, device, x.DeviceID)
		}
	}
	if len(after.Callees) < len(before.Callees) || len(after.Callees) > w.limits.MaxCallees {
		w.failf("%d callees after %d", len(after.Callees), len(before.Callees))
	}
}

// checkRingDeadline: a callee with a full line, or in a call that was created as ended, has no ring deadline. All others have
// one.
func (w *world) checkRingDeadline(c events.Call, x events.Callee) {
	if (x.Reason == events.ReasonLineBusy || bornEnded(c)) != (x.RingDeadline == 0) {
		w.failf("%s rings until %v: %s", x.UserID, x.RingDeadline, w.json(c))
	}
}

// checkState: the state never goes back, and a call is open as long as enough parties are in it or pending.
func (w *world) checkState(before, after events.Call) {
	order := []events.CallState{"", events.CallStateRinging, events.CallStateActive, events.CallStateEnded}
	if slices.Index(order, after.State) < slices.Index(order, before.State) {
		w.failf("%s after %s", after.State, before.State)
	}
	ended := after.State == events.CallStateEnded
	if ended != (after.EndReason != "") || ended != (after.EndedAt != 0) || ended != (after.EndedBy.Kind != "") {
		w.failf("half an end: %s", w.json(after))
	}
	if (w.first > 0) != (after.AnsweredAt != 0) || after.State == events.CallStateActive && w.first == 0 ||
		after.State == events.CallStateRinging && w.first > 0 {
		w.failf("first accept %d: %s", w.first, w.json(after))
	}
	in, pending := present(after)
	if ended && in+pending > 0 || !ended && (in == 0 || in+pending < 2) {
		w.failf("%d in and %d pending: %s", in, pending, w.json(after))
	}
	if was, _ := present(before); w.limits.EndAlone && w.first > 0 && !ended && in < 2 && in < was {
		w.failf("one party was left alone: %s", w.json(after))
	}
}

// present counts the users who are in the call and the pending callees.
func present(c events.Call) (in, pending int) {
	if c.Caller.State == events.StateIn {
		in++
	}
	for _, x := range c.Callees {
		if x.State == events.StateAccepted {
			in++
		}
		if x.State == events.StateInvited || x.State == events.StateRinging {
			pending++
		}
	}
	return in, pending
}
