package coordinator_test

import (
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// newReachScene starts workers for an app with reach_s 5.
func newReachScene(t *testing.T) *integrator {
	t.Helper()
	parallel(t)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Notification, natstest.Transition, natstest.Due, natstest.Answer)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "demo", []byte(`{"reach_s":5}`)); err != nil {
		t.Fatal(err)
	}
	startWorkers(t, s, 1)
	return newIntegrator(t, s)
}

func timeOf(t *testing.T, x object, field string) time.Time {
	t.Helper()
	text, _ := x[field].(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatalf("%s: %v, in %v", field, err, x)
	}
	return at
}

// Bob is offline, and Ann calls with a ring timeout of 600 s. Carol gets busy only until the reach deadline: then the line is free.
func TestNotReachedFreesTheLine(t *testing.T) {
	i := newReachScene(t)
	ann, bob, carol := i.user("ann"), i.user("bob"), i.user("carol")
	x := callee(i.ok("c1", "invite", invitation("k1", "ann", "bob")))
	reach, ring := timeOf(t, x, "reach_deadline"), timeOf(t, x, "ring_deadline")
	if rings := ring.Sub(reach); rings < 594*time.Second || rings > 595*time.Second {
		t.Errorf("the reach deadline is %v before the ring deadline: %v", rings, x)
	}
	expect(t, i.ok("c2", "invite", invitation("k1", "carol", "bob")), object{"end_reason": "busy"})
	carol.next("outgoing_call_rejected_cause_busy")
	carol.next("call_ended")

	expect(t, ann.next("outgoing_call_timeout"), object{"user_id": "bob", "reason": "not_reached", "custom_data": "of ann"})
	expect(t, ann.next("call_ended"), object{"reason": "timed_out", "user_id": nil})
	late := time.Since(reach)
	if late < 0 || late > time.Minute { // without it, 600 s
		t.Errorf("%v after the reach deadline", late)
	}
	bob.next("incoming_call_received")
	expect(t, bob.next("incoming_call_timeout"), object{"reason": "not_reached"})
	expect(t, bob.next("call_ended"), object{"reason": "not_reached", "user_id": "bob"})
	c := i.get("c1")
	expect(t, c, object{"state": "ended", "end_reason": "timed_out"})
	expect(t, callee(c), object{"state": "timed_out", "reason": "not_reached"})

	expect(t, i.ok("c3", "invite", invitation("k3", "carol", "bob")), object{"state": "ringing"})
	expect(t, bob.next("incoming_call_received"), object{"call_id": "c3"})
}

// A device that confirms keeps the callee ringing until the ring deadline, whose expire is another command. Another callee of the
// same invitation, whose devices do not confirm, is not reached.
func TestNotReachedAndTimedOut(t *testing.T) {
	i := newReachScene(t)
	ann := i.user("ann")
	i.ok("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"},{"user_id":"eve"}],"ring_timeout_s":8}`)
	i.ok("c1", "ring", by("r1", "bob"))
	ann.next("outgoing_call_ringing")
	got := object{}
	for range 2 { // on a slow machine, both deadlines may be over before the first is handled
		n := ann.next("outgoing_call_timeout")
		got[n["user_id"].(string)] = n["reason"]
	}
	expect(t, got, object{"eve": "not_reached", "bob": "timed_out"})
	expect(t, ann.next("call_ended"), object{"reason": "timed_out"})
	c := i.get("c1")
	if early := time.Until(timeOf(t, callee(c), "ring_deadline")); early > 0 {
		t.Errorf("bob timed out %v early", early)
	}
}
