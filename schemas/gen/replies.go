package main

import (
	"fmt"

	"ringline.io/ringline/events"
)

// replies returns the schemas of the answer, of read requests, and of their replies.
func replies() map[string]obj {
	return map[string]obj{
		"answer":       answer(),
		"request/get":  strict("Request get", "Asks for one call.", need("call_id", token("The call."))),
		"request/line": strict("Request line", "Asks for the calls that a user is in.", need("user_id", name("The user."))),
		"request/list": listRequest(),
		"request/present": strict("Request present", fmt.Sprintf("Says that a device is in a call, for example on behalf of a media server: presence counts it as connected for %d s. "+
			"Repeat it before. It is not stored, and Ringline does not check that there is such a call.", int(events.PresentFor.Seconds())),
			need("call_id", token("The call.")), need("user_id", name("The party.")), need("device_id", name("The device that they are in the call with."))),
		"reply/present": reply("present", "The edges were informed.", "present_until", dateTime("When it ends, in broker time, unless it is renewed.")),
		"reply/get":     reply("get", "The call, in a service's view.", "call", is("view/v2", "The call.")),
		"reply/line": reply("line", "The calls that a user is in, as caller or as a callee who rings or has accepted.",
			"calls", list(token("A call id."), "The ids of the calls.")),
		"reply/list": reply("list", "An app's open calls, the newest first, in a service's view.",
			"calls", list(obj{{"$ref", ref("view/v2")}}, "The calls.", member{"maxItems", events.MaxListLimit})),
	}
}

func okOr(more ...obj) member {
	return member{"oneOf", append(more, requires("error").with(member{"properties", obj{{"ok", obj{{"const", false}}}}}))}
}

func succeeded(names ...string) obj {
	return requires(names...).with(member{"properties", obj{{"ok", obj{{"const", true}}}, {"error", false}}})
}

func okField() field {
	return need("ok", obj{{"description", "Whether the request succeeded. If not, error is set."}, {"type", "boolean"}})
}

func answer() obj {
	return open("Answer", "The answer to the sender of a command, if the sender asked for one. It is also the api's reply to a verb.",
		may("command_id", token("The id of the command. Absent if none could be read.")),
		okField(),
		may("error", is("part/error", "Why it was refused.")),
		may("refused", list(obj{{"$ref", ref("part/refused")}}, "The callees of an add that were not invited, in the order of the command. "+
			"Absent if all were. A repeat of the command has the same list, whatever has happened since.")),
		may("call", is("view/v2", "The call as the sender may see it. Always set with ok. With an error, set if the sender is a party of the call.")),
	).with(okOr(succeeded("command_id", "call")))
}

func reply(method, about, what string, schema obj) obj {
	return open("Reply "+method, about,
		okField(),
		may("error", is("part/error", "Why the request failed.")),
		may(what, schema),
	).with(okOr(succeeded(what)))
}

func listRequest() obj {
	states := []events.CallState{events.CallStateRinging, events.CallStateActive, ""}
	return strict("Request list", "Asks for an app's open calls. The body may also be empty.",
		may("state", oneOf("Only calls in this state. By default all open calls.", states, func(s events.CallState) string {
			if s == "" {
				return "unset"
			}
			return callStateMeaning(s)
		})),
		may("limit", integer(fmt.Sprintf("The maximum number of calls. By default %d.", events.DefaultListLimit), 1, at(events.MaxListLimit))),
	)
}

// kept returns the schemas of values in Ringline's own buckets and streams.
func kept() map[string]obj {
	return map[string]obj{
		"line": obj{{"title", "Line"}}.with(list(obj{{"$ref", ref("part/entry")}}, "The value of a user's key in RINGLINE_LINES: the calls on their line. "+
			"An entry counts while the user is in that call. Entries that no longer count are removed later: "+
			"send the api request line instead of reading this.")...),
		"app": appSettings(),
		"deadline": open("Deadline", "A deadline of a call: the body of a delayed message, before and after it is due.",
			need("call_id", token("The call.")),
			need("seq", integer("The transition that created it.", 1)),
			may("kind", oneOf("What is due. Absent for a ring deadline and for the maximum duration of the call.",
				[]events.DeadlineKind{events.DeadlineReach}, deadlineMeaning)),
			need("deadline", dateTime("When it is due.")),
		),
	}
}
