package coordinator_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

func invitation(command, from string, to ...string) string {
	callees := ""
	for i, u := range to {
		if i > 0 {
			callees += ","
		}
		callees += fmt.Sprintf(`{"user_id":%q}`, u)
	}
	return fmt.Sprintf(`{"command_id":%q,"user_id":%q,"call_type":0,"callees":[%s],"custom_data":%q,"ring_timeout_s":600}`,
		command, from, callees, "of "+from) // long enough for a busy machine
}

func by(command, user string) string {
	return fmt.Sprintf(`{"command_id":%q,"user_id":%q}`, command, user)
}

// A callee in a call is busy at once and does not ring. After the call ends, they can be called again.
func TestLineBusy(t *testing.T) {
	s := newScene(t, natstest.Notification, natstest.Logged)
	eve := s.user("eve")
	s.ok("c1", "invite", invitation("k1", "ann", "bob"))
	s.bob.next("incoming_call_received")
	c := s.ok("c2", "invite", invitation("k1", "eve", "bob"))
	expect(t, c, object{"state": "ended", "end_reason": "busy"})
	expect(t, callee(c), object{"state": "busy", "reason": "line_busy", "ring_deadline": nil})
	expect(t, eve.next("outgoing_call_rejected_cause_busy"), object{"reason": "line_busy", "custom_data": "of eve"})
	expect(t, eve.next("call_ended"), object{"reason": "busy"})
	s.bob.nothing()

	s.ok("c1", "accept", by("a1", "bob"))
	s.ann.next("outgoing_call_accepted")
	expect(t, s.ok("c3", "invite", invitation("k1", "eve", "bob")), object{"end_reason": "busy"})
	s.ok("c1", "leave", by("l1", "bob"))
	s.bob.next("incoming_call_answered_elsewhere")
	s.bob.next("call_ended")
	expect(t, s.ok("c4", "invite", invitation("k1", "eve", "bob")), object{"state": "ringing"})
	s.bob.next("incoming_call_received")
	s.lines(map[string]string{"ann": "", "bob": "c4", "eve": "c4"})
}

// The line of a user who leaves, declines or is canceled is free at once, while the call continues for the others.
func TestLeavingReleasesTheLine(t *testing.T) {
	s := newScene(t, natstest.Notification, natstest.Logged)
	s.ok("c1", "invite", invitation("k1", "ann", "bob", "eve", "joe", "kim"))
	s.ok("c1", "accept", by("a1", "bob"))
	s.ok("c1", "accept", by("a2", "eve"))
	s.ok("c1", "decline", by("d1", "joe"))
	s.ok("c1", "cancel", `{"command_id":"x1","user_id":"ann","callees":["kim"]}`)
	expect(t, s.ok("c1", "leave", by("l1", "bob")), object{"state": "active"})
	s.lines(map[string]string{"ann": "c1", "bob": "", "eve": "c1", "joe": "", "kim": ""})
}

// A caller in a call can't make another one. The invitation is written, so that a repeat finds it. No user is notified.
func TestCallerBusy(t *testing.T) {
	s := newScene(t)
	s.ok("c1", "invite", invitation("k1", "ann", "bob"))
	s.bob.next("incoming_call_received")
	eve := s.user("eve")
	for range 2 {
		s.refused("c2", "invite", invitation("k2", "ann", "eve"), "caller_busy")
	}
	c := s.get("c2")
	expect(t, c, object{"state": "ended", "end_reason": "caller_busy", "seq": 1.0})
	expect(t, callee(c), object{"state": "canceled", "reason": "ended", "ring_deadline": nil})
	eve.nothing()
	s.ann.nothing()
	s.ok("c1", "cancel", by("x1", "ann"))
	s.refused("c2", "invite", invitation("k2", "ann", "eve"), "caller_busy")
	s.ok("c3", "invite", invitation("k3", "ann", "eve"))
	s.lines(map[string]string{"ann": "c3", "bob": "", "eve": "c3"})
}

