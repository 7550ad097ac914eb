package main

import (
	"fmt"
	"strings"

	"ringline.io/ringline/events"
)

// asyncapi returns asyncapi.yaml: the subject of each message, and what an integrator does with it. The schemas
// describe the messages.
func asyncapi() ([]byte, error) {
	channels, operations, messages := obj{}, obj{}, obj{}
	for _, c := range catalogue() {
		channels = append(channels, member{c.id, c.channel()})
		if c.does != "" {
			operations = append(operations, member{c.does, c.operation()})
		}
		for _, m := range c.messages {
			if !hasMember(messages, m.id) {
				messages = append(messages, member{m.id, m.message()})
			}
		}
	}
	return yaml(from("asyncapi.yaml", obj{
		{"asyncapi", "3.0.0"},
		{"id", "urn:io:ringline"},
		{"info", obj{
			{"title", "Ringline"},
			{"version", "1.0.0"},
			{"description", about},
			{"license", obj{{"name", "Apache-2.0"}}},
		}},
		{"defaultContentType", "application/json"},
		{"servers", obj{{"nats", obj{
			{"host", "localhost:4222"},
			{"protocol", "nats"},
			{"description", "A NATS server or cluster with JetStream, prepared by `ringline setup`. `ringline dev` starts one."},
		}}}},
		{"channels", channels},
		{"operations", operations},
		{"components", obj{{"messages", messages}, {"schemas", headers()}, {"parameters", parameters()}}},
	}))
}

const about = `Call invitations over NATS: which users are called, which devices ring, and who answered, declined, was busy or did not answer.
The operations describe an integrator, who sends commands and receives answers, notifications and the event log.

A command is published on its call's subject, into the stream RINGLINE_COMMANDS. JetStream acknowledges it on the reply subject
as usual, which means "stored" and no more. To receive the outcome, send a token in the header Ringline-Answer and
subscribe to that answer. Alternatively, send a request to the api, which does both.

Transitions and the event log are read from streams through consumers. The rules behind the messages are in docs/reference.md:
permissions, outcomes and receivers of notifications. This file and the schemas are generated. A test compares them with the code.`

// channel is a subject with the operation that an integrator performs on it. does is empty if integrators do not use
// it.
type channel struct {
	id, address, about string
	does, action       string
	summary            string
	messages           []message
	reply              string // the channel of the reply
	replyMessage       string
}

// message is a message on a channel. schema is the name of the payload's schema.
type message struct {
	id, name, schema, title string
	headers                 string
	contentType             string
	payload                 obj // inline schema, instead of the field schema
	correlated              bool
}

func (c channel) channel() obj {
	list := obj{}
	for _, m := range c.messages {
		list = append(list, member{m.name, obj{{"$ref", "#/components/messages/" + m.id}}})
	}
	o := obj{{"address", c.address}}
	if c.address == "" {
		o = obj{{"address", nil}}
	}
	o = o.with(member{"description", c.about}, member{"messages", list})
	if in := parametersIn(c.address); len(in) > 0 {
		o = append(o, member{"parameters", in})
	}
	return o
}

func (c channel) operation() obj {
	list := make([]obj, len(c.messages))
	for i, m := range c.messages {
		list[i] = obj{{"$ref", "#/channels/" + c.id + "/messages/" + m.name}}
	}
	o := obj{
		{"action", c.action},
		{"channel", obj{{"$ref", "#/channels/" + c.id}}},
		{"summary", c.summary},
		{"messages", list},
	}
	if c.reply == "" {
		return o
	}
	return append(o, member{"reply", obj{
		{"channel", obj{{"$ref", "#/channels/" + c.reply}}},
		{"messages", []obj{{{"$ref", "#/channels/" + c.reply + "/messages/" + c.replyMessage}}}},
	}})
}

func (m message) message() obj {
	o := obj{{"name", m.id}, {"title", m.title}}
	if m.contentType != "" {
		o = append(o, member{"contentType", m.contentType})
	}
	if m.headers != "" {
		o = append(o, member{"headers", obj{{"$ref", "#/components/schemas/" + m.headers}}})
	}
	if m.correlated {
		o = append(o, member{"correlationId", obj{{"location", "$message.payload#/command_id"}}})
	}
	if m.payload != nil {
		return append(o, member{"payload", m.payload})
	}
	return append(o, member{"payload", obj{
		{"schemaFormat", "application/schema+json;version=draft-07"},
		{"schema", obj{{"$ref", ref(m.schema)}}},
	}})
}

func hasMember(o obj, key string) bool {
	for _, m := range o {
		if m.key == key {
			return true
		}
	}
	return false
}

// headers returns the schemas of message headers.
func headers() obj {
	answerToken := fmt.Sprintf(`^%s(\.%s)?$`, tokenIn(), tokenIn())
	return obj{
		{"commandHeaders", open("", "The headers of a command.",
			may(events.HeaderAnswer, str("One token, or two with a dot between them. The answer is published on "+
				"ringline.<app>.answer.<this value>. Without the header there is no answer.", member{"pattern", answerToken})),
			may(events.HeaderDeadline, str("Of a drop: when it no longer counts, in broker time (RFC 3339).")))},
		{"transitionHeaders", open("", "The headers of a transition, for filters that do not parse the body.",
			need("Content-Type", constant(events.ContentType, "A CloudEvents 1.0 event in structured JSON.")),
			need(events.HeaderEvent, oneOf("The event.", events.Events(), eventMeaning)))},
		{"rejectedHeaders", open("", "Why a command could not be read.",
			need(events.HeaderErrorCode, str("The code, as in an answer.", member{"enum", events.Codes()})),
			need(events.HeaderErrorMessage, str("The error as text.")),
			need(events.HeaderSubject, str("The original subject of the command.")))},
	}
}

// parameters describes the tokens of subjects.
func parameters() obj {
	return obj{
		{"app", obj{{"description", fmt.Sprintf("The app (tenant): 1 to %d characters of A-Z a-z 0-9 _ -.", events.MaxToken)}}},
		{"call", obj{{"description", fmt.Sprintf("The call id, chosen by the caller: 1 to %d characters of A-Z a-z 0-9 _ -.", events.MaxToken)}}},
		{"user", obj{{"description", "The user id, escaped: each byte outside A-Z a-z 0-9 _ - becomes =HH (upper-case hex); " +
			"if the result is longer than 128 bytes, it is =h and the lower-case hex SHA-256 of the id."}}},
		{"token", obj{{"description", "The token of the header Ringline-Answer, or the second of two."}}},
		{"process", obj{{"description", "The first of two tokens. A process receives all of its answers on one subscription, ringline.<app>.answer.<process>.*."}}},
		{"verb", obj{{"description", "The verb of the command, escaped like a user id, because it may be malformed."}}},
		{"seq", obj{{"description", "The transition that created the deadline."}}},
	}
}

func parametersIn(address string) obj {
	list := obj{}
	for _, p := range parameters() {
		if strings.Contains(address, "{"+p.key+"}") {
			list = append(list, member{p.key, obj{{"$ref", "#/components/parameters/" + p.key}}})
		}
	}
	return list
}
