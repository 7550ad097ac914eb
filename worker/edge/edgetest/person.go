package edgetest

import (
	"encoding/json"
	"slices"

	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
)

// person is a user with one session.
type person struct {
	*stage

	user     string
	conn     Conn
	snapshot events.Snapshot // the snapshot that the session opened with
	raw      json.RawMessage // the same, as received
}

// open opens a session of this user. It fails the test if the session is refused.
func (s *stage) open(user, data string) *person {
	s.Helper()
	return s.opened(user, Client{Token: s.token(user), Data: data})
}

func (s *stage) opened(user string, c Client) *person {
	s.Helper()
	p := &person{stage: s, user: user, conn: s.edge.Dial(s.T, c)}
	var ok bool
	if p.raw, ok = receive(s, "a snapshot", p.conn.Pushes()); !ok {
		s.Fatalf("%s is refused with %d", user, s.code(p.conn))
	}
	s.decode(p.raw, &p.snapshot)
	if p.snapshot.UserID != user {
		s.Fatalf("%s receives first: %s", user, p.raw)
	}
	return p
}

// calls returns the calls of the first snapshot by id.
func (p *person) calls() map[string]events.Call {
	calls := map[string]events.Call{}
	for _, c := range p.snapshot.Calls {
		calls[c.Call.CallID] = c.Call
	}
	return calls
}

func (p *person) next() events.Notification {
	p.Helper()
	raw, ok := receive(p.stage, "a push to "+p.user, p.conn.Pushes())
	if !ok {
		p.Fatalf("%s waits for a push: closed with %d", p.user, p.code(p.conn))
	}
	var n events.Notification
	p.decode(raw, &n)
	return n
}

// expect expects these kinds as the next pushes, in this order and all about one call.
func (p *person) expect(callID string, kinds ...events.Kind) (last events.Notification) {
	p.Helper()
	for _, kind := range kinds {
		if last = p.next(); last.Event != kind || last.CallID != callID || last.Call.CallID != callID {
			p.Fatalf("%s receives %s, want %s of %s", p.user, p.encode(last), kind, callID)
		}
	}
	return last
}

// expectAll expects these kinds as the next pushes, all about one call, in any order. They belong to several
// transitions, and two workers may publish their notifications in either order.
func (p *person) expectAll(callID string, kinds ...events.Kind) {
	p.Helper()
	for left := kinds; len(left) > 0; {
		got := p.next()
		i := slices.Index(left, got.Event)
		if i < 0 || got.CallID != callID {
			p.Fatalf("%s receives %s, want one of %v of %s", p.user, p.encode(got), left, callID)
		}
		left = slices.Delete(slices.Clone(left), i, i+1)
	}
}

// nothingMore checks that no push is pending: a notification that is published now is the next one.
func (p *person) nothingMore() {
	p.Helper()
	id := nuid.Next()
	p.notify(p.user, id, 1, 0)
	p.expect(id, events.OutgoingCallRinging)
}

// ask sends a command and waits for its answer.
func (p *person) ask(method, data string) events.Answer {
	p.Helper()
	raw, ok := receive(p.stage, "an answer to "+method, p.conn.Call(method, data))
	if !ok {
		p.Fatalf("%s asks %s: closed with %d", p.user, method, p.code(p.conn))
	}
	var a events.Answer
	p.decode(raw, &a)
	return a
}

// does sends a command that must be accepted, and returns the call.
func (p *person) does(method, data string) events.Call {
	p.Helper()
	a := p.ask(method, data)
	if !a.OK || a.Call == nil {
		p.Fatalf("%s of %s with %s: %s", method, p.user, data, p.encode(a))
	}
	return *a.Call
}

// mayNot sends a command that must be refused with this code.
func (p *person) mayNot(method, data string, code events.Code) events.Answer {
	p.Helper()
	a := p.ask(method, data)
	if a.OK || a.Error == nil || a.Error.Code != code {
		p.Errorf("%s of %s with %s: %s, want %s", method, p.user, data, p.encode(a), code)
		a.Error = &events.Error{}
	}
	return a
}

// line asks for the calls on the user's line, and requires an answer.
func (p *person) line() []string {
	p.Helper()
	raw, ok := receive(p.stage, "a line", p.conn.Call("line", "{}"))
	if !ok {
		p.Fatalf("%s asks for the line: closed with %d", p.user, p.code(p.conn))
	}
	var a events.LineAnswer
	p.decode(raw, &a)
	if !a.OK || a.Calls == nil {
		p.Fatalf("the line of %s: %s", p.user, raw)
	}
	return a.Calls
}

// stopsReading makes the client stop reading. One last push uses up the frame that Conn.Pause may still read. The other
// device of the same user gets that push too, and confirms that it was sent.
func (p *person) stopsReading(other *person) {
	p.Helper()
	p.conn.Pause()
	p.notify(p.user, "last", 1, 0)
	other.expect("last", events.OutgoingCallRinging)
}

// leaves cuts the connection, and waits until the edge has noticed.
func (p *person) leaves() {
	p.Helper()
	sessionEvents := p.sessionEvents(p.user)
	defer func() { _ = sessionEvents.Unsubscribe() }() // if this fails, the connection is closed
	p.conn.Break()
	for p.event(sessionEvents).Event != events.SessionDisconnected {
	}
}