// In a group with some busy callees, the others ring. An add claims lines like an invitation.
func TestGroupAndAddWithBusyLines(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.ok("c1", "invite", invitation("k1", "joe", "bob"))
	s.bob.next("incoming_call_received")
	c := s.ok("c2", "invite", invitation("k1", "ann", "bob", "eve"))
	expect(t, c, object{"state": "ringing"})
	expect(t, callee(c), object{"state": "busy"})
	s.ann.next("outgoing_call_rejected_cause_busy")
	c = s.ok("c2", "add", `{"command_id":"k2","user_id":"ann","callees":[{"user_id":"joe"},{"user_id":"kim"}]}`)
	expect(t, s.ann.next("outgoing_call_rejected_cause_busy"), object{"user_id": "joe", "reason": "line_busy"})
	states := map[any]any{}
	for _, x := range c["callees"].([]any) {
		states[x.(object)["user_id"]] = x.(object)["state"]
	}
	if fmt.Sprint(states) != "map[bob:busy eve:invited joe:busy kim:invited]" {
		t.Errorf("callees: %v", states)
	}
	s.ok("c1", "end", `{"command_id":"e1","service":"desk"}`)
	c = s.ok("c2", "add", `{"command_id":"k3","user_id":"ann","callees":[{"user_id":"bob"}]}`)
	expect(t, callee(c), object{"user_id": "bob", "state": "invited", "attempt": 2.0})
	s.lines(map[string]string{"ann": "c2", "bob": "c2", "eve": "c2", "joe": "", "kim": "c2"})
}

// Two users who call each other end up in one accepted call. The second invitation is not shown to anyone.
func TestGlare(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.ok("c1", "invite", invitation("k1", "ann", "bob"))
	s.bob.next("incoming_call_received")
	for range 2 { // a repeat has the same result
		c := s.ok("c2", "invite", invitation("k2", "bob", "ann"))
		expect(t, c, object{"call_id": "c1", "state": "active"})
		expect(t, callee(c), object{"state": "accepted", "custom_seq": 2.0})
		expect(t, c["custom"].(object), object{"2": "of bob"})
		expect(t, s.ann.next("outgoing_call_accepted"), object{"call_id": "c1", "user_id": "bob", "custom_data": "of bob"})
		s.bob.next("incoming_call_answered_elsewhere")
	}
	expect(t, s.get("c2"), object{"state": "ended", "end_reason": "merged", "merged_into": "c1"})
	s.ann.nothing()
	s.bob.nothing()
	s.lines(map[string]string{"ann": "c1", "bob": "c1"})
	s.ok("c1", "leave", by("l1", "ann"))
	expect(t, s.ok("c2", "invite", invitation("k2", "bob", "ann")), object{"call_id": "c1", "state": "ended"})
	s.lines(map[string]string{"ann": "", "bob": ""})
}

// Each pair of crossing invitations ends in one accepted call. Both users are notified of it, and neither is busy. The test
// runs alone: under load, the same side wins more often.
func TestCrossingInvitations(t *testing.T) {
	pairs := size(50, 300, 10_000)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Notification, natstest.Logged)
	startWorkers(t, s, 2)
	sides := [2]*integrator{newIntegrator(t, s), newIntegrator(t, s)}
	received := sides[0].user("*")
	go1 := make(chan struct{})
	answers := make([][2]object, pairs)
	var wg sync.WaitGroup
	for n := range pairs {
		users := [2]string{fmt.Sprintf("a%d", n), fmt.Sprintf("b%d", n)}
		for side := range 2 {
			wg.Go(func() {
				<-go1
				from := sides[(n+side)%2] // one of the two may be ahead for as long as the test runs
				answers[n][side] = from.send(fmt.Sprintf("c%d-%d", n, side), "invite",
					invitation("k", users[side], users[1-side]))
			})
		}
	}
	close(go1)
	wg.Wait()
	won := [2]int{}
	for n, pair := range answers {
		first, _ := pair[0]["call"].(object)
		second, _ := pair[1]["call"].(object)
		if pair[0]["ok"] != true || pair[1]["ok"] != true || first["call_id"] != second["call_id"] {
			t.Fatalf("pair %d: %v\nand %v", n, pair[0], pair[1])
		}
		call := sides[0].get(first["call_id"].(string))
		expect(t, call, object{"state": "active"})
		var winner int
		if _, err := fmt.Sscanf(call["call_id"].(string), "c%d-%d", &n, &winner); err != nil {
			t.Fatal(err)
		}
		won[winner]++
	}
	accepted := map[any]bool{}
	for _, n := range received.rest() {
		switch n["event"] {
		case "outgoing_call_accepted":
			accepted[n["call_id"]] = true
		case "incoming_call_received", "incoming_call_answered_elsewhere":
		default:
			t.Errorf("a user receives %v", n)
		}
	}
	t.Logf("%d pairs crossed, won by the one side and the other: %v", pairs, won)
	if len(accepted) != pairs || won[0] == 0 || won[1] == 0 {
		t.Errorf("%d of %d were notified; won: %v", len(accepted), pairs, won)
	}
}

