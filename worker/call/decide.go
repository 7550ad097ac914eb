package call

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// Limits are the settings of an app that a decision depends on.
type Limits struct {
	RingTimeout time.Duration // of an invite or add without ring_timeout_s
	Reach       time.Duration // for a device of a callee to confirm that it rings; 0: no limit
	MaxCallees  int           // of a call, including those whose attempt is over
	MaxDuration time.Duration // of a call, from its creation
	Capacity    int           // calls on one line

	RingingPerCaller int    // callees that the sessions of one user may make ring at once; 0: no limit
	BackendPrefix    string // call ids with this prefix are reserved for the backend

	EndAlone     bool // an active call ends when only one party is left, even if callees still ring
	BackendRooms bool // only the backend chooses the room id
}

// DefaultLimits returns the limits of an app without settings.
func DefaultLimits() Limits {
	return Limits{
		RingTimeout: time.Minute, MaxCallees: 50, MaxDuration: 12 * time.Hour, Capacity: 1,
		RingingPerCaller: events.DefaultRingingPerCaller, BackendPrefix: events.DefaultServiceCallPrefix,
	}
}

// Input is what a decision depends on, in addition to the call and the command.
type Input struct {
	At      time.Time // when the command was stored: the time of the decision (ADR 0004)
	Now     time.Time // broker time of this delivery (ADR 0016); only to find out what is late or early
	Until   time.Time // after when the sender does not want the command to count, in broker time; zero: it always counts
	Limits  Limits
	Claimed Claimed // result of the claims on the lines that Claims lists
	Ringing int     // callees that the sender makes ring in other calls
}

const (
	overtakenFor = 5 * time.Second // a command that may have overtaken its invitation waits for it until it is this old
	lateAfter    = time.Minute     // an older invite or add never rings
)

// Outcome is the result of a decision: Write, Keep, Refuse or Wait.
//
//sumtype:decl
type Outcome interface{ outcome() }

// Write commits a transition. The answer after the commit is ok, or Err if it is set.
type Write struct {
	Transition events.Transition
	At         events.Time
	Err        *events.Error
}

// Keep changes nothing, and the answer is ok. Made is the sequence of the transition that an earlier handling of the command
// made, or 0 if there is none.
type Keep struct{ Made int }

// Refuse changes nothing, and the answer is the error.
type Refuse struct{ Err *events.Error }

// Wait means that the command can't be decided before Until.
type Wait struct {
	Until time.Time
	Why   WaitReason
}

// WaitReason is the reason for a Wait.
type WaitReason string

// The reasons to wait.
const (
	WaitForInvitation WaitReason = "no_call_yet"  // the command may have overtaken its invitation
	WaitForDeadline   WaitReason = "early_expire" // the expire came before its deadline
)

func (Write) outcome()  {}
func (Keep) outcome()   {}
func (Refuse) outcome() {}
func (Wait) outcome()   {}

// Decide decides the command for the call whose newest transition is last (zero if there is no call).
func Decide(last events.Transition, cmd events.Command, in Input) Outcome {
	switch {
	case cmd.Verb == events.VerbExpire:
		return expire(last, cmd, in)
	case cmd.Verb == events.VerbDrop:
		return drop(last, cmd, in)
	case last.Seq == 0:
		return withoutCall(cmd, in)
	}
	if known := remembered(last.Commands, cmd); known != nil {
		if known.Verb == cmd.Verb && last.Call.EndReason == events.EndCallerBusy {
			return callerBusy()
		}
		return again(*known, cmd)
	}
	failed := last.Call.EndReason == events.EndFailed
	switch {
	case cmd.Verb == events.VerbInvite && failed:
		return refuse(events.CodeCallEnded, "call_id: %s was taken out of use before this invitation was processed", cmd.CallID)
	case cmd.Verb == events.VerbInvite && backendOnly(cmd, in):
		return backends(cmd, in)
	case cmd.Verb == events.VerbInvite:
		return refuse(events.CodeAlreadyExists, "call_id: %s is the id of another call", cmd.CallID)
	case failed:
		return notFound(cmd)
	}
	if !permitted(last, cmd) {
		return denied(cmd)
	}
	if last.Call.State == events.CallStateEnded {
		return refuse(events.CodeCallEnded, "the call ended, %s", last.Call.EndReason)
	}
	return decideOpen(last, cmd, in)
}

