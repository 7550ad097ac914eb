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
	id := need("command_id", token("The idempotency key, chosen by the sender: the same id from the same sender again changes nothing "+
		"and gets the same answer."))
	return withSender(v, []string{"device_id", "via"}, strict("Command "+string(v), verbMeaning(v)+" Read strictly: an unknown field is an error. "+
		"Its app and its call come from the subject.", append(append([]field{id}, verbFields(v)...), via())...))
}

// via returns the field that only edges set. Requests do not have it.
func via() field {
	return may("via", oneOf("By what way it came. Only edges set it, and it goes with user_id only; without it a command is the backend's.",
		[]events.Via{events.ViaSession, ""}, func(v events.Via) string {
			if v == "" {
				return "unset"
			}
			return "from a client session"
		}))
}

// request is the schema of a command with its call id.
func request(v events.Verb) obj {
	id := may("command_id", unsettable(token("The idempotency key, chosen by the sender; one is made where it is missing.")))
	call := need("call_id", token("The call."))
	if v == events.VerbInvite {
		call = may("call_id", unsettable(token("The call. By default one that is derived from user_id and command_id with a secret of the app, "+
			"so that a retry never rings twice and nobody can guess it.")))
	}
	return withSender(v, []string{"device_id"}, strict("Request "+string(v), verbMeaning(v)+" The command of the same name with its call_id.",
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
	device := may("device_id", unsettable(name("The device that the user sends it from.")))
	if wantsUser(v) {
		return []field{
			need("user_id", name("The user who sends it.")),
			may("service", constant("", "A service can't send this: only the empty string, which counts as unset.")),
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
			data("Carried to every callee and shown to everybody in the call."),
			may("user_name", unsettable(userName("The caller's name, to show."))),
			need("call_type", callType("What the call is for.")),
			may("room_id", unsettable(name("The media room; by default the call id."))),
			callees(),
			ringTimeout(),
		}
	case events.VerbAdd:
		return []field{
			data("Carried to these callees in the place of the invitation's."),
			callees(),
			ringTimeout(),
		}
	case events.VerbRing:
		return []field{attempt()}
	case events.VerbAccept:
		return []field{data("Told to the caller."), attempt()}
	case events.VerbDecline:
		return []field{
			data("Told to the caller."),
			may("reason", oneOf("Why; by default declined.", []events.Reason{events.ReasonDeclined, events.ReasonBusy, ""},
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
			data("Told to those whose invitation is withdrawn."),
			may("callees", list(name("A callee's user id."), "Whose invitation to withdraw; by default that of all who pend and whom the sender may cancel.",
				member{"minItems", 1}, member{"maxItems", events.MaxCallees}, member{"uniqueItems", true})),
		}
	case events.VerbLeave:
		return []field{data("Told to the caller; the caller's own, where it ends the call, to everybody."), attempt()}
	case events.VerbEnd:
		return []field{data("Told to everybody in the call.")}
	case events.VerbExpire:
	}
	return nil
}

func data(about string) field { return may("custom_data", customData(about)) }

func attempt() field {
	return may("attempt", integer("The attempt that the sender saw. If another one is the callee's newest, the answer is not_pending.",
		1, at(math.MaxInt32)))
}

func callees() field {
	return need("callees", list(obj{{"$ref", ref("part/party")}}, fmt.Sprintf("Whom to invite: nobody twice, and not the caller. "+
		"At most %d in a call, all in all, counting those who were invited before; an app may allow fewer.", events.MaxCallees),
		member{"minItems", 1}, member{"maxItems", events.MaxCallees}, member{"uniqueItems", true}))
}

func ringTimeout() field {
	return may("ring_timeout_s", integer("How long it rings, in seconds; by default 60, or what the app sets.",
		events.MinRingTimeoutS, at(events.MaxRingTimeoutS)))
}
