package main

import "ringline.io/ringline/events"

// sessions returns the schemas of messages between clients and edges, except notifications, commands and answers.
func sessions() map[string]obj {
	return map[string]obj{
		"session/connect": open("Connect data", "What a client reports when it connects: the data of the connect command.",
			may("device", unsettable(name("The device: <stable part>.<part of the tab>. If the token names a device, it is that device, optionally followed by a dot "+
				"and more. By default the device of the token; without one the edge generates it."))),
			may("showing", list(token("A call id."), "The calls that the client still shows.", member{"maxItems", events.MaxShowing})),
		),
		"session/snapshot": open("Snapshot", "The current calls of a user: the data of the reply to connect. A call that the client shows and that is missing here is over.",
			snapshotFields()...),
		"session/push": open("Snapshot push", "A snapshot during a session, sent when notifications may have been lost. It arrives among the notifications, with the "+
			"event snapshot.",
			need("event", constant(events.PushSnapshot, "Marks it as a snapshot instead of a notification.")),
			need("snapshot", open("", "The current calls.", append(snapshotFields(),
				need("showing", list(token("A call id."), "The calls that the client shows, as far as the edge knows. Those that are missing in calls are over.")))...)),
		),
		"part/snapshot_call": open("Call of a snapshot", "A call and how long it still rings.",
			need("call", is("view/v2", "The call, as its receiver may see it.")),
			may("ring_remaining_ms", integer("How long it still rings for the receiver, in milliseconds, rounded down.", 0)),
		),
		"session/event": open("Session event", "The start or end of a client session. It is kept for a day, to find out why a device did not ring.",
			need("event", oneOf("What happened.", events.SessionChanges(), sessionEventMeaning)),
			need("time", dateTime("When.")),
			need("user_id", name("The user of the session.")),
			need("device_id", name("The device of the session.")),
			need("session", token("The session. Its start and its end have the same id.")),
			need("transport", str("websocket, http_stream or sse.")),
			need("edge", str("The edge that served it.")),
			may("code", integer("Why it ended: a code of centrifuge.", 0)),
			may("reason", str("The reason as text.")),
		),
	}
}

func snapshotFields() []field {
	return []field{
		need("server_time", dateTime("When it was read, by the clock of the edge. Clients use it instead of their own clock.")),
		need("user_id", name("The user of the session.")),
		need("device_id", name("The device of the session.")),
		need("calls", list(obj{{"$ref", ref("part/snapshot_call")}}, "The calls on the user's line, and those that the client shows, even if they have ended.")),
	}
}

func sessionEventMeaning(e events.SessionChange) string {
	if e == events.SessionConnected {
		return "it began"
	}
	return "it ended"
}
