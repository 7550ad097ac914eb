package edgetest

import (
	"fmt"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

// closedByClient is the code of a connection that the client cut.
const closedByClient = 3000

// manyBytes is more than the notifications that a caller gets for an invitation to 50 busy callees.
const manyBytes = 320 << 10

// manyAtOnce checks that an invitation to 50 busy callees does not close the caller's session. It makes 51
// notifications, and only the first and the last carry the call, so all of them fit into the client's queue.
func manyAtOnce(s *stage) {
	callees := make([]string, events.MaxCallees)
	parties := make([]events.Party, len(callees))
	for i := range callees {
		callees[i] = fmt.Sprintf("callee-%02d@example.com", i)
		parties[i].UserID = callees[i]
	}
	s.ring("c1", "zoe", callees...)
	ann := s.open("ann", "")
	data := strings.Repeat("x", events.MaxCustomData)
	s.sent("c2", events.VerbInvite, `{"command_id":"k2","user_id":"ann","call_type":0,"callees":%s,"custom_data":%q}`, s.encode(parties), data)
	size := 0
	for k := range len(callees) + 1 {
		raw, ok := receive(s, "a push", ann.conn.Pushes())
		if !ok {
			s.Fatalf("closed with %d before push %d", s.code(ann.conn), k)
		}
		var n events.Notification
		s.decode(raw, &n)
		size += len(raw)
		last := k == len(callees)
		want := map[bool]events.Kind{true: events.CallEnded, false: events.OutgoingCallRejectedCauseBusy}[last]
		if n.ID != fmt.Sprintf("c2-1-%d", k) || n.Event != want || n.CustomData != data || n.ServerTime == 0 || n.Call.IsZero() == (k == 0 || last) {
			s.Fatalf("push %d is %.400s", k, raw)
		}
	}
	if size > manyBytes {
		s.Errorf("%d bytes were pushed, at most %d may wait", size, manyBytes)
	}
	s.Logf("%d bytes were pushed", size)
}

// slowClient checks that a client that does not read is closed, and finds the current state when it reconnects. Other
// sessions notice nothing, including another device of the same user.
func slowClient(s *stage) {
	const tries = 5 // if the machine stalls for a second, a write can time out before the queue is full
	s.ring("c1", "ann", "bob")
	other, bob := s.open("ann", ""), s.open("bob", "")
	end := s.slowEnd(other)
	for i := 1; i < tries && end.Code != slow; i++ {
		end = s.slowEnd(other)
	}
	if end.Event != events.SessionDisconnected || end.Code != slow {
		s.Errorf("it has ended with %s %d %s", end.Event, end.Code, end.Reason)
	}
	s.sent("c1", events.VerbAccept, `{"command_id":"k2","user_id":"bob"}`)
	bob.expect("c1", events.IncomingCallAnsweredElsewhere)
	other.expect("c1", events.OutgoingCallAccepted)
	back := s.open("ann", `{"showing":["c1","c2"]}`)
	if got := back.calls(); got["c1"].State != events.CallStateActive || len(got) != 1 {
		s.Errorf("the snapshot: %s", back.raw)
	}
}

// slowEnd sends a client that reads nothing more than its queue holds, and sends the same to another device of the
// user. It returns how the first session ended.
func (s *stage) slowEnd(other *person) events.SessionEvent {
	s.Helper()
	const enough = 200 // messages of 8 KB each, far more than the queue holds
	sessionEvents := s.sessionEvents("ann")
	ann := s.opened("ann", Client{Token: s.token("ann"), Small: true})
	began := s.event(sessionEvents)
	ann.stopsReading(other)
	for seq := range enough {
		s.notify("ann", "c2", seq+1, 8<<10)
		if got := other.next(); got.Seq != seq+1 {
			s.Fatalf("the other device receives %d, want %d", got.Seq, seq+1)
		}
	}
	ann.conn.Break() // otherwise the edge waits some seconds for the close handshake
	end := s.event(sessionEvents)
	if end.Session != began.Session {
		s.Fatalf("session %s has ended, and was not slow", end.Session)
	}
	return end
}

// sessionsArePublished checks that the begin and the end of a session are published and stored.
func sessionsArePublished(s *stage) {
	sessionEvents := s.sessionEvents("ann")
	ann := s.open("ann", `{"device":"phone.tab1"}`)
	began := s.event(sessionEvents)
	ann.conn.Break()
	ended := s.event(sessionEvents)
	for what, e := range map[events.SessionChange]events.SessionEvent{events.SessionConnected: began, events.SessionDisconnected: ended} {
		if e.Event != what || e.UserID != "ann" || e.DeviceID != "phone.tab1" || e.Transport == "" || e.Edge == "" ||
			time.Since(e.Time.Time()) > within {
			s.Errorf("a session event of a session that is %s: %s", what, s.encode(e))
		}
	}
	if began.Session == "" || began.Session != ended.Session || ended.Code != closedByClient || began.Code != 0 {
		s.Errorf("began: %s\nended: %s", s.encode(began), s.encode(ended))
	}
	ctx, cancel := s.ctx()
	defer cancel()
	kept, err := s.js.Stream(ctx, streams.StreamSessions)
	if err != nil {
		s.Fatal(err)
	}
	s.eventually("the end is kept", func() bool {
		m, err := kept.GetLastMsgForSubject(ctx, events.SessionSubject(s.app, "ann"))
		return err == nil && string(m.Data) == string(s.encode(ended))
	})
}

// stopNotifiesEveryone checks that an edge that stops accepts no client, and closes every session with the code that
// makes clients reconnect elsewhere.
func stopNotifiesEveryone(s *stage) {
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

// stopsWithASilentPeer checks that a peer that neither sends nor reads delays the stop of an edge by a few seconds at
// most.
func stopsWithASilentPeer(s *stage) {
	const most = time.Minute // in practice it takes about 5 s
	ann, bob := s.opened("ann", Client{Token: s.token("ann"), Small: true}), s.open("bob", "")
	ann.stopsReading(s.open("ann", ""))
	took := s.stopped()
	if took > most {
		s.Errorf("it took %v", took)
	}
	if got := s.code(bob.conn); got != shutdown {
		s.Errorf("bob is closed with %d", got)
	}
}

// newSessionOfADevice checks that a new session of a device closes the older one, which then no longer counts. Another
// device keeps its session.
func newSessionOfADevice(s *stage) {
	const phone = `{"device":"phone.tab1"}`
	laptop, first := s.open("ann", `{"device":"phone.tab2"}`), s.open("ann", phone)
	second := s.open("ann", phone)
	if got := s.code(first.conn); got != replaced {
		s.Errorf("closed with %d", got)
	}
	third := s.open("ann", phone)
	if got := s.code(second.conn); got != replaced {
		s.Errorf("closed with %d", got)
	}
	laptop.line()
	third.line()
	third.nothingMore()
}
