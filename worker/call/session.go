package call

import (
	"strings"

	"ringline.io/ringline/events"
)

// backendOnly says whether the command comes from a session, and its call id is one of the backend's. Then it can't begin
// the call, nor take its id out of use.
func backendOnly(cmd events.Command, in Input) bool {
	return fromSession(cmd) && in.Limits.BackendPrefix != "" && strings.HasPrefix(cmd.CallID, in.Limits.BackendPrefix)
}

func backends(cmd events.Command, in Input) Outcome {
	return refuse(events.CodePermissionDenied, "call_id: ids that begin with %s are for the app's backend (service_call_prefix), got %s",
		in.Limits.BackendPrefix, cmd.CallID)
}

func fromSession(cmd events.Command) bool { return cmd.Via == events.ViaSession }

// tooManyRing refuses what a session invites where too many would ring; nil where it may. c is the call as it is.
func tooManyRing(c events.Call, cmd events.Command, in Input) Outcome {
	if !fromSession(cmd) || in.Limits.RingingPerCaller == 0 {
		return nil
	}
	if n := in.Ringing + RungBy(c, cmd.UserID) + len(cmd.Callees); n > in.Limits.RingingPerCaller {
		return refuse(events.CodeRateLimited, "callees: a user may make %d callees ring at once (ringing_per_caller), got %d",
			in.Limits.RingingPerCaller, n)
	}
	return nil
}

// RungBy counts the callees that the user makes ring in this call.
func RungBy(c events.Call, userID string) (n int) {
	for _, x := range c.Callees {
		if x.Pending() && x.InvitedBy == userID {
			n++
		}
	}
	return n
}
