package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// Claimed is the result of the claims on the lines of an invite or add. In the zero value, every line had room.
type Claimed struct {
	CallerBusy bool     // the caller's line is full
	Busy       []string // the callees whose lines are full
	Glare      *Glare   // the call that the invitation crosses, or nil
}

// All reports whether every line had room. Then a decision that was made without claims is valid.
func (c Claimed) All() bool { return !c.CallerBusy && len(c.Busy) == 0 && c.Glare == nil }

// Glare identifies a call that an invitation crosses. In that call the inviter is a pending callee, in this attempt, and the
// caller is the user that the invitation is for.
type Glare struct {
	CallID  string
	Attempt int
}

// Claims lists the users whose lines an invite or add has to claim. Its first argument is the outcome of Decide without
// claims. The list is empty if that outcome makes no callee pending.
func Claims(without Outcome, cmd events.Command) []string {
	w, writes := without.(Write)
	if !writes || cmd.Verb != events.VerbInvite && cmd.Verb != events.VerbAdd {
		return nil
	}
	var users []string
	for _, ch := range w.Transition.Changes {
		if began(ch) && ch.To == events.StateInvited {
			users = append(users, ch.UserID)
		}
	}
	if cmd.Verb == events.VerbInvite && len(users) > 0 {
		users = append(users, cmd.UserID)
	}
	return users
}

// FindGlare returns the glare between an invitation and the call c, or nil. The invitation must have exactly one callee, who
// is the caller of c and still in it. The inviter must be pending in c.
func FindGlare(cmd events.Command, c events.Call) *Glare {
	if cmd.Verb != events.VerbInvite || len(cmd.Callees) != 1 || !c.CallerIn() || c.Caller.UserID != cmd.Callees[0].UserID {
		return nil
	}
	x := c.Callee(cmd.UserID)
	if x == nil || !x.Pending() {
		return nil
	}
	return &Glare{CallID: c.CallID, Attempt: x.Attempt}
}

// Merged returns the glare for which this call was created as ended, or nil.
func Merged(t events.Transition) *Glare {
	if t.Call.EndReason != events.EndMerged {
		return nil
	}
	g := &Glare{CallID: t.Call.MergedInto}
	for _, r := range t.Commands {
		if r.Seq == 1 {
			g.Attempt = r.Attempt
		}
	}
	return g
}

// Join decides a merged invitation in the call that it crosses, whose newest transition is last. The invitation accepts that
// call, under its own command id. If the user has already accepted, on any device, the outcome is Keep.
func Join(last events.Transition, cmd events.Command, g Glare, in Input) Outcome {
	if known := remembered(last.Commands, cmd); known != nil {
		return again(*known, cmd)
	}
	x := last.Call.Callee(cmd.UserID)
	switch {
	case x == nil, last.Call.State == events.CallStateEnded, x.Attempt != g.Attempt:
	case x.State == events.StateAccepted:
		return Keep{}
	case x.Pending():
		d := newDraft(last, cmd, events.TimeOf(in.At))
		return d.accept(d.call.Callee(cmd.UserID))
	}
	return refuse(events.CodeCallEnded, "the call that this invitation crossed ended meanwhile")
}

// bornEnded writes a call that is created as ended, so that no device rings.
func (d *draft) bornEnded(why events.EndReason) Write {
	d.end(why, false)
	for i := range d.call.Callees {
		d.call.Callees[i].RingDeadline, d.call.Callees[i].ReachDeadline = 0, 0
	}
	return d.write(events.EventInvited)
}

// callerBusy is the answer to an invitation whose caller has a full line.
func callerBusy() Refuse {
	return refuse(events.CodeCallerBusy, "user_id: the caller's own line is full")
}

// Fence moves a call past a claim that was not committed. If the call does not exist, Fence writes its id as ended. If it
// exists, Fence writes a transition that changes nothing.
func Fence(last events.Transition, cmd events.Command, in Input) Write {
	if last.Seq == 0 {
		return fence(cmd, in)
	}
	d := newDraft(last, cmd, events.TimeOf(in.At))
	d.by = events.By{Kind: events.ByService, Service: events.ServiceCoordinator}
	return Write{At: d.at, Transition: events.Transition{
		CommandID: cmd.CommandID, Event: events.EventFenced, Seq: d.call.Seq, By: d.by, Changes: []events.Change{},
		Call: d.call, Commands: slices.Clone(last.Commands),
	}}
}
