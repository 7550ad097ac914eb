package call

import "ringline.io/ringline/events"

// cancel cancels the pending callees that the command names, in the attempts that its sender has seen. Without names, it
// cancels all that the sender may cancel: it is a hang-up, and its sender may have an add in flight.
func cancel(last events.Transition, cmd events.Command, in Input) Outcome {
	d := newDraft(last, cmd, events.TimeOf(in.At))
	for _, p := range cmd.Callees { // all permissions before unknown names
		if x := d.call.Callee(p.UserID); x != nil && !d.mayCancel(*x) {
			return refuse(events.CodePermissionDenied, "callees: this user may not cancel %q", p.UserID)
		}
	}
	for _, p := range cmd.Callees {
		if d.call.Callee(p.UserID) == nil {
			return refuse(events.CodeInvalidArgument, "callees: %q is not in the call", p.UserID)
		}
	}
	if outdated(last.Call, cmd) {
		return answeredElsewhere()
	}
	named := func(x events.Callee) bool {
		return len(cmd.Callees) == 0 || names(cmd, x.UserID) && !changedSince(x.ChangedSeq, cmd)
	}
	return d.cancel(func(x events.Callee) bool { return named(x) && d.mayCancel(x) })
}

// mayCancel reports whether a sender who may use cancel in this call may cancel this callee.
func (d *draft) mayCancel(x events.Callee) bool {
	return d.cmd.Service != "" || d.cmd.UserID == d.call.Caller.UserID || d.cmd.UserID == inviter(d.last.Commands, x.UserID)
}

// cancel cancels the pending callees for which pick returns true.
func (d *draft) cancel(pick func(events.Callee) bool) Outcome {
	any := false
	for i := range d.call.Callees {
		if x := &d.call.Callees[i]; x.Pending() && pick(*x) {
			d.answer(x, events.StateCanceled, events.ReasonCanceled)
			any = true
		}
	}
	if !any {
		return refuse(events.CodeNotPending, "callees: no pending callee that this command may cancel")
	}
	return d.write(events.EventCanceled)
}

// end ends the call for all parties.
func end(last events.Transition, cmd events.Command, in Input) Outcome {
	if outdated(last.Call, cmd) {
		return answeredElsewhere()
	}
	d := newDraft(last, cmd, events.TimeOf(in.At))
	why := events.EndServerEnded
	if cmd.Service == "" {
		why = d.endReason()
	}
	d.end(why, true)
	return d.write(events.EventEnded)
}
