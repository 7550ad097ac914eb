package call

import (
	"time"

	"ringline.io/ringline/events"
)

// freshFor is the time after it was stored within which a drop counts. The device of the party may be back after it. A drop
// may also have waited before it was stored, so presence sets Input.Until.
const freshFor = 10 * time.Second

// drop takes a party whose device is gone out of the call, as their leave would. It changes nothing if it waited for too
// long, or if it does not apply to the present state of the party. Presence then judges again. A drop is no hang-up of its
// sender, so it never takes an id out of use.
func drop(last events.Transition, cmd events.Command, in Input) Outcome {
	switch {
	case cmd.Service != events.ServicePresence:
		return denied(cmd)
	case last.Seq == 0, last.Call.EndReason == events.EndFailed:
		return notFound(cmd)
	case in.Now.Sub(in.At) > freshFor, !in.Until.IsZero() && in.Now.After(in.Until):
		return Keep{}
	case !isGone(last, cmd):
		return Keep{}
	}
	return newDraft(last, cmd, events.TimeOf(in.At)).leave(cmd.Party.UserID, in.Limits)
}

// isGone reports whether the party is still in the call as presence judged them at cmd.Seen: with the same device, by the
// same joining, and in the same phase. A caller has another grace period while the call rings than in an active call.
func isGone(t events.Transition, cmd events.Command) bool {
	s := seatOf(t.Call, cmd.Party.UserID)
	return s.in && s.device == cmd.Party.DeviceID && s.since <= cmd.Seen && firstAccept(t.Commands) <= cmd.Seen
}
