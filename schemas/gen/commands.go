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

// wantsUser reports whether a service can't send the verb.
func wantsUser(v events.Verb) bool {
	switch v {
	case events.VerbInvite, events.VerbRing, events.VerbAccept, events.VerbDecline, events.VerbLeave:
		return true
	case events.VerbAdd, events.VerbCancel, events.VerbEnd, events.VerbExpire:
	}
	return false
}

// withSender requires exactly one of user_id and service if both are possible, and forbids the user's fields for a
// service.
func withSender(v events.Verb, ofUser []string, schema obj) obj {
	if wantsUser(v) {
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
	if wantsUser(v) {
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

// ownFields returns the fields of a verb except ids.
func ownFields(v events.Verb) []field {
	switch v {
	case events.VerbInvite:
		return []field{
			data("Sent to every callee and visible to all parties of the call."),
			may("user_name", unsettable(userName("The caller's display name."))),
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
		}
	case events.VerbRing:
		return []field{attempt()}
	case events.VerbAccept:
		return []field{data("Sent to the caller."), attempt()}
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
		}
	case events.VerbLeave:
		return []field{data("Sent to the caller. If the caller's leave ends the call, it is sent to all parties."), attempt()}
	case events.VerbEnd:
		return []field{data("Sent to all parties of the call.")}
	case events.VerbExpire:
	}
	return nil
}

func data(about string) field { return may("custom_data", customData(about)) }

func attempt() field {
	return may("attempt", integer("The attempt that the sender saw. If it is not the callee's newest, the answer is not_pending.",
		1, at(math.MaxInt32)))
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
