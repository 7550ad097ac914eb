package main

import (
	"slices"

	"ringline.io/ringline/events"
)

// parts returns the schemas that other schemas refer to.
func parts(codes map[events.Code]string) map[string]obj {
	return map[string]obj{
		"part/party":      party(),
		"part/by":         by(),
		"part/error":      refusal(codes),
		"part/refused":    refusedCallee(),
		"part/caller":     caller(1),
		"part/caller/v2":  caller(2),
		"part/callee":     callee(1),
		"part/callee/v2":  callee(2),
		"part/change":     change(1),
		"part/change/v2":  change(2),
		"part/remembered": remembered(),
		"part/entry":      entry(),
		"part/token_key":  tokenKey(),
	}
}

func party() obj {
	return strict(
		"Party", "A user, as an invitation names them.",
		need("user_id", name("The user.")),
		may("user_name", unsettable(userName("The display name."))),
	)
}

func by() obj {
	return open("By", "The actor that caused a change.",
		need("kind", oneOf("The kind of actor.", byKinds(), byKindMeaning)),
		may("user_id", name("The user, if kind is user.")),
		may("device_id", name("The device that the user sent it from, if it is known. Only that user, the caller and "+
			"services receive it.")),
		may("service", token("The service, if kind is service.")),
	).with(member{"allOf", []obj{
		when(has("kind", events.ByUser), requires("user_id")),
		when(has("kind", events.ByService), requires("service")),
	}})
}

func refusal(codes map[events.Code]string) obj {
	return open("Error", "Why a command was refused.",
		need("code", oneOf("The kind of refusal, for programs.", events.Codes(), func(c events.Code) string { return codes[c] })),
		need("message", str("A description for people. It names the field and the limit. The text may change between versions.")),
	)
}

// refusedCodes lists the codes with which an add refuses a callee.
func refusedCodes() []events.Code {
	return []events.Code{events.CodeAlreadyExists, events.CodeInvalidArgument}
}

func refusedCallee() obj {
	return open("Refused", "A callee that an add did not invite, although it invited others.",
		need("user_id", name("The user.")),
		need("code", oneOf("Why.", refusedCodes(), func(c events.Code) string {
			if c == events.CodeInvalidArgument {
				return "the user is the caller"
			}
			return "the user is pending or has accepted, or has changed since the version in seen"
		})),
	)
}

// reasonsIn lists the reasons of a callee in calls of the format.
func reasonsIn(format int) []events.Reason {
	return slices.DeleteFunc(events.Reasons(), func(r events.Reason) bool { return !r.In(format) })
}

// presence returns the fields that say how a party is in the call, in format 2.
func presence(version int) []field {
	if version == 1 {
		return nil
	}
	return []field{
		may("changed_seq", integer("The seq of the transition that began their present attempt, put them in the call with their present device, or "+
			"took them out. Ringing does not change it. Commands refer to it by seen.", 1)),
		may("watched", obj{
			{"description", "Whether a client session put them in the call. If that device has had no session for too long, they are dropped."},
			{"type", "boolean"},
		}),
	}
}

// pictures returns the picture of a party, in format 2.
func pictures(version int) []field {
	if version == 1 {
		return nil
	}
	return []field{may("avatar", avatar("The picture, from their accept or take."))}
}

// caller is the schema of a caller. Version 1 belongs to transitions of format 1.
func caller(version int) obj {
	fields := []field{
		need("user_id", name("The user.")),
		may("user_name", userName("The display name, from the invitation, or from the take of their present device.")),
		may("device_id", name("The device that they called from, if the invitation named one, or that took the call since. Only the caller and services receive it.")),
		need("state", oneOf("Whether the caller is in the call.", callerStates(), partyStateMeaning)),
	}
	if version > 1 {
		fields = append(fields, may("avatar", avatar("The picture, from their newest command that has one.")), may("reason", oneOf("Set only if they were dropped.", []events.Reason{events.ReasonLost}, reasonMeaning)))
	}
	fields = append(append(fields, need("at", dateTime("When the caller entered this state."))), presence(version)...)
	return open(titled("Caller", version), "The user who sent the invitation.", fields...)
}

