package main

import "ringline.io/ringline/events"

func reasons(list ...events.Reason) []string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = string(r)
	}
	return words
}

// endings lists the reasons of call_ended: those of the receiver and those of the call.
func endings() []string {
	words := reasons(events.ReasonDeclined, events.ReasonBusy, events.ReasonCanceled, events.ReasonTimedOut, events.ReasonNotReached, events.ReasonLeft,
		events.ReasonLost)
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
