package edgetest

import (
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
)

// closedByClient is the code of a connection that its client cut.
const closedByClient = 3000

// Who does not read is closed, and finds how things stand when he is back; the others notice nothing.
func slowClient(s *stage) {
	s.ring("c1", "ann", "bob")
	told := s.told("ann")
	ann := s.opened("ann", Client{Token: s.token("ann"), Small: true})
	bob := s.open("bob", "")
	if e := s.event(told); e.Event != events.SessionConnected {
		s.Fatalf("told %s", e.Event)
	}
	ann.conn.Pause()
	end := s.flood(told, "ann", "c2")
	if end.Event != events.SessionDisconnected || end.Code != slow {
		s.Errorf("ended with %s %d %s", end.Event, end.Code, end.Reason)
	}
	s.sent("c1", events.VerbAccept, `{"command_id":"k2","user_id":"bob"}`)
	bob.expect("c1", events.IncomingCallAnsweredElsewhere)
	bob.line()
	ann.conn.Resume()
	s.code(ann.conn)
	back := s.open("ann", `{"showing":["c1","c2"]}`)
	if got := back.calls(); got["c1"].State != events.CallStateActive || len(got) != 1 {
		s.Errorf("the snapshot: %s", back.raw)
	}
}

// flood tells a user more and more, until his session has ended.
func (s *stage) flood(told *nats.Subscription, user, callID string) events.SessionEvent {
	s.Helper()
	const fill, most = 8 << 10, 20_000
	for seq := range most {
		s.notify(user, callID, seq+1, fill)
		if n, _, err := told.Pending(); err == nil && n > 0 {
			break
		}
	}
	return s.event(told)
}

// That a session begins and ends is told, and kept.
func sessionsAreTold(s *stage) {
	told := s.told("ann")
	ann := s.open("ann", `{"device":"phone.tab1"}`)
	began := s.event(told)
	ann.conn.Break()
	ended := s.event(told)
	for what, e := range map[events.SessionChange]events.SessionEvent{events.SessionConnected: began, events.SessionDisconnected: ended} {
		if e.Event != what || e.UserID != "ann" || e.DeviceID != "phone.tab1" || e.Transport == "" || e.Edge == "" ||
			time.Since(e.Time.Time()) > within {
			s.Errorf("told of a session that is %s: %s", what, s.encode(e))
		}
	}
	if began.Session == "" || began.Session != ended.Session || ended.Code != closedByClient || began.Code != 0 {
		s.Errorf("began: %s\nended: %s", s.encode(began), s.encode(ended))
	}
	ctx, cancel := s.ctx()
	defer cancel()
	kept, err := s.js.Stream(ctx, worker.StreamSessions)
	if err != nil {
		s.Fatal(err)
	}
	s.eventually("the end is kept", func() bool {
		m, err := kept.GetLastMsgForSubject(ctx, events.SessionSubject(s.app, "ann"))
		return err == nil && string(m.Data) == string(s.encode(ended))
	})
}

// An edge that stops takes nobody, and closes whom it has with the code that sends them elsewhere.
func stopsWithEverybodyTold(s *stage) {
	people := []*person{s.open("ann", ""), s.open("ann", ""), s.open("bob", "")}
	s.edge.Stop()
	for _, p := range people {
		if got := s.code(p.conn); got != shutdown {
			s.Errorf("%s is closed with %d", p.user, got)
		}
	}
	s.stopped()
	const unavailable = 503
	s.refused("a client that comes too late", Client{Token: s.token("ann")}, unavailable)
}

// A peer that says nothing, and reads nothing, keeps an edge from stopping for some seconds at most.
func stopsWithASilentPeer(s *stage) {
	const most = 30 * time.Second // by itself it takes some 5 s
	ann, bob := s.opened("ann", Client{Token: s.token("ann"), Small: true}), s.open("bob", "")
	ann.conn.Pause()
	took := s.stopped()
	if took > most {
		s.Errorf("it took %v", took)
	}
	if got := s.code(bob.conn); got != shutdown {
		s.Errorf("bob is closed with %d", got)
	}
	ann.conn.Resume()
	s.code(ann.conn)
}
