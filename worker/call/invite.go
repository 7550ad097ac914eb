package call

import (
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// invite creates the call.
func invite(cmd events.Command, in Input) Outcome {
	if n := len(cmd.Callees); n > in.Limits.MaxCallees {
		return tooMany(n, in.Limits)
	}
	if refusal := tooManyRing(events.Call{}, cmd, in); refusal != nil {
		return refusal
	}
	if in.Limits.BackendRooms && fromSession(cmd) && cmd.RoomID != "" {
		return refuse(events.CodeInvalidArgument, "room_id: only the app's backend chooses it (room_id_from is %s), got %q", events.RoomIDFromService, cmd.RoomID)
	}
	at := events.TimeOf(in.At)
	d := newDraft(events.Transition{}, cmd, at)
	d.call = events.Call{
		CallID: cmd.CallID, App: cmd.App, RoomID: cmd.RoomID, CallType: cmd.CallType, State: events.CallStateRinging, Seq: 1,
		Caller: events.Caller{
			UserID: cmd.UserID, UserName: cmd.UserName, Avatar: cmd.UserAvatar, DeviceID: cmd.DeviceID, State: events.StateIn, At: at,
			ChangedSeq: events.FirstSeq, Watched: d.watched(),
		},
		Callees: []events.Callee{}, CustomData: cmd.CustomData, CreatedAt: at, ExpiresAt: at.Add(in.Limits.MaxDuration),
	}
	if d.call.RoomID == "" {
		d.call.RoomID = cmd.CallID
	}
	d.call.Callees = attempts(d, in)
	switch {
	case in.Claimed.Glare != nil:
		d.call.MergedInto, d.merged = in.Claimed.Glare.CallID, in.Claimed.Glare.Attempt
		return d.bornEnded(events.EndMerged)
	case in.Claimed.CallerBusy:
		w := d.bornEnded(events.EndCallerBusy)
		w.Err = callerBusy().Err
		return w
	}
	return checkSize(d.last, d.write(events.EventInvited))
}

// add invites new callees, and begins a new attempt for callees whose attempt is over. It refuses the other callees of the
// command, and fails if none is left to invite.
func add(last events.Transition, cmd events.Command, in Input) Outcome {
	cmd, first := withoutRefused(last.Call, cmd)
	if len(cmd.Callees) == 0 {
		return first
	}
	d := newDraft(last, cmd, events.TimeOf(in.At))
	total := len(d.call.Callees)
	for _, p := range cmd.Callees {
		if d.call.Callee(p.UserID) == nil {
			total++
		}
	}
	if total > in.Limits.MaxCallees {
		return tooMany(total, in.Limits)
	}
	if refusal := tooManyRing(d.call, cmd, in); refusal != nil {
		return refusal
	}
	for _, a := range attempts(d, in) {
		if x := d.call.Callee(a.UserID); x != nil {
			*x = a
		} else {
			d.call.Callees = append(d.call.Callees, a)
		}
	}
	if refusal := d.makeRoom(); refusal != nil {
		return refusal
	}
	return checkSize(last, d.write(events.EventAdded))
}

// attempts begins an attempt for each callee of the command. The state of the attempt is
//
//   - timed_out, if the command waited so long that its sender has given up;
//   - busy, if the callee's line is full;
//   - invited otherwise.
func attempts(d *draft, in Input) []events.Callee {
	timeout := in.Limits.RingTimeout
	if d.cmd.RingTimeoutS > 0 {
		timeout = time.Duration(d.cmd.RingTimeoutS) * time.Second
	}
	late := in.Now.Sub(in.At) > min(lateAfter, timeout)
	data := 0
	switch {
	case d.cmd.CustomData != "":
		data = d.call.Seq
	case d.call.CustomData != "":
		data = events.FirstSeq
	}
	list := make([]events.Callee, len(d.cmd.Callees))
	for i, p := range d.cmd.Callees {
		x := events.Callee{
			UserID: p.UserID, UserName: p.UserName, Attempt: 1, InvitedBy: d.cmd.Sender(), State: events.StateInvited,
			CustomSeq: data, RingDeadline: min(events.DeadlineOf(in.At.Add(timeout)), d.call.ExpiresAt), At: d.at, ChangedSeq: d.changedSeq(),
		}
		if old := d.call.Callee(p.UserID); old != nil {
			x.Attempt = old.Attempt + 1
		}
		switch {
		case late:
			d.move(&x, events.StateTimedOut, events.ReasonTimedOut)
		case slices.Contains(in.Claimed.Busy, p.UserID):
			d.move(&x, events.StateBusy, events.ReasonLineBusy)
			x.RingDeadline = 0
		default:
			x.ReachDeadline = d.reachDeadline(in, x.RingDeadline)
		}
		list[i] = x
	}
	return list
}

// reachDeadline returns the time by which a device must confirm that it rings, or 0. It counts from the time at which the
// invitation is handled, because no device can confirm an invitation that still waits. It is never after the ring deadline.
func (d *draft) reachDeadline(in Input, ring events.Time) events.Time {
	if in.Limits.Reach == 0 || d.last.InFormat1() {
		return 0
	}
	from := in.At
	if in.Now.After(from) {
		from = in.Now
	}
	return min(events.DeadlineOf(from.Add(in.Limits.Reach)), ring)
}

func tooMany(n int, l Limits) Outcome {
	return refuse(events.CodeInvalidArgument, "callees: at most %d in a call, got %d", l.MaxCallees, n)
}
