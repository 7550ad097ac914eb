package main

import "ringline.io/ringline/events"

// Meanings of the words of closed sets. The meanings of error codes are next to their constants (codes.go).

func verbMeaning(v events.Verb) string {
	switch v {
	case events.VerbInvite:
		return "Begins a call: the callees ring."
	case events.VerbAdd:
		return "Invites more callees into a call, or again whoever declined, did not answer, was busy, canceled or left."
	case events.VerbRing:
		return "Says that a device of the callee rings. A client sends it once for each attempt that it shows."
	case events.VerbAccept:
		return "Answers the call. Of several devices the first wins, also after the deadline, as long as the callee pends."
	case events.VerbDecline:
		return "Refuses the call, or says that the callee is busy."
	case events.VerbCancel:
		return "Withdraws the invitation of callees who have not answered."
	case events.VerbLeave:
		return "Takes the sender out of the call. Of a callee who has not answered it is a decline; of the caller, before " +
			"any answer, a cancel of all."
	case events.VerbEnd:
		return "Ends the call for everybody."
	case events.VerbExpire:
		return "Times out whoever has not answered by his deadline, and ends a call at its maximum duration. Only Ringline's own " +
			"service timeouts sends it; by anybody else it is permission_denied."
	}
	return ""
}

func eventMeaning(e events.Event) string {
	switch e {
	case events.EventInvited:
		return "The call was made: its callees ring, or are busy or timed out already. Also of a call that was born ended " +
			"(caller_busy, merged)."
	case events.EventRinging:
		return "The first device of a callee rings."
	case events.EventAccepted:
		return "A callee answered, also by an invitation of his own that crossed this one (glare)."
	case events.EventDeclined:
		return "A callee refused, or said that he is busy."
	case events.EventCanceled:
		return "Invitations were withdrawn."
	case events.EventTimedOut:
		return "Callees did not answer by their deadline."
	case events.EventAdded:
		return "More callees were invited, or some anew."
	case events.EventLeft:
		return "Somebody who was in the call left it."
	case events.EventEnded:
		return "The call was ended for everybody, by an end or by its maximum duration."
	case events.EventFenced:
		return "Moves the call's sequence on and changes nothing, or takes an id out of use (end_reason failed). It is told to nobody."
	}
	return ""
}

func callStateMeaning(s events.CallState) string {
	switch s {
	case events.CallStateRinging:
		return "nobody has answered yet"
	case events.CallStateActive:
		return "somebody has answered"
	case events.CallStateEnded:
		return "over; it stays as it is"
	}
	return ""
}

func callStates() []events.CallState {
	return []events.CallState{events.CallStateRinging, events.CallStateActive, events.CallStateEnded}
}

func partyStateMeaning(s events.PartyState) string {
	switch s {
	case events.StateIn:
		return "the caller is in the call"
	case events.StateInvited:
		return "invited; no device has said that it rings"
	case events.StateRinging:
		return "a device rings"
	case events.StateAccepted:
		return "answered, and in the call"
	case events.StateLeft:
		return "was in the call and is no more"
	case events.StateDeclined:
		return "refused"
	case events.StateBusy:
		return "busy: said so, or the line was full"
	case events.StateCanceled:
		return "the invitation was withdrawn, or the call ended"
	case events.StateTimedOut:
		return "did not answer in time"
	}
	return ""
}

// callerStates lists the states of a caller. A callee has all states except StateIn.
func callerStates() []events.PartyState { return []events.PartyState{events.StateIn, events.StateLeft} }

func calleeStates() []events.PartyState {
	var states []events.PartyState
	for _, s := range events.PartyStates() {
		if s != events.StateIn {
			states = append(states, s)
		}
	}
	return states
}

// terminal lists the final states of an attempt, which have a reason.
func terminal() []events.PartyState {
	return []events.PartyState{
		events.StateLeft, events.StateDeclined, events.StateBusy, events.StateCanceled, events.StateTimedOut,
	}
}

func reasonMeaning(r events.Reason) string {
	switch r {
	case events.ReasonDeclined:
		return "refused"
	case events.ReasonBusy:
		return "said that he is busy"
	case events.ReasonLineBusy:
		return "in too many calls already; nothing rang"
	case events.ReasonCanceled:
		return "the invitation was withdrawn"
	case events.ReasonTimedOut:
		return "did not answer in time"
	case events.ReasonLeft:
		return "left"
	case events.ReasonEnded:
		return "the call ended, whatever the cause"
	}
	return ""
}

func endReasonMeaning(r events.EndReason) string {
	switch r {
	case events.EndCompleted:
		return "somebody had answered, and then it was over"
	case events.EndDeclined:
		return "nobody answered; the last to fail refused"
	case events.EndBusy:
		return "nobody answered; the last to fail was busy"
	case events.EndTimedOut:
		return "nobody answered; the last to fail did not answer in time"
	case events.EndCanceled:
		return "nobody answered; the invitation was withdrawn"
	case events.EndExpired:
		return "reached its maximum duration"
	case events.EndServerEnded:
		return "a service ended it"
	case events.EndCallerBusy:
		return "never rang: the caller's own line was full"
	case events.EndMerged:
		return "never rang: it crossed an invitation the other way and was merged into that call (merged_into)"
	case events.EndFailed:
		return "never rang: its id was taken out of use, as its worker died or it was canceled before it was handled"
	}
	return ""
}

func byKindMeaning(k events.ByKind) string {
	switch k {
	case events.ByUser:
		return "a user: user_id, and device_id where it is known"
	case events.ByService:
		return "a service: service"
	case events.ByTimer:
		return "a deadline that came due"
	}
	return ""
}

func byKinds() []events.ByKind {
	return []events.ByKind{events.ByUser, events.ByService, events.ByTimer}
}
