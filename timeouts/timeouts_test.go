package timeouts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

const within = time.Minute

// start runs a timeouts worker whose local clock is ahead, and returns a subscription to its expire commands.
func start(t *testing.T, s *natstest.Server, ahead time.Duration) *nats.Subscription {
	t.Helper()
	sub, err := s.NC.SubscribeSync("ringline.*.cmd.*.expire")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := s.Clock(t, ahead)
	done := make(chan error, 1)
	go func() {
		done <- timeouts.New(s.JS, c, zerolog.Nop(), timeouts.Sweep{Every: 50 * time.Millisecond, Overdue: 5 * time.Second}, nil).Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run gives %v", err)
		}
	})
	return sub
}

func arm(t *testing.T, s *natstest.Server, callID string, seq int, at time.Time) events.Time {
	t.Helper()
	due := events.DeadlineOf(at)
	if err := store.ArmDeadline(t.Context(), s.NC, "demo", events.Deadline{CallID: callID, Seq: seq, Deadline: due}); err != nil {
		t.Fatal(err)
	}
	return due
}

// A deadline becomes an expire command for its call. It is never early, whatever its fraction of a second.
func TestDueBecomesExpire(t *testing.T) {
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Due, natstest.Command)
	expires := start(t, s, 0)
	due := map[string]events.Time{}
	for n := range 20 {
		id := fmt.Sprintf("c%d", n)
		due[id] = arm(t, s, id, n+1, time.Now().Add(500*time.Millisecond+time.Duration(n)*51*time.Millisecond))
	}
	for range due {
		m, err := expires.NextMsg(within)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		a, bad := events.ParseCommandSubject(m.Subject)
		if bad != nil {
			t.Fatal(bad)
		}
		cmd, bad := events.ReadCommand(a, m.Data)
		if bad != nil {
			t.Fatal(bad)
		}
		var n int
		if _, err := fmt.Sscanf(a.CallID, "c%d", &n); err != nil {
			t.Fatal(err)
		}
		if cmd.CommandID != events.ExpireID(a.CallID, events.DeadlineID{Seq: n + 1}) || cmd.Service != "timeouts" || a.App != "demo" {
			t.Errorf("%s: %+v", m.Subject, cmd)
		}
		if now.Before(due[a.CallID].Time()) {
			t.Errorf("%s came %v early", a.CallID, due[a.CallID].Time().Sub(now))
		}
	}
}

// A removed deadline does not fire and leaves nothing behind. A deadline in the past fires at once. A deadline that
// is written twice fires once.
func TestRemovedPastAndRepeatedDeadlines(t *testing.T) {
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Due, natstest.Command)
	expires := start(t, s, 0)
	soon := time.Now().Add(2 * time.Second)
	arm(t, s, "removed", 1, soon)
	arm(t, s, "twice", 1, soon.Add(500*time.Millisecond))
	arm(t, s, "twice", 1, soon.Add(500*time.Millisecond))
	arm(t, s, "last", 1, soon.Add(time.Second))
	if err := store.RemoveDeadline(s.NC, "demo", "removed", events.DeadlineID{Seq: 1}); err != nil {
		t.Fatal(err)
	}
	arm(t, s, "past", 1, time.Now().Add(-time.Second))
	for _, want := range []string{"past", "twice", "last"} {
		m, err := expires.NextMsg(within)
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if got := "ringline.demo.cmd." + want + ".expire"; m.Subject != got {
			t.Fatalf("%s came, want %s", m.Subject, got)
		}
	}
	st, err := s.JS.Stream(t.Context(), streams.StreamTimers)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := st.GetLastMsgForSubject(t.Context(), events.TimerSubject("demo", "removed", events.DeadlineID{Seq: 1})); err == nil {
		t.Errorf("it left %+v", m)
	}
}

