package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// withoutRefused removes the callees that an add refuses from the command. It returns the first refusal, or nil if there is none.
func withoutRefused(c events.Call, cmd events.Command) (invites events.Command, first Outcome) {
	cmd.Callees = slices.DeleteFunc(slices.Clone(cmd.Callees), func(p events.Party) bool {
		refusal := refusalOf(c, cmd, p.UserID)
		if first == nil {
			first = refusal
		}
		return refusal != nil
	})
	return cmd, first
}

// refusalOf returns the refusal of an add that names only this user, or nil if it invites them.
func refusalOf(c events.Call, cmd events.Command, userID string) Outcome {
	x := c.Callee(userID)
	switch {
	case userID == c.Caller.UserID:
		return refuse(codeOf(c, userID), "callees: %q is the caller", userID)
	case x == nil:
		return nil
	case x.Pending() || x.State == events.StateAccepted:
		return refuse(codeOf(c, userID), "callees: %q is already %s in the call", userID, x.State)
	case changedSince(x.ChangedSeq, cmd):
		return refuse(codeOf(c, userID), "callees: %q was in the call after seq %d", userID, cmd.Seen)
	}
	return nil
}

// codeOf returns the code with which an add refuses this user.
func codeOf(c events.Call, userID string) events.Code {
	if userID == c.Caller.UserID {
		return events.CodeInvalidArgument
	}
	return events.CodeAlreadyExists
}

// Refused lists the callees that an add refused, in the order of the command. They are those that are not in the changes of the
// transition that the command made. So a repeat gives the same list, whatever has happened to the callees since.
func Refused(cmd events.Command, made events.Transition) []events.RefusedCallee {
	if made.Event != events.EventAdded {
		return nil
	}
	var list []events.RefusedCallee
	for _, p := range cmd.Callees {
		if !slices.ContainsFunc(made.Changes, func(ch events.Change) bool { return ch.UserID == p.UserID && began(ch) }) {
			list = append(list, events.RefusedCallee{UserID: p.UserID, Code: codeOf(made.Call, p.UserID)})
		}
	}
	return list
}

// began reports whether an attempt, or the caller's part in the call, begins with this change.
func began(ch events.Change) bool { return ch.From == "" }
