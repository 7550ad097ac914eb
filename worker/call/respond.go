package call

import "ringline.io/ringline/events"

// ring records that a device of the callee rings.
func ring(last events.Transition, cmd events.Command, in Input) Outcome {
	d := newDraft(last, cmd, events.TimeOf(in.At))
	x := d.call.Callee(cmd.UserID)
	switch {
	case anotherAttempt(x, cmd):
		return notPending(x)
	case x.State == events.StateInvited:
		d.move(x, events.StateRinging, "")
		return d.write(events.EventRinging)
	case x.State == events.StateRinging, x.State == events.StateAccepted:
		return Keep{}
	}
	return notPending(x)
}

// accept answers the call. It succeeds after the ring deadline too, as long as the callee is pending.
func accept(last events.Transition, cmd events.Command, in Input) Outcome {
	d := newDraft(last, cmd, events.TimeOf(in.At))
	x := d.call.Callee(cmd.UserID)
	switch {
	case anotherAttempt(x, cmd):
		return notPending(x)
	case x.Pending():
		return d.accept(x)
	case x.State == events.StateAccepted && x.DeviceID == cmd.DeviceID:
		return Keep{}
	case x.State == events.StateAccepted:
		return answeredElsewhere()
	}
	return notPending(x)
}

func (d *draft) accept(x *events.Callee) Outcome {
	d.answer(x, events.StateAccepted, "")
	x.DeviceID, x.Watched = d.cmd.DeviceID, d.watched()
	d.introduce(&x.UserName, &x.Avatar)
	if d.call.State == events.CallStateRinging {
		d.call.State, d.call.AnsweredAt = events.CallStateActive, d.at
	}
	return d.write(events.EventAccepted)
}

// decline declines the call, or records that the callee is busy.
func decline(last events.Transition, cmd events.Command, in Input) Outcome {
	d := newDraft(last, cmd, events.TimeOf(in.At))
	x := d.call.Callee(cmd.UserID)
	switch {
	case anotherAttempt(x, cmd):
		return notPending(x)
	case x.Pending():
		return d.decline(x)
	case x.State == events.StateAccepted && x.DeviceID != cmd.DeviceID:
		return answeredElsewhere()
	}
	return notPending(x)
}

func (d *draft) decline(x *events.Callee) Outcome {
	if d.cmd.Reason == events.ReasonBusy {
		d.answer(x, events.StateBusy, events.ReasonBusy)
	} else {
		d.answer(x, events.StateDeclined, events.ReasonDeclined)
	}
	x.DeviceID = d.cmd.DeviceID
	return d.write(events.EventDeclined)
}

// leave takes the sender out of the call. For a pending callee it is a decline. For the caller it is a cancel of all callees
// if none of them has answered yet.
func leave(last events.Transition, cmd events.Command, in Input) Outcome {
	d := newDraft(last, cmd, events.TimeOf(in.At))
	x := d.call.Callee(cmd.UserID)
	switch {
	case x != nil && anotherAttempt(x, cmd):
		return notPending(x)
	case outdated(last.Call, cmd):
		return answeredElsewhere()
	case x != nil && x.Pending() && changedSince(x.ChangedSeq, cmd):
		return notPending(x)
	case x != nil && x.Pending():
		return d.decline(x)
	case x != nil && x.State != events.StateAccepted:
		return notPending(x)
	}
	return d.leave(cmd.UserID, in.Limits)
}

// leave takes a party who is in the call out of it. For the caller it is a cancel of all callees if none of them has
// answered yet.
func (d *draft) leave(userID string, l Limits) Outcome {
	if x := d.call.Callee(userID); x != nil {
		d.answer(x, events.StateLeft, d.leaveReason())
		return d.left(l)
	}
	if d.call.State == events.CallStateRinging {
		return d.cancel(func(events.Callee) bool { return true })
	}
	d.callerLeaves()
	return d.left(l)
}

func anotherAttempt(x *events.Callee, cmd events.Command) bool {
	return cmd.Attempt != 0 && cmd.Attempt != x.Attempt
}

func notPending(x *events.Callee) Outcome {
	return refuse(events.CodeNotPending, "attempt: %q is %s in attempt %d", x.UserID, x.State, x.Attempt)
}

func answeredElsewhere() Outcome {
	return refuse(events.CodeAnsweredElsewhere, "device_id: this user is in the call with another device")
}
