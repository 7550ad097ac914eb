package main

import (
	"math"

	"ringline.io/ringline/events"
)

// Meanings of the words of closed sets, and what a verb, an event and a kind of notification carries. The meanings of
// error codes are next to their constants (codes.go).

func verbMeaning(v events.Verb) string {
	switch v {
	case events.VerbInvite:
		return "Begins a call: the callees ring."
	case events.VerbAdd:
		return "Invites more callees into a call. It can also invite again a callee who declined, did not answer, was busy, was canceled or left. " +
			"Each callee has an outcome: those who are pending or have accepted, and the caller, are refused, and the others are invited. " +
			"If none is left to invite, the command fails with the code of the first."
	case events.VerbRing:
		return "Reports that a device of the callee rings. A client sends it once for each attempt that it shows."
	case events.VerbAccept:
		return "Answers the call. If several devices accept, the first wins. It also works after the deadline, as long as the callee is pending."
	case events.VerbDecline:
		return "Declines the call, or reports that the callee is busy."
	case events.VerbCancel:
		return "Withdraws the invitation of callees who have not answered."
	case events.VerbLeave:
		return "Takes the sender out of the call. From a callee who has not answered it is a decline. From the caller, before " +
			"any answer, it cancels all invitations."
	case events.VerbEnd:
		return "Ends the call for all parties."
	case events.VerbExpire:
		return "Times out callees who have not answered by their deadline, and ends a call at its maximum duration. Only Ringline's own " +
			"service timeouts may send it. From all other senders it is permission_denied."
	case events.VerbTake:
		return "Moves the call to the device that sends it: the caller's while they are in, or that of a callee who has accepted. " +
			"The device that was in the call before ends it locally. device_id is required."
	case events.VerbDrop:
		return "Takes a party whose device is gone out of the call, as their leave would, with the reason lost. Only Ringline's own service " +
			"presence may send it. From all other senders it is permission_denied. It changes nothing if it is older than 10 s, or if the party is not in " +
			"the call as they were at seen: with that device, since before, and with the call answered before if it is answered."
	}
	return ""
}

// ownFields returns the fields of a verb except ids.
func ownFields(v events.Verb) []field {
	switch v {
	case events.VerbInvite:
		return []field{
			data("Sent to every callee and visible to all parties of the call."),
			may("user_name", unsettable(userName("The caller's display name."))),
			may("user_avatar", unsettable(avatar("The caller's picture."))),
			need("call_type", callType("What the call is for.")),
			may("room_id", unsettable(name("The media room. By default the call id."))),
			callees(),
			ringTimeout(),
		}
	case events.VerbAdd:
		return []field{
			data("Sent to these callees instead of that of the invitation."),
			callees(),
			ringTimeout(),
			seen("A callee who was in the call or was invited after it is refused (already_exists)."),
		}
	case events.VerbRing:
		return []field{attempt()}
	case events.VerbAccept:
		return append([]field{data("Sent to the caller."), attempt()}, own()...)
	case events.VerbDecline:
		return []field{
			data("Sent to the caller."),
			may("reason", oneOf("The reason. By default declined.", []events.Reason{events.ReasonDeclined, events.ReasonBusy, ""},
				func(r events.Reason) string {
					if r == "" {
						return "unset"
					}
					return reasonMeaning(r)
				})),
			attempt(),
		}
	case events.VerbCancel:
		return []field{
			data("Sent to the callees whose invitation is withdrawn."),
			may("callees", list(name("A callee's user id."), "The callees whose invitations are withdrawn. By default all pending callees that the sender may cancel.",
				member{"minItems", 1}, member{"maxItems", events.MaxCallees}, member{"uniqueItems", true})),
			seenByHangUp(" Of the callees that it names, a cancel concerns only those who have not changed since (changed_seq)."),
		}
	case events.VerbLeave:
		return []field{
			data("Sent to the caller. If the caller's leave ends the call, it is sent to all parties."), attempt(),
			seenByHangUp(" From a callee who was invited again since, it is not_pending."),
		}
	case events.VerbEnd:
		return []field{data("Sent to all parties of the call."), seenByHangUp("")}
	case events.VerbTake:
		return append([]field{attempt(), seenByHangUp("")}, own()...)
	case events.VerbDrop:
		party := strict("", "The party whose device is gone: user_id, and the device_id that they are in the call with.",
			need("user_id", name("The user.")), need("device_id", name("The device.")))
		return []field{
			need("party", party),
			need("seen", integer("The seq of the call on which the party was judged to be gone.", 1, at(math.MaxInt32))),
		}
	case events.VerbExpire:
	}
	return nil
}

