package call_test

import (
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// seat returns whether the user is in the call, with which device, and their changed_seq.
func seat(c events.Call, userID string) (in bool, device string, changed int) {
	if userID == c.Caller.UserID {
		return c.Caller.State == events.StateIn, c.Caller.DeviceID, c.Caller.ChangedSeq
	}
	for _, x := range c.Callees {
		if x.UserID == userID {
			return x.State == events.StateAccepted, x.DeviceID, x.ChangedSeq
		}
	}
	return false, "", 0
}

// checkSeats: changed_seq is the transition that began the present attempt, put the party in with their present device, or
// took them out. The device of a party who is in changes only by their own take. Only a session makes a party watched.
func (w *world) checkSeats(before events.Call, t events.Transition, cmd events.Command) {
	c := t.Call
	wantChanged := func(u string, began bool, from, to events.PartyState, oldDevice, device string, was, is int) {
		changed := began || from != to && to != events.StateRinging || device != oldDevice
		if changed && is != t.Seq || !changed && is != was {
			w.failf("changed_seq of %s is %d, was %d: %s", u, is, was, w.json(t))
		}
		took := t.Event == events.EventTaken && cmd.Verb == events.VerbTake && cmd.UserID == u && cmd.DeviceID == device
		if isIn := to == events.StateIn || to == events.StateAccepted; !began && isIn && from == to && device != oldDevice && !took {
			w.failf("the device of %s changed from %q to %q: %s", u, oldDevice, device, w.json(t))
		}
	}
	wantWatched := func(u string, joined, was, is bool) {
		if joined && is != (cmd.Via == events.ViaSession) || !joined && is != was {
			w.failf("%s watched %t, was %t: %s", u, is, was, w.json(t))
		}
	}
	taken := func(u string) bool { return t.Event == events.EventTaken && cmd.UserID == u }
	a, b := before.Caller, c.Caller
	wantChanged(b.UserID, before.Seq == 0, a.State, b.State, a.DeviceID, b.DeviceID, a.ChangedSeq, b.ChangedSeq)
	wantWatched(b.UserID, before.Seq == 0 || taken(b.UserID), a.Watched, b.Watched)
	lost := t.By.Service == events.ServicePresence && t.By.Kind == events.ByService
	if isLost := b.Reason == events.ReasonLost; b.Reason != a.Reason && (!isLost || !lost || cmd.Party.UserID != b.UserID) {
		w.failf("the caller's reason is %q: %s", b.Reason, w.json(t))
	}
	for _, x := range c.Callees {
		old := before.Callee(x.UserID)
		if old == nil || old.Attempt != x.Attempt {
			old = &events.Callee{}
		}
		began := old.State == ""
		wantChanged(x.UserID, began, old.State, x.State, old.DeviceID, x.DeviceID, old.ChangedSeq, x.ChangedSeq)
		wantWatched(x.UserID, taken(x.UserID) || old.State != x.State && x.State == events.StateAccepted, old.Watched, x.Watched)
		if x.Reason == events.ReasonLost && old.Reason != x.Reason && (!lost || cmd.Party.UserID != x.UserID) {
			w.failf("%s is lost: %s", x.UserID, w.json(t))
		}
	}
}

// drops reports whether a drop takes its party out: they are in as they were when presence judged them, and the drop did not
// wait for too long.
func (w *world) drops(before events.Transition, l line) bool {
	in, device, changed := seat(before.Call, l.cmd.Party.UserID)
	return in && device == l.cmd.Party.DeviceID && changed <= l.cmd.Seen && w.first <= l.cmd.Seen && l.now-l.at <= 10*time.Second &&
		l.cmd.Service == events.ServicePresence
}

// checkSeen: a command that writes concerns what its sender has seen.
func (w *world) checkSeen(before events.Transition, l line) {
	cmd := l.cmd
	switch cmd.Verb {
	case events.VerbDrop:
		if !w.drops(before, l) {
			w.failf("%s after %s", w.json(cmd), w.json(before))
		}
		w.reached["dropped"]++
		return
	case events.VerbLeave, events.VerbEnd, events.VerbCancel, events.VerbTake:
		in, device, changed := seat(before.Call, cmd.UserID)
		if in && device != cmd.DeviceID && cmd.Seen != 0 && changed > cmd.Seen {
			w.failf("%s concerns a joining that its sender has not seen: %s", w.json(cmd), w.json(before))
		}
		if in && device != cmd.DeviceID {
			w.reached["from another device"]++
		}
	case events.VerbAdd, events.VerbInvite, events.VerbRing, events.VerbAccept, events.VerbDecline, events.VerbExpire:
	}
	if cmd.Seen == 0 {
		return
	}
	for _, x := range w.last.Call.Callees {
		old := before.Call.Callee(x.UserID)
		if old == nil || old.ChangedSeq <= cmd.Seen || old.ChangedSeq == x.ChangedSeq {
			continue
		}
		named := slices.ContainsFunc(cmd.Callees, func(p events.Party) bool { return p.UserID == x.UserID })
		switch {
		case cmd.Verb == events.VerbLeave && cmd.UserID == x.UserID && old.Pending(),
			cmd.Verb == events.VerbCancel && named && x.Reason == events.ReasonCanceled,
			cmd.Verb == events.VerbAdd && named:
			w.failf("%s concerns an attempt that its sender has not seen: %s", w.json(cmd), w.json(before))
		}
	}
}
