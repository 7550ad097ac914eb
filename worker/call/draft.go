package call

import (
	"cmp"
	"slices"

	"ringline.io/ringline/events"
)

// draft is the next version of a call while a command is decided.
type draft struct {
	last events.Transition
	cmd  events.Command
	by   events.By
	at   events.Time
	call events.Call

	merged int // the attempt that a merged invitation answers; 0 for every other command
}

func newDraft(last events.Transition, cmd events.Command, at events.Time) *draft {
	d := &draft{last: last, cmd: cmd, by: cmd.By(), at: max(at, last.Call.CreatedAt), call: last.Call}
	d.call.Callees = slices.Clone(last.Call.Callees)
	d.call.Seq = last.Seq + 1
	return d
}

// move sets the state of a callee. reason is empty unless the state is terminal.
func (d *draft) move(x *events.Callee, to events.PartyState, reason events.Reason) {
	x.State, x.Reason, x.At = to, reason, d.at
	if to != events.StateRinging {
		x.ChangedSeq = d.changedSeq()
	}
}

// changedSeq is the changed_seq of a party that this transition changes.
func (d *draft) changedSeq() int {
	if d.last.InFormat1() {
		return 0
	}
	return d.call.Seq
}

// watched reports whether presence watches the device that the command puts in the call.
func (d *draft) watched() bool { return fromSession(d.cmd) && !d.last.InFormat1() }

// leaveReason is the reason of a party that the command takes out of the call.
func (d *draft) leaveReason() events.Reason {
	if d.cmd.Verb == events.VerbDrop && !d.last.InFormat1() {
		return events.ReasonLost
	}
	return events.ReasonLeft
}

// answer sets a state that the command itself asks for. The command's custom data replaces the callee's.
func (d *draft) answer(x *events.Callee, to events.PartyState, reason events.Reason) {
	d.move(x, to, reason)
	d.carries(x)
}

// carries replaces the callee's custom data with the command's. A command without custom data clears it.
func (d *draft) carries(x *events.Callee) {
	x.CustomSeq = 0
	if d.cmd.CustomData != "" {
		x.CustomSeq = d.call.Seq
	}
}

// introduce replaces the name and the picture of a party with those of their own command. If the call has no room for them,
// it keeps the previous ones. So does a call of format 1.
func (d *draft) introduce(name, avatar *string) {
	if d.last.InFormat1() {
		return
	}
	oldName, oldAvatar := *name, *avatar
	*name, *avatar = cmp.Or(d.cmd.UserName, oldName), cmp.Or(d.cmd.UserAvatar, oldAvatar)
	changed := *name != oldName || *avatar != oldAvatar
	if changed && most(events.Transition{Call: d.call, Commands: d.last.Commands}) > MaxTransition {
		*name, *avatar = oldName, oldAvatar
	}
}

// callerLeaves marks the caller as left, if they are in the call.
func (d *draft) callerLeaves() {
	if d.call.CallerIn() {
		d.call.Caller.State, d.call.Caller.At, d.call.Caller.ChangedSeq = events.StateLeft, d.at, d.changedSeq()
		if d.leaver() == d.call.Caller.UserID && d.leaveReason() == events.ReasonLost {
			d.call.Caller.Reason = events.ReasonLost
		}
	}
}

// over reports whether the call has to end. The parties that count are the caller while in, the accepted callees and the
// pending callees. A call is over if fewer than two of them are left, or only pending ones.
func (d *draft) over() bool {
	in, pending := d.count()
	return in == 0 || in+pending < 2
}

// count returns the number of parties who are in the call, and of those who are pending.
func (d *draft) count() (in, pending int) {
	if d.call.CallerIn() {
		in++
	}
	for _, x := range d.call.Callees {
		switch {
		case x.State == events.StateAccepted:
			in++
		case x.Pending():
			pending++
		}
	}
	return in, pending
}

