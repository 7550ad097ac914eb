package main

import "ringline.io/ringline/events"

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

func reasons(list ...events.Reason) []string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = string(r)
	}
	return words
}

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
		return kindRule{about: "The receiver did not answer in time.", reasons: reasons(events.ReasonTimedOut), data: "The callee's."}
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
			about: "The callee did not answer in time. One for each callee.", reasons: reasons(events.ReasonTimedOut),
			data: "The callee's.", remains: sometimes, many: true,
		}
	case events.ParticipantJoined:
		return kindRule{about: "A callee answered whose answer the receiver was not waiting for.", remains: sometimes}
	case events.ParticipantLeft:
		return kindRule{
			about: "A party left the call, and the call continues.", reasons: reasons(events.ReasonLeft), data: "That of the leave.", remains: sometimes,
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

// endings lists the reasons of call_ended: those of the receiver and those of the call.
func endings() []string {
	words := reasons(events.ReasonDeclined, events.ReasonBusy, events.ReasonCanceled, events.ReasonTimedOut, events.ReasonLeft)
	for _, r := range []events.EndReason{events.EndCompleted, events.EndExpired, events.EndServerEnded} {
		words = append(words, string(r))
	}
	return words
}

func endingMeaning(word string) string {
	switch r := events.EndReason(word); r {
	case events.EndCompleted, events.EndExpired, events.EndServerEnded:
		return "the call's end reason: " + endReasonMeaning(r)
	case events.EndDeclined, events.EndBusy, events.EndCanceled, events.EndTimedOut:
		return "with user_id, the receiver's own: " + reasonMeaning(events.Reason(word)) + "; otherwise the call's end reason: " + endReasonMeaning(r)
	case events.EndCallerBusy, events.EndMerged, events.EndFailed:
	}
	return "the receiver's own: " + reasonMeaning(events.Reason(word))
}

// notifications returns the schemas of all notifications, one per kind.
func notifications() map[string]obj {
	all := map[string]obj{}
	for _, k := range events.Kinds() {
		all["notification/"+string(k)] = notification(k, rule(k))
	}
	return all
}

func notification(k events.Kind, r kindRule) obj {
	about := need("user_id", name("The callee or participant that it is about."))
	if r.whole {
		about = may("user_id", name("The callee that it is about, who is the receiver. Absent if it is about the whole call."))
	}
	fields := []field{
		need("event", constant(k, "The kind of notification.")),
		need("id", str("<call>-<seq>-<k>. k counts from 0 the notifications that the receiver gets for that transition. Delivery is at least once: "+
			"drop duplicates by receiver and id.", member{"pattern", "^" + tokenIn() + "-[1-9][0-9]*-[0-9]+$"})),
		need("call_id", token("The call.")),
		need("seq", integer("The transition that it reports.", 1)),
		about,
	}
	if len(r.reasons) > 0 {
		fields = append(fields, need("reason", reasonOf(r)))
	}
	if r.data != "" {
		fields = append(fields, may("custom_data", customData(r.data+" Only its owner and the caller receive it. If it ends the call for all parties, all of them receive it.")))
	}
	whole := need("call", is("view/v2", "The call after it, as the receiver may see it."))
	if r.many {
		whole = may("call", is("view/v2", "The call after it, as the receiver may see it. If one transition causes several notifications to "+
			"one receiver, the first and call_ended have it. The others have neither call nor ring_remaining_ms. A receiver that missed the first reads the call."))
	}
	fields = append(fields,
		need("by", is("part/by", "The actor that caused it.")),
		whole,
		need("server_time", dateTime("When it was sent, by the clock of the sending server. Clients use it instead of their own clock.")),
	)
	left := integer("How long it still rings, in milliseconds, rounded down. For a callee it counts to their own deadline. For a party who waits "+
		"for answers it counts to the latest of those deadlines.", 0)
	switch r.remains {
	case never:
	case sometimes:
		fields = append(fields, may("ring_remaining_ms", left))
	case always:
		fields = append(fields, need("ring_remaining_ms", left))
	}
	return open("Notification "+string(k), r.about, fields...)
}

func reasonOf(r kindRule) obj {
	if r.whole {
		return oneOf("Why it is over.", r.reasons, endingMeaning)
	}
	return oneOf("Why.", r.reasons, func(w string) string { return reasonMeaning(events.Reason(w)) })
}