// own returns the fields with which a party introduces themselves.
func own() []field {
	return []field{
		may("user_name", unsettable(userName("The sender's display name, instead of the one that the call has for them."))),
		may("user_avatar", unsettable(avatar("The sender's picture, instead of the one that the call has for them."))),
	}
}

func eventMeaning(e events.Event) string {
	switch e {
	case events.EventInvited:
		return "The call was created. Its callees ring, or are already busy or timed out. A call may also be created as ended " +
			"(caller_busy, merged)."
	case events.EventRinging:
		return "The first device of a callee rings."
	case events.EventAccepted:
		return "A callee answered, or sent an invitation that crossed this one (glare)."
	case events.EventDeclined:
		return "A callee declined, or reported that they are busy."
	case events.EventCanceled:
		return "Invitations were withdrawn, or the caller was dropped before any answer."
	case events.EventTimedOut:
		return "Callees did not answer by their deadline, or no device of theirs confirmed by their reach deadline."
	case events.EventAdded:
		return "More callees were invited, or some were invited again."
	case events.EventLeft:
		return "A party who was in the call left it, or was dropped because their device is gone (lost)."
	case events.EventEnded:
		return "The call was ended for all parties, by an end or by its maximum duration."
	case events.EventTaken:
		return "A party moved the call to another of their devices."
	case events.EventFenced:
		return "Advances the call's sequence and changes nothing else, or takes an id out of use (end_reason failed). No party is notified."
	}
	return ""
}

// carriesData reports whether the commands that cause the event have custom data.
func carriesData(e events.Event) bool {
	switch e {
	case events.EventRinging, events.EventTimedOut, events.EventFenced, events.EventTaken:
		return false
	case events.EventInvited, events.EventAccepted, events.EventDeclined, events.EventCanceled, events.EventAdded,
		events.EventLeft, events.EventEnded:
	}
	return true
}

// changesNothing reports whether the event changes the state of no party.
func changesNothing(e events.Event) bool { return e == events.EventFenced || e == events.EventTaken }

// kindRule describes the notifications of a kind.
type kindRule struct {
	about   string
	reasons []string // empty: such a notification has no reason
	data    string   // source of the custom data; empty: no custom data
	remains remains
	whole   bool // it may be about the whole call
	many    bool // a receiver may get several for one transition
}

// remains says whether a notification has ring_remaining_ms.
type remains int

const (
	never remains = iota
	sometimes
	always
)

