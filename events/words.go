package events

import "slices"

// Verb is the operation that a command requests. It is the last token of the command's subject.
type Verb string

// The verbs.
const (
	VerbInvite  Verb = "invite"
	VerbAdd     Verb = "add"
	VerbRing    Verb = "ring"
	VerbAccept  Verb = "accept"
	VerbDecline Verb = "decline"
	VerbCancel  Verb = "cancel"
	VerbLeave   Verb = "leave"
	VerbEnd     Verb = "end"
	VerbExpire  Verb = "expire"
	VerbTake    Verb = "take"
	VerbDrop    Verb = "drop"
)

// Verbs lists every verb.
func Verbs() []Verb {
	return []Verb{
		VerbInvite, VerbAdd, VerbRing, VerbAccept, VerbDecline, VerbCancel, VerbLeave, VerbEnd, VerbExpire,
		VerbTake, VerbDrop,
	}
}

// Known reports whether v is one of the verbs.
func (v Verb) Known() bool { return slices.Contains(Verbs(), v) }

// Invites reports whether the verb makes users ring.
func (v Verb) Invites() bool { return v == VerbInvite || v == VerbAdd }

// Internal reports whether only Ringline's own services send the verb. An early expire occupies a slot of the consumer
// until its deadline, and an app could send thousands. A drop takes a user out of a call.
func (v Verb) Internal() bool { return v == VerbExpire || v == VerbDrop }

// Served reports whether the api and edges accept the verb.
func (v Verb) Served() bool { return v.Known() && !v.Internal() }

// Remembered reports whether a call remembers commands of this verb. The others are idempotent by state.
func (v Verb) Remembered() bool { return v != VerbRing && v != VerbExpire && v != VerbDrop }

// MayOvertake reports whether a command that finds no call waits for its invitation, because it may have overtaken it.
func (v Verb) MayOvertake() bool {
	switch v {
	case VerbAdd, VerbCancel, VerbLeave, VerbEnd:
		return true
	case VerbInvite, VerbRing, VerbAccept, VerbDecline, VerbExpire, VerbTake, VerbDrop:
	}
	return false
}

// UsersOnly reports whether a service can't send the verb.
func (v Verb) UsersOnly() bool {
	switch v {
	case VerbInvite, VerbRing, VerbAccept, VerbDecline, VerbLeave, VerbTake:
		return true
	case VerbAdd, VerbCancel, VerbEnd, VerbExpire, VerbDrop:
	}
	return false
}

// Fields lists the fields of a request for the verb. All verbs have command_id, user_id, service and device_id.
func (v Verb) Fields() []string {
	common := []string{"command_id", "user_id", "service", "device_id"}
	switch v {
	case VerbInvite:
		return append(common, "custom_data", "user_name", "user_avatar", "call_type", "room_id", "callees", "ring_timeout_s")
	case VerbAdd:
		return append(common, "custom_data", "callees", "ring_timeout_s", "seen")
	case VerbRing:
		return append(common, "attempt")
	case VerbAccept:
		return append(common, "custom_data", "attempt", "user_name", "user_avatar")
	case VerbDecline:
		return append(common, "custom_data", "reason", "attempt")
	case VerbCancel:
		return append(common, "custom_data", "callees", "seen")
	case VerbLeave:
		return append(common, "custom_data", "attempt", "seen")
	case VerbEnd:
		return append(common, "custom_data", "seen")
	case VerbTake:
		return append(common, "attempt", "seen", "user_name", "user_avatar")
	case VerbDrop:
		return append(common, "party", "seen")
	case VerbExpire:
		return common
	}
	return nil
}

// Has reports whether a request for the verb has the field.
func (v Verb) Has(field string) bool { return slices.Contains(v.Fields(), field) }

// Event is the type of a transition, in the past tense.
type Event string

// The events. EventFenced only increments the sequence of a call, or retires an unused call id.
const (
	EventInvited  Event = "invited"
	EventRinging  Event = "ringing"
	EventAccepted Event = "accepted"
	EventDeclined Event = "declined"
	EventCanceled Event = "canceled"
	EventTimedOut Event = "timed_out"
	EventAdded    Event = "added"
	EventLeft     Event = "left"
	EventEnded    Event = "ended"
	EventFenced   Event = "fenced"
	EventTaken    Event = "taken"
)

// Events lists every event.
func Events() []Event {
	return []Event{
		EventInvited, EventRinging, EventAccepted, EventDeclined, EventCanceled, EventTimedOut, EventAdded,
		EventLeft, EventEnded, EventFenced, EventTaken,
	}
}

// In reports whether calls of the format have the event.
func (e Event) In(format int) bool { return format > 1 || e != EventTaken }

// Kind is the type of a notification.
type Kind string

