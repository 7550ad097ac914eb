package call

import (
	"strings"

	"ringline.io/ringline/events"
)

// backendOnly reports whether the command comes from a session and its call id is reserved for the backend. Such a command
// can neither create the call nor take its id out of use.
func backendOnly(cmd events.Command, in Input) bool {
	return fromSession(cmd) && in.Limits.BackendPrefix != "" && strings.HasPrefix(cmd.CallID, in.Limits.BackendPrefix)
}

func backends(cmd events.Command, in Input) Outcome {
	return refuse(events.CodePermissionDenied, "call_id: ids that begin with %s are for the app's backend (service_call_prefix), got %s",
		in.Limits.BackendPrefix, cmd.CallID)
}

func fromSession(cmd events.Command) bool { return cmd.Via == events.ViaSession }

// tooManyRing refuses an invite or add of a session after which the user would make too many callees ring. It returns nil if
// the command is allowed. c is the call before the command.
func tooManyRing(c events.Call, cmd events.Command, in Input) Outcome {
	if !fromSession(cmd) || in.Limits.RingingPerCaller == 0 {
		return nil
	}
	if n := in.Ringing + RungBy(c, cmd.UserID) + len(cmd.Callees); n > in.Limits.RingingPerCaller {
		return refuse(events.CodeRateLimited, "callees: at most %d callees of a user may ring at the same time (ringing_per_caller), got %d",
			in.Limits.RingingPerCaller, n)
	}
	return nil
}

// RungBy counts the pending callees of this call that the user invited.
func RungBy(c events.Call, userID string) (n int) {
	for _, x := range c.Callees {
		if x.Pending() && x.InvitedBy == userID {
			n++
		}
	}
	return n
}
