package call

import (
	"ringline.io/ringline/events"
)

// expire times out every pending callee whose ring deadline has passed, or whose reach deadline has passed before a device
// confirmed that it rings. It ends an active call at its maximum duration. It looks at all deadlines of the call, whichever of
// them came due. A command that comes before its own deadline waits for it, because no other expire follows for that deadline.
//
// The time of the decision is the later of At and Now. A command that was nak'ed with a delay keeps the time at which it was
// stored, and that time may be before the deadline.
func expire(last events.Transition, cmd events.Command, in Input) Outcome {
	switch {
	case cmd.Service != events.ServiceTimeouts:
		return denied(cmd)
	case last.Seq == 0, last.Call.EndReason == events.EndFailed:
		return notFound(cmd)
	case last.Call.State == events.CallStateEnded:
		return Keep{}
	}
	at := in.At
	if in.Now.After(at) {
		at = in.Now
	}
	d := newDraft(last, cmd, events.TimeOf(at))
	for _, due := range Deadlines(last) {
		if events.ExpireID(cmd.CallID, due.DeadlineID) == cmd.CommandID && due.At > d.at {
			return Wait{Until: due.At.Time(), Why: WaitForDeadline}
		}
	}
	if d.call.State == events.CallStateActive && d.call.ExpiresAt <= d.at {
		d.end(events.EndExpired, false)
		return d.write(events.EventEnded)
	}
	any := false
	for i := range d.call.Callees {
		if x := &d.call.Callees[i]; x.Pending() {
			any = d.expire(x) || any
		}
	}
	if any {
		return d.write(events.EventTimedOut)
	}
	return Keep{}
}

// expire times out a pending callee if one of their deadlines has passed, and reports whether it did.
func (d *draft) expire(x *events.Callee) bool {
	switch {
	case x.Unconfirmed() && x.ReachDeadline != 0 && x.ReachDeadline <= d.at:
		d.move(x, events.StateTimedOut, events.ReasonNotReached)
	case x.RingDeadline <= d.at:
		d.move(x, events.StateTimedOut, events.ReasonTimedOut)
	default:
		return false
	}
	return true
}
