package main

import "ringline.io/ringline/events"

// parts returns the schemas that other schemas refer to.
func parts(codes map[events.Code]string) map[string]obj {
	return map[string]obj{
		"part/party":      party(),
		"part/by":         by(),
		"part/error":      refusal(codes),
		"part/caller":     caller(),
		"part/callee":     callee(1),
		"part/callee/v2":  callee(2),
		"part/change":     change(),
		"part/remembered": remembered(),
		"part/entry":      entry(),
		"part/token_key":  tokenKey(),
	}
}

func party() obj {
	return strict(
		"Party", "A user as an invitation names him.",
		need("user_id", name("The user.")),
		may("user_name", unsettable(userName("The name to show."))),
	)
}

func by() obj {
	return open("By", "Who caused something.",
		need("kind", oneOf("What kind of actor it was.", byKinds(), byKindMeaning)),
		may("user_id", name("The user, where kind is user.")),
		may("device_id", name("The device that the user sent it from, where it is known. Only the user himself, the caller and "+
			"services are shown it.")),
		may("service", token("The service, where kind is service.")),
	).with(member{"allOf", []obj{
		when(has("kind", events.ByUser), requires("user_id")),
		when(has("kind", events.ByService), requires("service")),
	}})
}

func refusal(codes map[events.Code]string) obj {
	return open("Error", "Why a command was refused.",
		need("code", oneOf("What kind of refusal it is, for programs.", events.Codes(), func(c events.Code) string { return codes[c] })),
		need("message", str("What is wrong, in words, for people: it names the field and the limit. Its text is no promise.")),
	)
}

func caller() obj {
	return open("Caller", "Who made the invitation.",
		need("user_id", name("The user.")),
		may("user_name", userName("The name to show, from the invitation.")),
		may("device_id", name("The device that he called from, where the invitation named one. Only the caller and services are shown it.")),
		need("state", oneOf("Whether the caller is in the call.", callerStates(), partyStateMeaning)),
		need("at", moment("When the caller came into this state.")),
	)
}

// callee is the schema of a callee. Version 1 belongs to transitions of format 1.
func callee(version int) obj {
	data := may("custom_seq", integer("The seq of the transition whose custom data applies to the callee: 1 is call.custom_data, others are in "+
		"call.custom. Not there where there is no data. It is the add's where it has data, else the invitation's. Accept, decline, cancel and "+
		"leave replace it, and so do the end or the caller's leave that ends the call, also by none. Only the callee, the caller and services are shown it.", 1))
	if version == 1 {
		data = may("custom_data", customData("Of the invitation, at first: the add's where it has one, else the call's. Accept, decline, cancel and "+
			"leave replace it, and so do the end or the caller's leave that ends the call, also by nothing. Only the callee, the caller and services are shown it."))
	}
	return open(titled("Callee", version), "The newest attempt to reach somebody. There is one entry a user, at the place where he was first named.",
		need("user_id", name("The user.")),
		may("user_name", userName("The name to show, from the command that invited him.")),
		need("attempt", integer("Counts the invitations of this user in this call, from 1.", 1)),
		need("invited_by", name("Who invited him: a user id, or service:<service>.")),
		need("state", oneOf("What became of the attempt. It goes from invited over ringing to accepted and left, or from the "+
			"first two to declined, busy, canceled or timed_out; a terminal state stays.", calleeStates(), partyStateMeaning)),
		may("reason", oneOf("Why the attempt is over; there with a terminal state.", events.Reasons(), reasonMeaning)),
		data,
		may("device_id", name("The device that answered or declined. Only the callee, the caller and services are shown it.")),
		may("ring_deadline", moment("Until when it rings. Not there where the line was busy, and in a call that was born ended.")),
		need("at", moment("When the callee came into this state.")),
	).with(when(has("state", terminal()...), requires("reason"))...)
}

func change() obj {
	return open("Change", "What a transition did to one party.",
		need("user_id", name("The party: the caller or a callee.")),
		may("attempt", integer("The callee's attempt; not there for the caller.", 1)),
		may("from", oneOf("The state before; not there where an attempt, or the call, begins.", events.PartyStates(), partyStateMeaning)),
		need("to", oneOf("The state after.", events.PartyStates(), partyStateMeaning)),
		may("reason", oneOf("Why the attempt is over; there with a callee's terminal state.", events.Reasons(), reasonMeaning)),
	)
}

func remembered() obj {
	return open("Remembered", "A command that the call remembers, so that a repeat changes nothing. It is the coordinator's own "+
		"memory and means nothing to others.",
		need("id", token("The command id.")),
		need("verb", oneOf("What the command asked for.", events.Verbs(), verbMeaning)),
		may("user_id", name("The sender, where it was a user.")),
		may("service", token("The sender, where it was a service.")),
		need("seq", integer("The transition that it made.", 1)),
		may("callees", list(name("A user."), "Of an add: those whose present attempt it made. Whom no add names the invitation made.",
			member{"minItems", 1}, member{"uniqueItems", true})),
		may("attempt", integer("Of a merged invitation: the attempt in the first call that it answers.", 1)),
	).with(member{"oneOf", []obj{requires("user_id"), requires("service")}})
}

func entry() obj {
	return open("Entry", "A call on a user's line.",
		need("call_id", token("The call.")),
		need("seq", integer("The call's sequence on which the claim was decided; 0 where there was no call yet.", 0)),
		need("at", moment("When it was claimed.")),
		may("command_id", token("The invite or add that claimed it.")),
	)
}