// The kinds of notification.
const (
	IncomingCallReceived          Kind = "incoming_call_received"
	IncomingCallAnsweredElsewhere Kind = "incoming_call_answered_elsewhere"
	IncomingCallDeclinedElsewhere Kind = "incoming_call_declined_elsewhere"
	IncomingCallCanceled          Kind = "incoming_call_canceled"
	IncomingCallTimeout           Kind = "incoming_call_timeout"
	OutgoingCallRinging           Kind = "outgoing_call_ringing"
	OutgoingCallAccepted          Kind = "outgoing_call_accepted"
	OutgoingCallDeclined          Kind = "outgoing_call_declined"
	OutgoingCallRejectedCauseBusy Kind = "outgoing_call_rejected_cause_busy"
	OutgoingCallTimeout           Kind = "outgoing_call_timeout"
	ParticipantJoined             Kind = "participant_joined"
	ParticipantLeft               Kind = "participant_left"
	CallTaken                     Kind = "call_taken"
	CallEnded                     Kind = "call_ended"
)

// Kinds lists every kind of notification.
func Kinds() []Kind {
	return []Kind{
		IncomingCallReceived, IncomingCallAnsweredElsewhere, IncomingCallDeclinedElsewhere, IncomingCallCanceled,
		IncomingCallTimeout, OutgoingCallRinging, OutgoingCallAccepted, OutgoingCallDeclined,
		OutgoingCallRejectedCauseBusy, OutgoingCallTimeout, ParticipantJoined, ParticipantLeft, CallTaken,
		CallEnded,
	}
}

// CallState is the state of a call. It only moves forward: ringing, active, ended.
type CallState string

// The states of a call.
const (
	CallStateRinging CallState = "ringing"
	CallStateActive  CallState = "active"
	CallStateEnded   CallState = "ended"
)

// PartyState is the state of a user in a call. A caller is either in or left; a callee is never in.
type PartyState string

// The states of a party. StateLeft and all later ones are final for the attempt.
const (
	StateIn       PartyState = "in"
	StateInvited  PartyState = "invited"
	StateRinging  PartyState = "ringing"
	StateAccepted PartyState = "accepted"
	StateLeft     PartyState = "left"
	StateDeclined PartyState = "declined"
	StateBusy     PartyState = "busy"
	StateCanceled PartyState = "canceled"
	StateTimedOut PartyState = "timed_out"
)

// PartyStates lists every state of a party.
func PartyStates() []PartyState {
	return []PartyState{
		StateIn, StateInvited, StateRinging, StateAccepted, StateLeft, StateDeclined, StateBusy, StateCanceled,
		StateTimedOut,
	}
}

// Reason is why a callee's attempt ended. A caller has a reason only if it is ReasonLost.
type Reason string

// The reasons of a callee.
const (
	ReasonDeclined Reason = "declined"
	ReasonBusy     Reason = "busy"      // the callee reported busy
	ReasonLineBusy Reason = "line_busy" // the callee's line was full
	ReasonCanceled Reason = "canceled"
	ReasonTimedOut Reason = "timed_out"
	ReasonLeft     Reason = "left"
	ReasonEnded    Reason = "ended" // the call ended before the attempt did
	ReasonLost     Reason = "lost"  // the device that the party was in with is gone

	ReasonNotReached Reason = "not_reached" // no device confirmed in time that it rings
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{
		ReasonDeclined, ReasonBusy, ReasonLineBusy, ReasonCanceled, ReasonTimedOut, ReasonLeft, ReasonEnded,
		ReasonLost, ReasonNotReached,
	}
}

// In reports whether calls of the format have the reason.
func (r Reason) In(format int) bool {
	return format > 1 || r != ReasonLost && r != ReasonNotReached
}

// EndReason is why a call ended.
type EndReason string

// The end reasons. The last three apply to calls that never rang on any device.
const (
	EndCompleted   EndReason = "completed"
	EndDeclined    EndReason = "declined"
	EndBusy        EndReason = "busy"
	EndTimedOut    EndReason = "timed_out"
	EndCanceled    EndReason = "canceled"
	EndExpired     EndReason = "expired"
	EndServerEnded EndReason = "server_ended"
	EndCallerBusy  EndReason = "caller_busy"
	EndMerged      EndReason = "merged"
	EndFailed      EndReason = "failed"
)

// EndReasons lists every end reason.
func EndReasons() []EndReason {
	return []EndReason{
		EndCompleted, EndDeclined, EndBusy, EndTimedOut, EndCanceled, EndExpired, EndServerEnded, EndCallerBusy,
		EndMerged, EndFailed,
	}
}

// DeadlineKind is the kind of a deadline. A ring deadline and the maximum duration of a call have the empty kind.
type DeadlineKind string

// DeadlineReach is the kind of the time by which a device of a callee must confirm that it rings.
const DeadlineReach DeadlineKind = "reach"

// CallType is the media type of a call. Ringline only transports it.
type CallType int

// The call types.
const (
	CallTypeVoice CallType = 0
	CallTypeVideo CallType = 1
)

// ByKind is the kind of an actor.
type ByKind string

// The kinds of actor.
const (
	ByUser    ByKind = "user"
	ByService ByKind = "service"
	ByTimer   ByKind = "timer"
)

// The names of Ringline's own services.
const (
	ServiceTimeouts    = "timeouts"    // the only sender of expire
	ServiceCoordinator = "coordinator" // the sender of fences
	ServicePresence    = "presence"    // the only sender of drop
)
