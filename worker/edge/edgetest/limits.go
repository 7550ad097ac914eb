package edgetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"ringline.io/ringline/events"
)

// statusTooMany is the HTTP status for an address that has too many connections.
const statusTooMany = 429

func commandsOfASession(s *stage) {
	one, two := s.open("ann", ""), s.open("ann", "")
	for range 5 {
		one.line()
	}
	one.mayNot("line", `{}`, events.CodeRateLimited)
	one.mayNot("invite", `{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}]}`, events.CodeRateLimited)
	if got := two.line(); len(got) != 0 {
		s.Errorf("a refused command was executed: %v", got)
	}
}

// commandsOfAUser checks that a user gets no higher limit from two sessions, or from reconnecting.
func commandsOfAUser(s *stage) {
	one, two, bob := s.open("ann", ""), s.open("ann", ""), s.open("bob", "")
	for range 3 {
		one.line()
		two.line()
	}
	one.mayNot("line", `{}`, events.CodeRateLimited)
	two.mayNot("line", `{}`, events.CodeRateLimited)
	bob.line()
	one.leaves()
	two.leaves()
	s.open("ann", "").mayNot("line", `{}`, events.CodeRateLimited)
}

func invitationsOfACaller(s *stage) {
	invite := func(id string) string {
		return fmt.Sprintf(`{"call_id":%q,"call_type":0,"callees":[{"user_id":%q}]}`, id, "callee-of-"+id)
	}
	one, two := s.open("ann", ""), s.open("ann", "")
	one.does("invite", invite("c1"))
	two.mayNot("invite", invite("c2"), events.CodeCallerBusy)
	for _, ann := range []*person{one, two} {
		ann.mayNot("invite", invite("c3"), events.CodeRateLimited)
	}
	if got := one.line(); !slices.Equal(got, []string{"c1"}) {
		s.Errorf("the line: %v", got)
	}
	one.leaves()
	two.leaves()
	s.open("ann", "").mayNot("invite", invite("c4"), events.CodeRateLimited)
	s.open("bob", "").does("invite", invite("c5"))
}

// unknownCallsOfAUser checks that a hang-up of an unknown call counts as an invitation, in every session of the user.
// Calls that a session shows can still be hung up, and invitations are not counted twice.
func unknownCallsOfAUser(s *stage) {
	ann, one, two := s.open("ann", ""), s.open("bob", ""), s.open("bob", "")
	ann.does("invite", `{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}]}`)
	one.expect("c1", events.IncomingCallReceived)
	var asked sync.WaitGroup
	for _, bob := range []*person{one, two} { // each one waits 5 s for its invitation
		asked.Go(func() { bob.mayNot("cancel", `{"call_id":"s_unknown"}`, events.CodeNotFound) })
	}
	asked.Wait()
	for _, bob := range []*person{one, two} {
		for _, verb := range []string{"cancel", "leave", "end"} {
			a := bob.mayNot(verb, `{"call_id":"s_unknown"}`, events.CodeRateLimited)
			if !strings.Contains(a.Error.Message, "unknown calls") {
				s.Errorf("%s: %v", verb, a.Error)
			}
		}
	}
	one.does("leave", `{"call_id":"c1"}`)
	one.does("invite", `{"call_id":"c2","call_type":0,"callees":[{"user_id":"eve"}]}`)
}

// tooManyRefused checks that a client that keeps sending commands after refusals is closed.
func tooManyRefused(s *stage) {
	const enough = 1000
	ann, bob := s.open("ann", ""), s.open("bob", "")
	for i := 0; ; i++ {
		raw, ok := receive(s, "an answer", ann.conn.Call("line", `{}`))
		if !ok {
			break
		}
		if i > 0 && !strings.Contains(string(raw), string(events.CodeRateLimited)) || i == enough {
			s.Fatalf("command %d: %s", i, raw)
		}
	}
	if got := s.code(ann.conn); got != tooManyRequests {
		s.Errorf("closed with %d", got)
	}
	bob.line()
}

func sessionsOfAUser(s *stage) {
	one := s.open("ann", "")
	s.open("ann", "")
	s.refused("a third session", Client{Token: s.token("ann")}, tooManySessions)
	s.open("bob", "")
	one.leaves()
	s.open("ann", "")
	s.refused("a third session", Client{Token: s.token("ann")}, tooManySessions)
}

// sessionsOfAnAddress checks that connections without a session count too, and free their slot when they end.
func sessionsOfAnAddress(s *stage) {
	one := s.open("ann", "")
	s.refused("no token", Client{}, invalidToken)
	s.eventually("a second session", func() bool {
		conn := s.edge.Dial(s.T, Client{Token: s.token("bob")})
		_, ok := receive(s, "a snapshot", conn.Pushes())
		return ok
	})
	s.refused("a third", Client{Token: s.token("dan")}, statusTooMany)
	one.leaves()
	s.eventually("a session where one has left", func() bool {
		conn := s.edge.Dial(s.T, Client{Token: s.token("dan")})
		_, ok := receive(s, "a snapshot", conn.Pushes())
		return ok
	})
}

// tooBigAMessage checks that a message over the limit is refused and not carried out.
func tooBigAMessage(s *stage) {
	fill := strings.Repeat("x", 3000)
	ann := s.open("ann", "")
	if raw, ok := receive(s, "an answer", ann.conn.Call("invite",
		`{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}],"custom_data":"`+fill+`"}`)); ok {
		s.Errorf("the answer: %s", raw)
	}
	connecting := s.edge.Dial(s.T, Client{Token: s.token("ann"), Data: `{"fill":"` + fill + `"}`})
	for _, conn := range []Conn{ann.conn, connecting} {
		if got := s.code(conn); !slices.Contains(s.adapter.TooBig, got) {
			s.Errorf("closed with %d", got)
		}
	}
	if got := s.open("ann", "").line(); len(got) != 0 {
		s.Errorf("the line: %v", got)
	}
}