// again decides a command whose id the same sender has used before.
func again(known events.Remembered, cmd events.Command) Outcome {
	if known.Verb != cmd.Verb {
		return refuse(events.CodeInvalidArgument, "command_id: %s was used for %s before", cmd.CommandID, known.Verb)
	}
	return Keep{Made: known.Seq}
}

// decideOpen decides a permitted command for a call that has not ended.
func decideOpen(last events.Transition, cmd events.Command, in Input) Outcome {
	switch cmd.Verb {
	case events.VerbAdd:
		return add(last, cmd, in)
	case events.VerbRing:
		return ring(last, cmd, in)
	case events.VerbAccept:
		return accept(last, cmd, in)
	case events.VerbDecline:
		return decline(last, cmd, in)
	case events.VerbCancel:
		return cancel(last, cmd, in)
	case events.VerbLeave:
		return leave(last, cmd, in)
	case events.VerbEnd:
		return end(last, cmd, in)
	case events.VerbTake:
		return take(last, cmd, in)
	case events.VerbInvite, events.VerbExpire, events.VerbDrop:
	}
	return refuse(events.CodeInternal, "verb: %s can't be decided here", cmd.Verb)
}

// withoutCall decides a command whose call id is not in use.
func withoutCall(cmd events.Command, in Input) Outcome {
	switch {
	case cmd.Verb == events.VerbInvite:
		if backendOnly(cmd, in) {
			return backends(cmd, in)
		}
		return invite(cmd, in)
	case cmd.Verb.MayOvertake():
		if until := in.At.Add(overtakenFor); in.Now.Before(until) {
			return Wait{Until: until, Why: WaitForInvitation}
		}
		if cmd.Verb == events.VerbAdd || backendOnly(cmd, in) {
			return notFound(cmd)
		}
		return fence(cmd, in)
	}
	return notFound(cmd)
}

// fence writes a call id as ended, with the reason failed, so that a later invitation can't ring.
func fence(cmd events.Command, in Input) Write {
	at := events.TimeOf(in.At)
	by := events.By{Kind: events.ByService, Service: events.ServiceCoordinator}
	c := events.Call{
		CallID: cmd.CallID, App: cmd.App, RoomID: cmd.CallID, State: events.CallStateEnded, Seq: 1,
		Callees: []events.Callee{}, CreatedAt: at, ExpiresAt: at.Add(in.Limits.MaxDuration), EndedAt: at,
		EndReason: events.EndFailed, EndedBy: by,
	}
	return Write{
		Transition: events.Transition{
			CommandID: cmd.CommandID, Event: events.EventFenced, Seq: 1, By: by, Changes: []events.Change{}, Call: c,
			Commands: []events.Remembered{},
		},
		At: at, Err: notFound(cmd).Err,
	}
}

// permitted reports whether the sender has a role that the verb requires. No user is in a call that has ended. A sender who
// could have had the role before the end is permitted, and then refused with call_ended.
func permitted(last events.Transition, cmd events.Command) bool {
	c := last.Call
	ended := c.State == events.CallStateEnded
	caller := cmd.UserID != "" && cmd.UserID == c.Caller.UserID && (c.CallerIn() || ended)
	callee := c.Callee(cmd.UserID)
	service := cmd.Service != ""
	switch cmd.Verb {
	case events.VerbRing, events.VerbAccept, events.VerbDecline:
		return callee != nil
	case events.VerbLeave, events.VerbTake:
		return callee != nil || caller
	case events.VerbAdd:
		return service || caller || callee != nil && (callee.State == events.StateAccepted || ended)
	case events.VerbCancel:
		return service || caller || callee != nil && hasInvited(last, cmd.UserID)
	case events.VerbEnd:
		return service || caller
	case events.VerbInvite, events.VerbExpire, events.VerbDrop:
	}
	return false
}

func hasInvited(t events.Transition, userID string) bool {
	return slices.ContainsFunc(t.Call.Callees, func(x events.Callee) bool { return inviter(t.Commands, x.UserID) == userID })
}

func refuse(code events.Code, format string, args ...any) Refuse {
	return Refuse{Err: &events.Error{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func notFound(cmd events.Command) Refuse {
	return refuse(events.CodeNotFound, "call_id: there is no call %s", cmd.CallID)
}

func denied(cmd events.Command) Refuse {
	if cmd.Service != "" {
		return refuse(events.CodePermissionDenied, "service: %s may not %s this call", cmd.Service, cmd.Verb)
	}
	return refuse(events.CodePermissionDenied, "user_id: this user may not %s this call", cmd.Verb)
}
