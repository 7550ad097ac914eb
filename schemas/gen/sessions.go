package main

import "ringline.io/ringline/events"

// sessions returns the schemas of messages between clients and edges, except notifications, commands and answers.
func sessions() map[string]obj {
	return map[string]obj{
		"session/connect": open("Connect data", "What a client says of itself when it connects: the data of the connect command.",
			may("device", unsettable(name("The device, <stable part>.<the tab's own part>. Where the token names a device it is that, or that and a dot "+
				"and more. By default the token's, else one is made."))),
			may("showing", list(token("A call id."), "The calls that the client still shows.", member{"maxItems", events.MaxShowing})),
		),
		"session/snapshot": open("Snapshot", "How the calls of a user stand: the data of the reply to connect. What the client shows and is not there is over.",
			snapshotFields()...),
		"session/push": open("Snapshot push", "A snapshot on the way, where something may have been lost: it comes among the notifications, and has their "+
			"event snapshot.",
			need("event", constant(events.PushSnapshot, "That it is no notification.")),
			need("snapshot", open("", "How the calls stand.", append(snapshotFields(),
				need("showing", list(token("A call id."), "The calls that the edge takes the client to show: what is here and not among calls is over.")))...)),
		),
		"part/snapshot_call": open("Call of a snapshot", "A call and how long it still rings.",
			need("call", is("view/v2", "The call, as its receiver may see it.")),
			may("ring_remaining_ms", integer("How long it still rings for the receiver, in milliseconds, rounded down.", 0)),
		),
		"session/event": open("Session event", "That a client session began or ended, kept for a day for whoever asks why something did not ring.",
			need("event", oneOf("What happened.", events.SessionChanges(), sessionEventMeaning)),
			need("time", moment("When.")),
			need("user_id", name("Whose it is.")),
			need("device_id", name("On which device.")),
			need("session", token("The session. Both of its events have the same.")),
			need("transport", str("websocket, http_stream or sse.")),
			need("edge", str("Which edge it was on.")),
			may("code", integer("Why it ended: a code of centrifuge's.", 0)),
			may("reason", str("The same in words.")),
		),
	}
}

func snapshotFields() []field {
	return []field{
		need("server_time", moment("When it was read, by the clock of the edge: clients compare this and not their own.")),
		need("user_id", name("Whose session it is.")),
		need("device_id", name("On which device.")),
		need("calls", list(obj{{"$ref", ref("part/snapshot_call")}}, "The calls on the user's line, and those that the client shows, however they ended.")),
	}
}

func sessionEventMeaning(e events.SessionChange) string {
	if e == events.SessionConnected {
		return "it began"
	}
	return "it ended"
}
