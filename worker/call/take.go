package call

import "ringline.io/ringline/events"

// take moves the call to another device of a party who is in it.
func take(last events.Transition, cmd events.Command, in Input) Outcome {
	d := newDraft(last, cmd, events.TimeOf(in.At))
	x := d.call.Callee(cmd.UserID)
	switch {
	case x != nil && anotherAttempt(x, cmd):
		return notPending(x)
	case x != nil && x.Pending():
		return refuse(events.CodeInvalidArgument, "verb: %q is %s, accept instead", x.UserID, x.State)
	case x != nil && x.State != events.StateAccepted:
		return notPending(x)
	case seatOf(last.Call, cmd.UserID).device == cmd.DeviceID:
		return Keep{}
	case outdated(last.Call, cmd):
		return answeredElsewhere()
	case last.InFormat1():
		return refuse(events.CodeInvalidArgument, "call_id: the call began in an older version, and can't be taken")
	}
	if x != nil {
		d.introduce(&x.UserName, &x.Avatar)
		x.DeviceID, x.ChangedSeq, x.Watched = cmd.DeviceID, d.changedSeq(), d.watched()
	} else {
		c := &d.call.Caller
		d.introduce(&c.UserName, &c.Avatar)
		c.DeviceID, c.ChangedSeq, c.Watched = cmd.DeviceID, d.changedSeq(), d.watched()
	}
	return d.write(events.EventTaken)
}

// seat is how a user is in a call: with which device, and since which transition.
type seat struct {
	in     bool
	device string
	since  int
}

func seatOf(c events.Call, userID string) seat {
	if x := c.Callee(userID); x != nil && x.State == events.StateAccepted {
		return seat{in: true, device: x.DeviceID, since: x.ChangedSeq}
	}
	if c.CallerIn() && c.Caller.UserID == userID {
		return seat{in: true, device: c.Caller.DeviceID, since: c.Caller.ChangedSeq}
	}
	return seat{}
}

// outdated reports whether a hang-up or take refers to an earlier joining than the present one: since its sender looked,
// another of their devices has answered or taken the call. A command from the device that is in always counts, because it
// can follow an accept or take of that device that is not answered yet.
func outdated(c events.Call, cmd events.Command) bool {
	s := seatOf(c, cmd.UserID)
	return s.in && s.device != cmd.DeviceID && changedSince(s.since, cmd)
}

// changedSince reports whether a party with this changed_seq has changed since the sender of the command looked. A
// command without seen applies to the present state.
func changedSince(changedSeq int, cmd events.Command) bool {
	return cmd.Seen != 0 && changedSeq > cmd.Seen
}
