package edgetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
)

// pushesInOrder checks that every session of a user gets every notification, in the order of publication.
func pushesInOrder(s *stage) {
	const count = 300
	sessions := []*person{s.open("ann", ""), s.open("ann", "")}
	for seq := range count {
		s.notify("ann", "c1", seq+1, 0)
	}
	for i, ann := range sessions {
		for seq := range count {
			if got := ann.next(); got.Seq != seq+1 {
				s.Fatalf("session %d receives %d, want %d", i, got.Seq, seq+1)
			}
		}
	}
}

// nothingIsLostWhileItOpens checks that snapshot and pushes together have no gap, whenever a session opens. Each
// session gets everything newer than its snapshot, in order.
func nothingIsLostWhileItOpens(s *stage) {
	const sessions, each = 30, 10
	defer s.moving(s.ring("c1", "ann", "bob"))()
	for range sessions {
		ann := s.open("ann", "")
		from := ann.calls()["c1"].Seq
		if from == 0 {
			s.Fatalf("the call is missing: %s", ann.raw)
		}
		for next := from + 1; next <= from+each; {
			switch got := ann.next().Seq; {
			case got == next:
				next++
			case got > next:
				s.Fatalf("the snapshot has %d, and after %d follows %d", from, next-1, got)
			}
		}
		ann.leaves()
	}
}

// moving publishes new revisions of a call and notifies its caller, as a coordinator does, until stop is called.
func (s *stage) moving(c events.Call) (stop func()) {
	s.Helper()
	nc := s.server.Connect(s.T)
	ctx, cancel := context.WithCancel(s.Context())
	var moving sync.WaitGroup
	moving.Go(func() {
		for ctx.Err() == nil {
			c.Seq++
			if err := s.move(ctx, nc, c); err != nil && ctx.Err() == nil {
				s.Errorf("the call can't be changed: %v", err)
				return
			}
		}
	})
	return func() { cancel(); moving.Wait() }
}

func (s *stage) move(ctx context.Context, nc *nats.Conn, c events.Call) error {
	now := time.Now()
	t := events.Transition{
		CommandID: "k", Event: events.EventRinging, Seq: c.Seq, By: events.By{Kind: events.ByUser, UserID: "bob"},
		Changes: []events.Change{}, Call: c, Commands: []events.Remembered{},
	}
	body, err := t.Encode(events.TimeOf(now))
	if err != nil {
		return err
	}
	m := nats.NewMsg(events.TransitionSubject(s.app, c.CallID))
	m.Header.Set("Content-Type", events.ContentType)
	m.Header.Set(events.HeaderEvent, string(t.Event))
	m.Data = body
	if _, err := nc.RequestMsgWithContext(ctx, m); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	n := events.NewNotice(c.Caller.UserID, t, 0, events.OutgoingCallRinging).Stamped(now)
	if body, err = events.Encode(n); err != nil {
		return err
	}
	return nc.Publish(events.UserSubject(s.app, c.Caller.UserID), body)
}

// comesBack checks that a client that reconnects learns how the calls that it shows ended, and which calls are new.
func comesBack(s *stage) {
	bob := s.open("bob", "")
	s.ring("c1", "ann", "bob")
	bob.expect("c1", events.IncomingCallReceived)
	bob.leaves()
	s.sent("c1", events.VerbCancel, `{"command_id":"k2","user_id":"ann"}`)
	s.ring("c2", "ann", "bob")
	back := s.open("bob", `{"showing":["c1"]}`)
	calls := back.calls()
	if calls["c1"].EndReason != events.EndCanceled || calls["c2"].State != events.CallStateRinging || len(calls) != 2 {
		s.Errorf("the snapshot: %s", back.raw)
	}
	back.nothingMore()
	s.sent("c2", events.VerbCancel, `{"command_id":"k3","user_id":"ann"}`)
	back.expect("c2", events.IncomingCallCanceled, events.CallEnded)
}

// pushesAreOfOneUserOfOneApp checks that a notification reaches only its user, however similar the user ids are.
func pushesAreOfOneUserOfOneApp(s *stage) {
	users := []string{"a.b", "a=2Eb", "*", ">", "a b", "ünïcödé", "a"}
	people := make([]*person, len(users))
	for i, u := range users {
		people[i] = s.open(u, "")
	}
	other := *s
	other.app = "other-" + s.app
	for i, u := range users {
		other.notify(u, "wrong", 1, 0)
		s.notify(u, fmt.Sprintf("c%d", i), 1, 0)
	}
	for i, p := range people {
		p.expect(fmt.Sprintf("c%d", i), events.OutgoingCallRinging)
		p.nothingMore()
	}
}