// callee is the schema of a callee. Version 1 belongs to transitions of format 1.
func callee(version int) obj {
	data := may("custom_seq", integer("The seq of the transition whose custom data applies to the callee. 1 is call.custom_data, others are in "+
		"call.custom. Absent if there is no data. At first it is that of the add if it has data, otherwise that of the invitation. Accept, decline, cancel and "+
		"leave replace it, and so does the end or the caller's leave that ends the call, even if they carry none. Only the callee, the caller and services receive it.", 1))
	if version == 1 {
		data = may("custom_data", customData("At first that of the add if it has any, otherwise that of the call. Accept, decline, cancel and "+
			"leave replace it, and so does the end or the caller's leave that ends the call, even if they carry none. Only the callee, the caller and services receive it."))
	}
	fields := []field{
		need("user_id", name("The user.")),
		may("user_name", userName("The display name, from the command that invited them. Their own, from the accept or take, replaces it once they answer.")),
		need("attempt", integer("Counts the invitations of this user in this call, from 1.", 1)),
		need("invited_by", name("The sender of the invitation: a user id, or service:<service>.")),
		need("state", oneOf("The state of the attempt. It goes from invited and ringing to accepted and then left. From the "+
			"first two it can also go to declined, busy, canceled or timed_out. A terminal state never changes.", calleeStates(), partyStateMeaning)),
		may("reason", oneOf("Why the attempt is over. Set in a terminal state.", reasonsIn(version), reasonMeaning)),
		data,
		may("device_id", name("The device that answered or declined, or that took the call since. Only the callee, the caller and services receive it.")),
		may("ring_deadline", dateTime("When it stops ringing. Absent if the line was busy, and in a call that was created as ended.")),
		need("at", dateTime("When the callee entered this state.")),
	}
	if version > 1 {
		fields = append(fields, may("reach_deadline", dateTime("By when a device must confirm with ring that it rings. Otherwise the callee is timed_out with the "+
			"reason not_reached. Set if the app has reach_s and the attempt rang.")))
	}
	return open(titled("Callee", version), "The newest attempt to reach a user. There is one entry per user, at the position where they were first named.",
		append(append(fields, pictures(version)...), presence(version)...)...).with(when(has("state", terminal()...), requires("reason"))...)
}

// change is the schema of a change. Version 1 belongs to transitions of format 1.
func change(version int) obj {
	return open(titled("Change", version), "What a transition changed for one party.",
		need("user_id", name("The party: the caller or a callee.")),
		may("attempt", integer("The callee's attempt. Absent for the caller.", 1)),
		may("from", oneOf("The state before. Absent if an attempt or the call begins.", events.PartyStates(), partyStateMeaning)),
		need("to", oneOf("The state after.", events.PartyStates(), partyStateMeaning)),
		may("reason", oneOf("Why the attempt is over. Set with a callee's terminal state, and for a caller who was dropped.", reasonsIn(version), reasonMeaning)),
	)
}

func remembered() obj {
	return open("Remembered", "A command that the call remembers, so that a repeat changes nothing. Only "+
		"coordinators use it.",
		need("id", token("The command id.")),
		need("verb", oneOf("The verb of the command.", events.Verbs(), verbMeaning)),
		may("user_id", name("The sender, if it was a user.")),
		may("service", token("The sender, if it was a service.")),
		need("seq", integer("The transition that it caused.", 1)),
		may("callees", list(name("A user."), "For an add: the callees whose current attempt it created. The invitation created the attempts of all others.",
			member{"minItems", 1}, member{"uniqueItems", true})),
		may("attempt", integer("For a merged invitation: the attempt in the first call that it answers.", 1)),
	).with(member{"oneOf", []obj{requires("user_id"), requires("service")}})
}

func entry() obj {
	return open("Entry", "A call on a user's line.",
		need("call_id", token("The call.")),
		need("seq", integer("The call's sequence on which the claim is based. 0 if there was no call yet.", 0)),
		need("at", dateTime("When the line was claimed.")),
		may("command_id", token("The invite or add that claimed the line.")),
	)
}