// The ring deadline and the reach deadline of one transition are two messages with two expire commands. Removing one keeps the
// other.
func TestDeadlinesOfBothKinds(t *testing.T) {
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Due, natstest.Command)
	expires := start(t, s, 0)
	at := time.Now().Add(500 * time.Millisecond)
	for _, callID := range []string{"both", "rings"} {
		for i, kind := range []events.DeadlineKind{events.DeadlineReach, ""} {
			d := events.Deadline{CallID: callID, Seq: 1, Kind: kind, Deadline: events.DeadlineOf(at.Add(time.Duration(i) * 300 * time.Millisecond))}
			if err := store.ArmDeadline(t.Context(), s.NC, "demo", d); err != nil {
				t.Fatal(err)
			}
		}
	}
	ring, reach := events.DeadlineID{Seq: 1}, events.DeadlineID{Seq: 1, Kind: events.DeadlineReach}
	if err := store.RemoveDeadline(s.NC, "demo", "rings", reach); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{events.ExpireID("both", reach): true, events.ExpireID("both", ring): true, events.ExpireID("rings", ring): true}
	for range len(want) {
		m, err := expires.NextMsg(within)
		if err != nil {
			t.Fatalf("%v are missing: %v", want, err)
		}
		a, bad := events.ParseCommandSubject(m.Subject)
		if bad != nil {
			t.Fatal(bad)
		}
		cmd, bad := events.ReadCommand(a, m.Data)
		if bad != nil || !want[cmd.CommandID] {
			t.Fatalf("%s: %+v, %v", m.Subject, cmd, bad)
		}
		delete(want, cmd.CommandID)
	}
}

// A malformed due message is dropped, and the worker continues with the others.
func TestMalformedDeadline(t *testing.T) {
	s := natstest.Start(t)
	expires := start(t, s, 0)
	for _, subject := range []string{"ringline.demo.due.c1.soon", "ringline.demo.due.c1.0", "ringline.de=mo.due.c1.1"} {
		if _, err := s.JS.Publish(t.Context(), subject, nil); err != nil {
			t.Fatal(err)
		}
	}
	arm(t, s, "c2", 1, time.Now())
	m, err := expires.NextMsg(within)
	if err != nil || m.Subject != "ringline.demo.cmd.c2.expire" {
		t.Fatalf("%+v, %v", m, err)
	}
	cons, err := s.JS.Consumer(t.Context(), streams.StreamTimers, streams.ConsumerTimeouts)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(within); ; time.Sleep(2 * time.Millisecond) {
		info, err := cons.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info.NumAckPending == 0 && info.NumPending == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d wait, %d are in flight", info.NumPending, info.NumAckPending)
		}
	}
}

// A sweep finds an overdue deadline that the server never fires, such as one without a schedule.
func TestMissedDeadlines(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"in step": 0, "ahead": 70 * time.Second, "behind": -70 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			missedDeadlines(t, ahead)
		})
	}
}

// missedKinds are the kinds of the deadlines that the server misses.
var missedKinds = map[string]events.DeadlineKind{"young": events.DeadlineReach}

func missedID(callID string) events.DeadlineID {
	return events.DeadlineID{Seq: 3, Kind: missedKinds[callID]}
}

func missedDeadlines(t *testing.T, ahead time.Duration) {
	t.Helper()
	s := natstest.Start(t)
	expires := start(t, s, ahead)
	missed := func(callID string, ago time.Duration) {
		t.Helper()
		d := events.Deadline{CallID: callID, Seq: 3, Kind: missedKinds[callID], Deadline: events.TimeOf(time.Now().Add(-ago))}
		body, err := events.Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.JS.Publish(t.Context(), events.TimerSubject("demo", callID, d.ID()), body); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	missed("young", 3*time.Second)
	missed("old", time.Minute)
	for seen := map[string]bool{}; !seen["young"]; {
		m, err := expires.NextMsg(within)
		if err != nil {
			t.Fatal(err)
		}
		a, bad := events.ParseCommandSubject(m.Subject)
		if bad != nil {
			t.Fatal(bad)
		}
		cmd, bad := events.ReadCommand(a, m.Data)
		if bad != nil || cmd.CommandID != events.ExpireID(a.CallID, missedID(a.CallID)) {
			t.Errorf("%s: %+v, %v", m.Subject, cmd, bad)
		}
		if seen[a.CallID] = true; a.CallID == "young" && !seen["old"] {
			t.Error("the young one came before the old one")
		}
	}
	for _, callID := range []string{"old", "young"} { // otherwise every sweep would find them again
		for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
			st, err := s.JS.Stream(t.Context(), streams.StreamTimers)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.GetLastMsgForSubject(t.Context(), events.TimerSubject("demo", callID, missedID(callID))); err != nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the deadline of %s stays", callID)
			}
		}
	}
	if took := time.Since(begun); took < 1900*time.Millisecond {
		t.Errorf("one that was 3 s overdue was taken for missed after %v", took)
	}
}
