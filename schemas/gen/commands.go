package main

import (
	"fmt"
	"math"

	"ringline.io/ringline/events"
)

// commands returns the schemas of all commands and of the api requests for them, one per verb.
func commands() map[string]obj {
	all := map[string]obj{}
	for _, v := range events.Verbs() {
		all["command/"+string(v)] = command(v)
		if v.Served() {
			all["request/"+string(v)] = request(v)
		}
	}
	return all
}

func command(v events.Verb) obj {
	id := need("command_id", token("The idempotency key, chosen by the sender. A repeat with the same id from the same sender changes nothing "+
		"and gets the same answer."))
	return withSender(v, []string{"device_id", "via"}, strict("Command "+string(v), verbMeaning(v)+" Parsed strictly: an unknown field is an error. "+
		"The app and the call come from the subject.", append(append([]field{id}, verbFields(v)...), via())...))
}

// via returns the field that only edges set. Requests do not have it.
func via() field {
	return may("via", oneOf("How the command arrived. Only edges set it, and only together with user_id. Without it the command comes from the backend.",
		[]events.Via{events.ViaSession, ""}, func(v events.Via) string {
			if v == "" {
				return "unset"
			}
			return "from a client session"
		}))
}

// request is the schema of a command with its call id.
func request(v events.Verb) obj {
	id := may("command_id", unsettable(token("The idempotency key, chosen by the sender. If it is missing, the api generates one.")))
	call := need("call_id", token("The call."))
	if v == events.VerbInvite {
		call = may("call_id", unsettable(token("The call. By default the api derives one from user_id and command_id with a secret of the app, "+
			"so that a retry never rings twice and the id can't be guessed.")))
	}
	return withSender(v, []string{"device_id"}, strict("Request "+string(v), verbMeaning(v)+" The command of the same name, with its call_id.",
		append([]field{id, call}, verbFields(v)...)...))
}

// withSender requires exactly one of user_id and service if both are possible, and forbids the user's fields for a
// service.
func withSender(v events.Verb, ofUser []string, schema obj) obj {
	if v.UsersOnly() {
		return schema
	}
	empty := obj{{"maxLength", 0}}
	set := obj{{"minLength", 1}}
	service := obj{{"service", set}, {"user_id", empty}}
	for _, name := range ofUser {
		service = append(service, member{name, empty})
	}
	return schema.with(member{"oneOf", []obj{
		requires("user_id").with(member{"properties", obj{{"user_id", set}, {"service", empty}}}),
		requires("service").with(member{"properties", service}),
	}})
}

func sender(v events.Verb) []field {
	device := may("device_id", unsettable(name("The device that sends it.")))
	if v == events.VerbTake {
		device = need("device_id", name("The device that sends it, and that the user is in the call with from then on."))
	}
	if v.UsersOnly() {
		return []field{
			need("user_id", name("The user who sends it.")),
			may("service", constant("", "A service can't send this command: only the empty string is allowed, which counts as unset.")),
			device,
		}
	}
	return []field{
		may("user_id", unsettable(name("The user who sends it. Exactly one of user_id and service."))),
		may("service", unsettable(token("The service that sends it. Exactly one of user_id and service."))),
		device,
	}
}

func verbFields(v events.Verb) []field {
	return append(sender(v), ownFields(v)...)
}

func data(about string) field { return may("custom_data", customData(about)) }

func attempt() field {
	return may("attempt", integer("The attempt that the sender saw. If it is not the callee's newest, the answer is not_pending.",
		1, at(math.MaxInt32)))
}

// seen is the version of the call that a decision of its sender is based on.
func seen(about string) field {
	return may("seen", integer("The seq of the newest version of the call that the sender has seen. "+about, 1, at(math.MaxInt32)))
}

// seenByHangUp is the field seen of a command that takes its sender out of a call, or withdraws it.
func seenByHangUp(more string) field {
	return seen("If another device of the sender has answered or taken the call since, the answer is answered_elsewhere, with the call." + more)
}

func callees() field {
	return need("callees", list(obj{{"$ref", ref("part/party")}}, fmt.Sprintf("The users to invite, each once, without the caller. "+
		"A call has at most %d callees in total, including those who were invited before. An app may allow fewer.", events.MaxCallees),
		member{"minItems", 1}, member{"maxItems", events.MaxCallees}, member{"uniqueItems", true}))
}

func ringTimeout() field {
	return may("ring_timeout_s", integer("How long it rings, in seconds. By default 60, or the app's setting.",
		events.MinRingTimeoutS, at(events.MaxRingTimeoutS)))
}
