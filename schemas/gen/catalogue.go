package main

import (
	"strings"

	"ringline.io/ringline/events"
)

// catalogue lists all channels, those that an integrator needs first at the top.
func catalogue() []channel {
	var list []channel
	for _, v := range events.Verbs() {
		list = append(list, commandChannel(v))
	}
	list = append(list, answerChannels()...)
	list = append(list, channel{
		id: "notifications", address: fill(events.UserSubjects, "app", "user"),
		about: "Live notifications to a user, on core NATS: they are not stored. Delivery is at least once and can be out of order: " +
			"drop duplicates by id, and keep the call with the greatest seq.",
		does: "receiveNotifications", action: "receive", summary: "Receive the notifications of a user.", messages: notificationMessages(),
	})
	for _, v := range events.Verbs() {
		if v.Served() {
			list = append(list, apiChannel(string(v), verbMeaning(v), "answer"))
		}
	}
	list = append(
		list,
		apiChannel("get", "Returns one call.", "reply.get"),
		apiChannel("line", "Returns the calls that a user is in.", "reply.line"),
		apiChannel("list", "Returns an app's open calls.", "reply.list"),
		apiChannel("present", "Renews the presence of a device that is in a call.", "reply.present"),
		channel{
			id: "inbox", about: "The reply subject of a request, as NATS clients create it. Ringline replies only to subjects that begin with _INBOX.",
			messages: []message{
				answerMessage(),
				{id: "reply.get", name: "reply.get", schema: "reply/get", title: "Reply to get"},
				{id: "reply.line", name: "reply.line", schema: "reply/line", title: "Reply to line"},
				{id: "reply.present", name: "reply.present", schema: "reply/present", title: "Reply to present"},
				{id: "reply.list", name: "reply.list", schema: "reply/list", title: "Reply to list"},
			},
		},
	)
	return append(list, streamChannels()...)
}

// fill replaces the wildcards of a pattern by parameters.
func fill(pattern string, names ...string) string {
	for _, n := range names {
		pattern = strings.Replace(pattern, "*", "{"+n+"}", 1)
	}
	return pattern
}

// does returns the name of an operation, or "" if integrators may not send the verb.
func does(action string, v string) string {
	if events.Verb(v).Internal() {
		return ""
	}
	return action + strings.ToUpper(v[:1]) + v[1:]
}

func commandChannel(v events.Verb) channel {
	return channel{
		id: "command." + string(v), address: events.CommandSubject("{app}", "{call}", v),
		about: "Stream RINGLINE_COMMANDS, at most 256 KiB per message. Stored commands are never dropped.",
		does:  does("send", string(v)), action: "send", summary: verbMeaning(v), reply: "answer", replyMessage: "answer",
		messages: []message{{
			id: "command." + string(v), name: string(v), schema: "command/" + string(v), title: "Command " + string(v),
			headers: "commandHeaders", correlated: true,
		}},
	}
}

func apiChannel(method, about, reply string) channel {
	return channel{
		id: "api." + method, address: events.APISubject("{app}", method), about: "Request and reply: the NATS micro service ringline.",
		does: does("request", method), action: "send", summary: about, reply: "inbox", replyMessage: reply,
		messages: []message{{id: "request." + method, name: method, schema: "request/" + method, title: "Request " + method}},
	}
}

func answerMessage() message {
	return message{id: "answer", name: "answer", schema: "answer", title: "Answer", correlated: true}
}

func answerChannels() []channel {
	const about = "The answer to a command, on core NATS. It is not stored, so subscribe before you send."
	return []channel{
		{
			id: "answer", address: events.AnswerSubject("{app}", "{token}"), about: about,
			does: "receiveAnswer", action: "receive", summary: "Receive the answer to a command.", messages: []message{answerMessage()},
		},
		{
			id: "answerOfProcess", address: events.AnswerSubject("{app}", "{process}.{token}"), about: about,
			does: "receiveAnswersOfProcess", action: "receive", summary: "Receive the answers to all commands of a process.",
			messages: []message{answerMessage()},
		},
	}
}

func notificationMessages() []message {
	var list []message
	for _, k := range events.Kinds() {
		list = append(list, message{
			id: "notification." + string(k), name: string(k), schema: "notification/" + string(k), title: "Notification " + string(k),
		})
	}
	return list
}

// streamChannels returns the channels that are read from streams instead of subscriptions.
func streamChannels() []channel {
	var transitions []message
	for format := 1; format <= events.NewestFormat; format++ {
		for _, e := range events.Events() {
			if !e.In(format) {
				continue
			}
			name := strings.ReplaceAll(versioned(string(e), format), "/", ".")
			transitions = append(transitions, message{
				id: "call." + name, name: name, schema: versioned("call/"+string(e), format), title: "Transition " + name,
				headers: "transitionHeaders", contentType: events.ContentType,
			})
		}
	}
	deadline := []message{{id: "deadline", name: "deadline", schema: "deadline", title: "Deadline"}}
	return []channel{
		{
			id: "events", address: fill(events.EventsSubjects, "app"),
			about: "The event log, stream RINGLINE_EVENTS (30 days by default): a copy of every transition. Read it through a consumer; " +
				"the durable pull consumer analytics exists. A plain subscription receives nothing.",
			does: "readEvents", action: "receive", summary: "Read the event log.", messages: transitions,
		},
		{
			id: "transitions", address: fill(events.TransitionSubjects, "app", "call"),
			about: "Stream RINGLINE_CALLS (24 h by default after the last one): the transitions of a call. The newest one has the current call. " +
				"Only coordinators publish here.",
			does: "readCall", action: "receive", summary: "Read the transitions of a call.", messages: transitions,
		},
		{
			id: "rejected", address: fill(events.RejectedSubjects, "app", "verb"),
			about: "Stream RINGLINE_REJECTED (7 days): malformed commands, each with the reason. The first 64 KiB of a command are kept.",
			does:  "readRejected", action: "receive", summary: "Read malformed commands and their errors.",
			messages: []message{{
				id: "rejected", name: "rejected", title: "A malformed command", headers: "rejectedHeaders",
				contentType: "application/octet-stream", payload: obj{{"description", "The published bytes."}},
			}},
		},
		{
			id: "sessions", address: fill(events.SessionSubjects, "app", "user"),
			about: "Stream RINGLINE_SESSIONS (24 h): connects and disconnects of client sessions.",
			does:  "readSessions", action: "receive", summary: "Read when devices of a user were connected.",
			messages: []message{{id: "session.event", name: "session.event", schema: "session/event", title: "Session event"}},
		},
		{
			id: "timer", address: "ringline.{app}.timer.{call}.{seq}", about: "Internal, stream RINGLINE_TIMERS: a deadline as a delayed message.",
			messages: deadline,
		},
		{
			id: "timerReach", address: "ringline.{app}.timer.{call}.{seq}.reach", about: "The same for a reach deadline (reach_s of the app).",
			messages: deadline,
		},
		{
			id: "due", address: "ringline.{app}.due.{call}.{seq}", about: "Internal, stream RINGLINE_TIMERS: a deadline that is due.",
			messages: deadline,
		},
		{
			id: "dueReach", address: "ringline.{app}.due.{call}.{seq}.reach", about: "The same for a reach deadline.",
			messages: deadline,
		},
	}
}
