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
	x.DeviceID = d.cmd.DeviceID
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
	if cmd.UserID == d.call.Caller.UserID {
		if d.call.State == events.CallStateRinging {
			return d.cancel(func(events.Callee) bool { return true })
		}
		d.callerLeaves()
		return d.write(events.EventLeft)
	}
	x := d.call.Callee(cmd.UserID)
	switch {
	case anotherAttempt(x, cmd):
		return notPending(x)
	case x.Pending():
		return d.decline(x)
	case x.State == events.StateAccepted:
		d.answer(x, events.StateLeft, events.ReasonLeft)
		return d.write(events.EventLeft)
	}
	return notPending(x)
}

func anotherAttempt(x *events.Callee, cmd events.Command) bool {
	return cmd.Attempt != 0 && cmd.Attempt != x.Attempt
}

func notPending(x *events.Callee) Outcome {
	return refuse(events.CodeNotPending, "attempt: %q is %s in attempt %d", x.UserID, x.State, x.Attempt)
}

func answeredElsewhere() Outcome {
	return refuse(events.CodeAnsweredElsewhere, "device_id: another device of this user has answered")
}
