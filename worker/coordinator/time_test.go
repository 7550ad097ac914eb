package coordinator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// A call ends at its maximum duration, even while users talk or are pending.
func TestMaximumDuration(t *testing.T) {
	parallel(t)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Notification, natstest.Due)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "demo", []byte(`{"max_duration_s":5}`)); err != nil {
		t.Fatal(err)
	}
	startWorkers(t, s, 1)
	i := newIntegrator(t, s)
	ann, bob, eve := i.user("ann"), i.user("bob"), i.user("eve")
	c := i.ok("c1", "invite", invitation("k1", "ann", "bob", "eve"))
	if callee(c)["ring_deadline"] != c["expires_at"] {
		t.Errorf("the ring deadline is not cut to the end of the call: %v", c)
	}
	expires, err := time.Parse(time.RFC3339, c["expires_at"].(string))
	if err != nil {
		t.Fatal(err)
	}
	i.ok("c1", "accept", by("a1", "bob"))
	ann.next("outgoing_call_accepted")
	bob.next("incoming_call_received")
	bob.next("incoming_call_answered_elsewhere")
	eve.next("incoming_call_received")
	expect(t, ann.next("call_ended"), object{"reason": "expired", "user_id": nil})
	if early := time.Until(expires); early > 0 {
		t.Errorf("it ended %v early", early)
	}
	expect(t, bob.next("call_ended"), object{"reason": "expired"})
	expect(t, eve.next("incoming_call_canceled"), object{"reason": "ended"})
	expect(t, eve.next("call_ended"), object{"reason": "canceled", "user_id": "eve"})
	expect(t, i.get("c1"), object{"end_reason": "expired"})
}

// An invitation that was not handled before its ring timeout never rings, and its caller is notified. A late hang-up is still
// carried out.
func TestInvitationThatWaitedTooLong(t *testing.T) {
	parallel(t)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Notification)
	i := newIntegrator(t, s)
	ann, bob, eve := i.user("ann"), i.user("bob"), i.user("eve")
	i.publish("late", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":1}`, "")
	i.publish("in-time", "invite", `{"command_id":"k1","user_id":"joe","call_type":0,"callees":[{"user_id":"eve"}],"ring_timeout_s":600}`, "")
	i.publish("in-time", "cancel", by("x1", "joe"), "")
	if err := i.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // no worker runs
	startWorkers(t, s, 1)
	expect(t, ann.next("outgoing_call_timeout"), object{"user_id": "bob", "reason": "timed_out"})
	expect(t, ann.next("call_ended"), object{"reason": "timed_out"})
	i.handled()
	bob.nothing()
	expect(t, i.get("late"), object{"state": "ended", "end_reason": "timed_out", "seq": 1.0})
	eve.next("incoming_call_received")
	eve.next("incoming_call_canceled")
	expect(t, i.get("in-time"), object{"end_reason": "canceled"})
}

// Waiting commands, here hang-ups of calls that don't exist, don't delay other requests. This is the last test that runs alone,
// because its waiting commands would disturb the next one.
func TestWaitingCommandsDoNotDelayTheAPI(t *testing.T) {
	s := newSceneAlone(t) // not parallel, because it measures time
	took := time.Hour
	for try := 0; try < 3 && took > 4*time.Second; try++ { // a stall of the machine may spoil a try
		for n := range 500 {
			if err := s.nc.PublishRequest("ringline.loud.api.cancel", nats.NewInbox(),
				fmt.Appendf(nil, `{"call_id":"no%d-%d","user_id":"ann"}`, try, n)); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		s.request("get", `{"call_id":"c1"}`)
		s.ok(fmt.Sprintf("c%d", try), "invite", invitation("k1", fmt.Sprintf("ann%d", try), "bob"))
		took = time.Since(start)
	}
	if took > 4*time.Second {
		t.Errorf("a get and an invite took %v", took)
	}
	parallel(t) // the cleanup waits for the hang-ups
}