// left completes a draft in which a party has left an active call.
func (d *draft) left(l Limits) Write {
	if in, _ := d.count(); l.EndAlone && in < 2 {
		d.end(d.endReason(), d.byCaller())
	}
	return d.write(events.EventLeft)
}

// end ends the call. The caller and the accepted callees become left, the pending callees canceled. If replace is set, the
// command's custom data replaces the data of these callees.
func (d *draft) end(why events.EndReason, replace bool) {
	d.callerLeaves()
	for i := range d.call.Callees {
		x := &d.call.Callees[i]
		switch {
		case x.State == events.StateAccepted:
			d.move(x, events.StateLeft, events.ReasonEnded)
		case x.Pending():
			d.move(x, events.StateCanceled, events.ReasonEnded)
		default:
			continue
		}
		if replace {
			d.carries(x)
		}
	}
	d.call.State, d.call.EndReason, d.call.EndedAt, d.call.EndedBy = events.CallStateEnded, why, d.at, d.by
}

// write completes the draft: it ends the call if it is over, and remembers the command.
func (d *draft) write(event events.Event) Write {
	if d.call.State != events.CallStateEnded && d.over() {
		d.end(d.endReason(), d.byCaller())
	}
	d.keepCustom()
	return Write{At: d.at, Transition: events.Transition{
		CommandID: d.cmd.CommandID, Event: event, Seq: d.call.Seq, By: d.by, Changes: changes(d.last.Call, d.call),
		CustomData: d.cmd.CustomData, Call: d.call, Commands: remember(d.last, d.cmd, d.call.Seq, d.merged),
	}}
}

// leaver returns the user that a leave or drop takes out of the call, and for other commands the sender.
func (d *draft) leaver() string {
	if d.cmd.Verb == events.VerbDrop {
		return d.cmd.Party.UserID
	}
	return d.cmd.UserID
}

// byCaller reports whether the caller withdraws, with leave, end or cancel, or is dropped.
func (d *draft) byCaller() bool {
	switch d.cmd.Verb {
	case events.VerbLeave, events.VerbEnd, events.VerbCancel, events.VerbDrop:
		return d.leaver() == d.call.Caller.UserID
	case events.VerbInvite, events.VerbAdd, events.VerbRing, events.VerbAccept, events.VerbDecline, events.VerbTake, events.VerbExpire:
	}
	return false
}

// endReason returns the reason for the end of a call that is over: completed if a callee had answered, canceled if the caller
// withdrew it, else the terminal state of the last callee in this transition.
func (d *draft) endReason() events.EndReason {
	switch {
	case d.call.AnsweredAt != 0:
		return events.EndCompleted
	case d.byCaller():
		return events.EndCanceled
	}
	why := events.EndCanceled
	for _, ch := range changes(d.last.Call, d.call) {
		switch ch.To {
		case events.StateDeclined:
			why = events.EndDeclined
		case events.StateBusy:
			why = events.EndBusy
		case events.StateTimedOut:
			why = events.EndTimedOut
		case events.StateCanceled:
			why = events.EndCanceled
		case events.StateIn, events.StateInvited, events.StateRinging, events.StateAccepted, events.StateLeft:
		}
	}
	return why
}

// changes lists the differences in state: first the caller, then the callees in their order.
func changes(before, after events.Call) []events.Change {
	list := []events.Change{}
	if a, b := before.Caller, after.Caller; a.State != b.State {
		list = append(list, events.Change{UserID: b.UserID, From: a.State, To: b.State, Reason: b.Reason})
	}
	for i, x := range after.Callees {
		ch := events.Change{UserID: x.UserID, Attempt: x.Attempt, To: x.State, Reason: x.Reason}
		if i < len(before.Callees) && before.Callees[i].Attempt == x.Attempt {
			if ch.From = before.Callees[i].State; ch.From == ch.To {
				continue
			}
		}
		list = append(list, ch)
	}
	return list
}