func rule(k events.Kind) kindRule {
	switch k {
	case events.IncomingCallReceived:
		return kindRule{about: "An invitation rings for its receiver.", data: "The callee's, from the invitation.", remains: always}
	case events.IncomingCallAnsweredElsewhere:
		return kindRule{
			about: "A device of the receiver answered. All of their devices receive it. A client acts on it only if by.device_id is not its own, " +
				"and then ends the call locally.",
			data: "That of the accept.", remains: sometimes,
		}
	case events.IncomingCallDeclinedElsewhere:
		return kindRule{
			about: "A device of the receiver declined. All of their devices receive it. A client acts on it only if by.device_id is not its own, " +
				"and then ends the call locally.",
			reasons: reasons(events.ReasonDeclined, events.ReasonBusy), data: "That of the decline.",
		}
	case events.IncomingCallCanceled:
		return kindRule{
			about:   "The receiver's invitation was withdrawn (canceled), or the call ended before they answered (ended).",
			reasons: reasons(events.ReasonCanceled, events.ReasonEnded), data: "That of the command that caused it.",
		}
	case events.IncomingCallTimeout:
		return kindRule{about: "The receiver did not answer in time.", reasons: reasons(events.ReasonTimedOut, events.ReasonNotReached), data: "The callee's."}
	case events.OutgoingCallRinging:
		return kindRule{about: "A device of the callee rings.", remains: always}
	case events.OutgoingCallAccepted:
		return kindRule{about: "The callee answered.", data: "That of the accept.", remains: sometimes}
	case events.OutgoingCallDeclined:
		return kindRule{
			about: "The callee declined.", reasons: reasons(events.ReasonDeclined), data: "That of the decline.", remains: sometimes,
		}
	case events.OutgoingCallRejectedCauseBusy:
		return kindRule{
			about:   "The callee is busy: they reported it (busy), or their line was full and nothing rang (line_busy).",
			reasons: reasons(events.ReasonBusy, events.ReasonLineBusy),
			data:    "That of the decline. If the line was full, the callee's, from the invitation.", remains: sometimes, many: true,
		}
	case events.OutgoingCallTimeout:
		return kindRule{
			about: "The callee did not answer in time. One for each callee.", reasons: reasons(events.ReasonTimedOut, events.ReasonNotReached),
			data: "The callee's.", remains: sometimes, many: true,
		}
	case events.ParticipantJoined:
		return kindRule{about: "A callee answered whose answer the receiver was not waiting for.", remains: sometimes}
	case events.ParticipantLeft:
		return kindRule{
			about: "A party left the call, and the call continues.", reasons: reasons(events.ReasonLeft, events.ReasonLost), data: "That of the leave.", remains: sometimes,
		}
	case events.CallTaken:
		return kindRule{
			about: "The receiver has moved the call to another of their devices, by.device_id. All of their devices receive it. The device that was in the " +
				"call before ends it locally.", remains: sometimes,
		}
	case events.CallEnded:
		return kindRule{
			about: "The call is over for the receiver: for the receiver alone if user_id is set, else for all parties. " +
				"It is the last notification of a call for a receiver.",
			reasons: endings(), data: "That of the command that ended it.", whole: true,
		}
	}
	return kindRule{}
}

func callStateMeaning(s events.CallState) string {
	switch s {
	case events.CallStateRinging:
		return "no callee has answered yet"
	case events.CallStateActive:
		return "a callee has answered"
	case events.CallStateEnded:
		return "ended; it does not change any more"
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
		return "invited; no device has reported that it rings"
	case events.StateRinging:
		return "a device rings"
	case events.StateAccepted:
		return "answered, and in the call"
	case events.StateLeft:
		return "was in the call and left it"
	case events.StateDeclined:
		return "declined"
	case events.StateBusy:
		return "busy: reported it, or the line was full"
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
		return "declined"
	case events.ReasonBusy:
		return "reported that they are busy"
	case events.ReasonLineBusy:
		return "already in too many calls; nothing rang"
	case events.ReasonCanceled:
		return "the invitation was withdrawn"
	case events.ReasonTimedOut:
		return "did not answer in time"
	case events.ReasonLeft:
		return "left"
	case events.ReasonEnded:
		return "the call ended, for any reason"
	case events.ReasonLost:
		return "the device that they were in the call with is gone"
	case events.ReasonNotReached:
		return "no device confirmed within the app's reach_s that it rings"
	}
	return ""
}

func deadlineMeaning(k events.DeadlineKind) string {
	return map[events.DeadlineKind]string{events.DeadlineReach: "a device of a callee must have confirmed by then that it rings"}[k]
}

func endReasonMeaning(r events.EndReason) string {
	switch r {
	case events.EndCompleted:
		return "it ended after a callee had answered"
	case events.EndDeclined:
		return "no callee answered; the last to fail declined"
	case events.EndBusy:
		return "no callee answered; the last to fail was busy"
	case events.EndTimedOut:
		return "no callee answered; the last to fail did not answer in time"
	case events.EndCanceled:
		return "no callee answered; the invitation was withdrawn"
	case events.EndExpired:
		return "reached its maximum duration"
	case events.EndServerEnded:
		return "a service ended it"
	case events.EndCallerBusy:
		return "never rang: the caller's own line was full"
	case events.EndMerged:
		return "never rang: it crossed an invitation in the other direction and was merged into that call (merged_into)"
	case events.EndFailed:
		return "never rang: its id was taken out of use, because its worker died or because it was canceled before it was processed"
	}
	return ""
}

func byKindMeaning(k events.ByKind) string {
	switch k {
	case events.ByUser:
		return "a user: user_id, and device_id if it is known"
	case events.ByService:
		return "a service: service"
	case events.ByTimer:
		return "a deadline that is due"
	}
	return ""
}

func byKinds() []events.ByKind {
	return []events.ByKind{events.ByUser, events.ByService, events.ByTimer}
}
