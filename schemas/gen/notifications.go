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
		return kindRule{about: "An invitation rings for its receiver.", data: "The callee's, as the invitation has it.", remains: always}
	case events.IncomingCallAnsweredElsewhere:
		return kindRule{
			about: "A device of the receiver answered. Told to all of his devices; a client acts on it only where by.device_id is not its own, " +
				"and then ends the call locally.",
			data: "The accept's.", remains: sometimes,
		}
	case events.IncomingCallDeclinedElsewhere:
		return kindRule{
			about: "A device of the receiver declined. Told to all of his devices; a client acts on it only where by.device_id is not its own, " +
				"and then ends the call locally.",
			reasons: reasons(events.ReasonDeclined, events.ReasonBusy), data: "The decline's.",
		}
	case events.IncomingCallCanceled:
		return kindRule{
			about:   "The receiver's invitation was withdrawn (canceled), or the call ended before he answered (ended).",
			reasons: reasons(events.ReasonCanceled, events.ReasonEnded), data: "The command's that caused it.",
		}
	case events.IncomingCallTimeout:
		return kindRule{about: "The receiver did not answer in time.", reasons: reasons(events.ReasonTimedOut), data: "The callee's."}
	case events.OutgoingCallRinging:
		return kindRule{about: "A device of the callee rings.", remains: always}
	case events.OutgoingCallAccepted:
		return kindRule{about: "The callee answered.", data: "The accept's.", remains: sometimes}
	case events.OutgoingCallDeclined:
		return kindRule{
			about: "The callee declined.", reasons: reasons(events.ReasonDeclined), data: "The decline's.", remains: sometimes,
		}
	case events.OutgoingCallRejectedCauseBusy:
		return kindRule{
			about:   "The callee is busy: he said so (busy), or his line was full and nothing rang (line_busy).",
			reasons: reasons(events.ReasonBusy, events.ReasonLineBusy),
			data:    "The decline's; where his line was full, the callee's as the invitation has it.", remains: sometimes, many: true,
		}
	case events.OutgoingCallTimeout:
		return kindRule{
			about: "The callee did not answer in time. One for each callee.", reasons: reasons(events.ReasonTimedOut),
			data: "The callee's.", remains: sometimes, many: true,
		}
	case events.ParticipantJoined:
		return kindRule{about: "A callee whom the receiver did not wait for answered.", remains: sometimes}
	case events.ParticipantLeft:
		return kindRule{
			about: "Somebody left the call, and it goes on.", reasons: reasons(events.ReasonLeft), data: "The leave's.", remains: sometimes,
		}
	case events.CallEnded:
		return kindRule{
			about: "The call is over for the receiver: for him alone, where user_id is there, or for everybody. " +
				"The last notification of a call that he gets.",
			reasons: endings(), data: "The command's that ended it.", whole: true,
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
		return "with user_id the receiver's own: " + reasonMeaning(events.Reason(word)) + "; else the call's end reason: " + endReasonMeaning(r)
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
	about := need("user_id", name("The callee, or participant, whom it is about."))
	if r.whole {
		about = may("user_id", name("The callee whom it is about, who is the receiver; not there where it is about the whole call."))
	}
	fields := []field{
		need("event", constant(k, "The kind of notification.")),
		need("id", str("<call>-<seq>-<k>, k counting from 0 what the receiver gets for that transition. Delivery is at least once: "+
			"drop what came before by receiver and id.", member{"pattern", "^" + tokenIn() + "-[1-9][0-9]*-[0-9]+$"})),
		need("call_id", token("The call.")),
		need("seq", integer("The transition that it tells of.", 1)),
		about,
	}
	if len(r.reasons) > 0 {
		fields = append(fields, need("reason", reasonOf(r)))
	}
	if r.data != "" {
		fields = append(fields, may("custom_data", customData(r.data+" Only whose it is, the caller and, where it ends the call for everybody, everybody is shown it.")))
	}
	whole := need("call", is("view/v2", "The call after it, as the receiver may see it."))
	if r.many {
		whole = may("call", is("view/v2", "The call after it, as the receiver may see it. Of several notifications of one transition to "+
			"one receiver the first has it, and call_ended; the others have neither call nor ring_remaining_ms. Who missed the first reads the call."))
	}
	fields = append(fields,
		need("by", is("part/by", "Who caused it.")),
		whole,
		need("server_time", moment("When it was sent, by the clock of the sending server: clients compare this and not their own.")),
	)
	left := integer("How long it still rings, in milliseconds, rounded down: until the receiver's own deadline, for who waits until the latest of "+
		"those whom he waits for.", 0)
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