// The claim of a dead worker holds a line for 30 s. Then the next invitation fences the call of that claim and takes over the
// line.
func TestClaimInFlightIsTakenOver(t *testing.T) {
	s := newScene(t)
	s.putLine(s.server, "bob", "dead", time.Minute)
	expect(t, s.ok("c1", "invite", invitation("k1", "ann", "bob")), object{"state": "ringing"})
	s.refused("dead", "invite", invitation("k9", "joe", "bob"), "call_ended")
	start := time.Now()
	s.putLine(s.server, "eve", "young", 29*time.Second)
	expect(t, s.ok("c2", "invite", invitation("k1", "kim", "eve")), object{"state": "ringing"})
	if took := time.Since(start); took < 500*time.Millisecond || took > 25*time.Second {
		t.Errorf("a claim of 29 s was waited for for %v", took)
	}
	s.lines(map[string]string{"bob": "c1", "eve": "c2"})
}

// putLine writes an uncommitted claim of that age.
func (i *integrator) putLine(s *natstest.Server, user, callID string, age time.Duration) {
	i.t.Helper()
	kv, err := s.JS.KeyValue(i.t.Context(), streams.BucketLines)
	if err != nil {
		i.t.Fatal(err)
	}
	at := time.Now().Add(-age).UTC().Format("2006-01-02T15:04:05.000Z")
	if _, err := kv.Put(i.t.Context(), "demo."+user, fmt.Appendf(nil, `[{"call_id":%q,"seq":0,"at":%q}]`, callID, at)); err != nil {
		i.t.Fatal(err)
	}
}

// lines compares the lines of some users with the expected calls.
func (s *scene) lines(want map[string]string) {
	s.t.Helper()
	kv, err := s.server.JS.KeyValue(s.t.Context(), streams.BucketLines)
	if err != nil {
		s.t.Fatal(err)
	}
	for user, callID := range want {
		e, err := kv.Get(s.t.Context(), "demo."+user)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound) && callID == "":
		case err != nil:
			s.t.Errorf("line of %s: %v, want %q", user, err, callID)
		default:
			var got []string
			for _, x := range decodeList(s.t, e.Value()) {
				got = append(got, x["call_id"].(string))
			}
			if len(got) != 1 || got[0] != callID {
				s.t.Errorf("line of %s: %v, want %q", user, got, callID)
			}
		}
	}
}

// An app may allow more calls per line. Crossing invitations are detected there too.
func TestCallWaiting(t *testing.T) {
	s := newScene(t, natstest.Notification)
	kv, err := s.server.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "demo", []byte(`{"capacity":2}`)); err != nil {
		t.Fatal(err)
	}
	s.ok("c1", "invite", invitation("k1", "ann", "bob"))
	s.bob.next("incoming_call_received")
	for n := 0; ; n++ { // until the setting is in force
		c := s.ok(fmt.Sprintf("w%d", n), "invite", invitation("k1", fmt.Sprintf("w%d", n), "bob"))
		if c["state"] == "ringing" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.bob.next("incoming_call_received")
	expect(t, s.ok("c3", "invite", invitation("k1", "kim", "bob")), object{"end_reason": "busy"})
	expect(t, s.ok("c4", "invite", invitation("k4", "bob", "ann")), object{"call_id": "c1", "state": "active"})
	a := s.request("line", `{"user_id":"bob"}`)
	if calls := a["calls"].([]any); a["ok"] != true || len(calls) != 2 {
		t.Errorf("line of bob: %v", a)
	}
	for state, want := range map[string]int{`{}`: 2, `{"state":"active"}`: 1, `{"state":"ringing"}`: 1, `{"limit":1}`: 1} {
		if a := s.request("list", state); a["ok"] != true || len(a["calls"].([]any)) != want {
			t.Errorf("list %s: %v, want %d", state, a, want)
		}
	}
	if e := s.request("list", `{"state":"ended"}`)["error"].(object); e["code"] != "invalid_argument" {
		t.Errorf("list of ended calls: %v", e)
	}
}

// A list says what it costs to read: each call on the lines of the app, and the lines themselves, also those that were released.
func TestListCosts(t *testing.T) {
	s := newScene(t)
	for n := range 30 {
		s.ok(fmt.Sprint("c", n), "invite", invitation("k", fmt.Sprint("ann", n), fmt.Sprint("bob", n)))
	}
	for n := range 20 {
		s.ok(fmt.Sprint("c", n), "end", `{"command_id":"e","service":"desk"}`)
	}
	lines := store.NewLines(s.nc, stream(t, s.nc), store.NewCalls(s.nc, logger(), nil), logger(), nil)
	open, reads, err := lines.OpenCalls(t.Context(), s.app)
	if err != nil || len(open) != 10 || reads != 13 {
		t.Errorf("%d open calls for %d reads, %v; want 10 for the calls and 3 for the 60 lines, most of which were released", len(open), reads, err)
	}
}
