package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// Claimed is what became of the claims on the lines of an invite or add. The zero value: every line had room.
type Claimed struct {
	CallerBusy bool     // the caller's own line is full
	Busy       []string // the callees whose line is full
	Glare      *Glare   // the invitation met the call that it would cross
}

// All says whether every line had room: then what was decided without claims is decided with them.
func (c Claimed) All() bool { return !c.CallerBusy && len(c.Busy) == 0 && c.Glare == nil }

// Glare is the other half of two invitations that cross: a call in which the inviter pends in this attempt, and
// whose caller is the one whom he invites.
type Glare struct {
	CallID  string
	Attempt int
}

// Claims lists the users whose lines an invite or add has to claim before what Decide made of it without claims holds: nobody
// where it comes to nothing anyway.
func Claims(without Outcome, cmd events.Command) []string {
	w, writes := without.(Write)
	if !writes || cmd.Verb != events.VerbInvite && cmd.Verb != events.VerbAdd {
		return nil
	}
	var users []string
	for _, p := range cmd.Callees {
		if w.Transition.Call.Callee(p.UserID).Pending() {
			users = append(users, p.UserID)
		}
	}
	if cmd.Verb == events.VerbInvite && len(users) > 0 {
		users = append(users, cmd.UserID)
	}
	return users
}

// FindGlare says whether this call is the other half of a glare: the invitation is to exactly one callee, who is
// the call's caller, and its inviter pends in the call.
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

// Merged gives the glare that this call was born ended for; nil if it was not.
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

// Join decides what a merged invitation makes of the first call, whose newest transition is last: it accepts it,
// under its own command id. Accepted already, on whatever device, is as good.
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

// bornEnded writes a call that rings nowhere.
func (d *draft) bornEnded(why events.EndReason) Write {
	d.end(why, false)
	for i := range d.call.Callees {
		d.call.Callees[i].RingDeadline = 0
	}
	return d.write(events.EventInvited)
}

// callerBusy is the answer to an invitation whose caller has no room on his own line.
func callerBusy() *events.Error {
	return events.Errorf(events.CodeCallerBusy, "user_id: the caller's own line is full")
}

// Fence moves a call past a claim that nobody has committed: a call that does not exist is taken out of use, one
// that exists gets a transition that changes nothing.
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
