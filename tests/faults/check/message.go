package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// message is a message with a command, and its answers.
type message struct {
	record.Sent

	bad     error    // why it is malformed
	command *command // nil if it is malformed
	story   *story
	answers []*answer // in the order of arrival
}

// answer is one answer to a message.
type answer struct {
	events.Answer

	at   int64
	err  error // set if it is malformed
	body string
}

// command is a command with all messages that carry it.
type command struct {
	events.Command

	body     string // as published
	messages []*message
}

func (r *run) readSent() {
	for _, sent := range r.Sent {
		m := &message{Sent: sent}
		r.messages = append(r.messages, m)
		if r.answers[sent.N] == nil {
			r.answers[sent.N] = m
		}
		address, bad := events.ParseCommandSubject(events.CommandSubject(sent.App, callIDOf(sent), events.Verb(sent.Verb)))
		var cmd events.Command
		if m.bad = bad; bad == nil {
			cmd, m.bad = events.ReadCommand(address, []byte(sent.Body))
		}
		if m.bad != nil {
			continue
		}
		m.story = r.story(cmd.App, cmd.CallID)
		m.story.messages = append(m.story.messages, m)
		r.sort(m, cmd)
	}
}

// callIDOf returns the id of the message's call. The API derives an id if an invitation has none.
func callIDOf(s record.Sent) string {
	if s.CallID != "" || s.Via != record.API {
		return s.CallID
	}
	cmd, _ := events.ReadRequest(s.App, events.Verb(s.Verb), []byte(s.Body), func() string { return "" })
	return cmd.CallID
}

// sort adds the message to its command.
func (r *run) sort(m *message, cmd events.Command) {
	body, err := cmd.Encode()
	if err != nil {
		return
	}
	id := commandID{cmd.App, cmd.CommandID}
	for _, c := range r.commands[id] {
		if c.body == string(body) && c.CommandAddress == cmd.CommandAddress {
			m.command = c
			c.messages = append(c.messages, m)
			return
		}
	}
	m.command = &command{Command: cmd, body: string(body), messages: []*message{m}}
	r.commands[id] = append(r.commands[id], m.command)
}

func (r *run) readAnswers() {
	for _, got := range r.Answers {
		m := r.answers[got.N]
		if m == nil {
			continue // reported by sound
		}
		a := &answer{at: got.At, body: got.Body}
		a.Answer, a.err = events.ReadAnswer([]byte(got.Body))
		m.answers = append(m.answers, a)
		if m.Acked == 0 && m.Via == record.API && a.unknown() && strings.HasPrefix(a.Error.Message, "the command is stored") {
			m.Acked = a.at // the answer of the API confirms it
		}
	}
	for _, m := range r.messages {
		slices.SortStableFunc(m.answers, func(a, b *answer) int { return cmp.Compare(a.at, b.at) })
	}
}

// unknown reports whether the answer leaves the result of the command open.
func (a *answer) unknown() bool {
	return a.err == nil && a.Error != nil && a.Error.Code == events.CodeUnavailable
}

// invites reports whether the message is of a verb that a full store refuses.
func (m *message) invites() bool { return m.Verb == "invite" || m.Verb == "add" }

// said lists the answers that state the result of the command.
func (m *message) said() []*answer {
	var list []*answer
	for _, a := range m.answers {
		if !a.unknown() {
			list = append(list, a)
		}
	}
	return list
}

// first returns the first such answer, or nil if there is none.
func (m *message) first() *answer {
	for _, a := range m.answers {
		if !a.unknown() {
			return a
		}
	}
	return nil
}

// outcome returns ok, or the code of the error.
func (a *answer) outcome() string {
	switch {
	case a.err != nil:
		return "unreadable"
	case a.OK:
		return "ok"
	case a.Error == nil:
		return "neither ok nor an error"
	}
	return string(a.Error.Code)
}

// same reports whether a coordinator treats two commands as the same one: same address, id and sender.
func (c *command) same(o *command) bool {
	return c.CommandAddress == o.CommandAddress && c.CommandID == o.CommandID && c.UserID == o.UserID && c.Service == o.Service
}

// alike lists all messages with this command, including those with a different body.
func (r *run) alike(c *command) []*message {
	var list []*message
	for _, o := range r.commands[commandID{c.App, c.CommandID}] {
		if c.same(o) {
			list = append(list, o.messages...)
		}
	}
	return list
}

func (c *command) String() string {
	return fmt.Sprintf("%s %s of %s", c.Verb, c.CommandID, c.Sender())
}

// describeSent describes a message.
func (r *run) describeSent(m *message) string {
	acked := "never acknowledged"
	if m.Acked > 0 {
		acked = "acknowledged at " + r.when(m.Acked)
	}
	what := m.Verb
	if m.command != nil {
		what = m.command.String()
	}
	return fmt.Sprintf("%s (message %d, by %s, sent at %s, %s)", what, m.N, m.Via, r.when(m.At), acked)
}

// describeAnswer describes an answer.
func (r *run) describeAnswer(a *answer) string {
	shows := "no call"
	if a.Call != nil {
		shows = fmt.Sprintf("call %s at seq %d", a.Call.CallID, a.Call.Seq)
	}
	return fmt.Sprintf("answered %s with %s at %s", a.outcome(), shows, r.when(a.at))
}
