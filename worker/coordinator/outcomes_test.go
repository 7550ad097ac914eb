package coordinator_test

import (
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
)

const (
	inviteBob = `{"command_id":"k1","user_id":"ann","user_name":"Ann","device_id":"phone","call_type":1,` +
		`"callees":[{"user_id":"bob","user_name":"Bob"}],"custom_data":"hi"}`
	ringBob   = `{"command_id":"r1","user_id":"bob","device_id":"tablet","attempt":1}`
	acceptBob = `{"command_id":"a1","user_id":"bob","device_id":"tablet","custom_data":"coming"}`
)

// scene is a server with workers, an integrator, and the notifications of ann and bob.
type scene struct {
	*integrator
	server   *natstest.Server
	ann, bob *feed
}

// newScene makes the test parallel.
func newScene(t *testing.T, want ...string) *scene {
	t.Helper()
	parallel(t)
	return newSceneAlone(t, want...)
}

func newSceneAlone(t *testing.T, want ...string) *scene {
	t.Helper()
	s := natstest.Start(t)
	natstest.Watch(t, s, append(want, natstest.Answer)...)
	startWorkers(t, s, 1)
	i := newIntegrator(t, s)
	return &scene{integrator: i, server: s, ann: i.user("ann"), bob: i.user("bob")}
}

// rings starts a call that rings on bob's tablet.
func (s *scene) rings() {
	s.t.Helper()
	const callID = "c1"
	c := s.ok(callID, "invite", inviteBob)
	expect(s.t, c, object{"state": "ringing", "seq": 1.0, "room_id": callID, "call_type": 1.0})
	n := s.bob.next("incoming_call_received")
	expect(s.t, n, object{"id": callID + "-1-0", "call_id": callID, "user_id": "bob", "custom_data": "hi"})
	if ms, _ := n["ring_remaining_ms"].(float64); ms < 45_000 || ms > 60_000 {
		s.t.Errorf("ring_remaining_ms is %v", n["ring_remaining_ms"])
	}
	s.ok(callID, "ring", ringBob)
	expect(s.t, s.ann.next("outgoing_call_ringing"), object{"id": callID + "-2-0", "user_id": "bob", "reason": nil})
}

// over checks that no more notifications were sent, and how the call ended.
func (s *scene) over(reason string) {
	s.t.Helper()
	expect(s.t, s.get("c1"), object{"state": "ended", "end_reason": reason})
	s.ann.nothing()
	s.bob.nothing()
}

func (i *integrator) get(callID string) object {
	i.t.Helper()
	m, err := i.nc.Request("ringline."+i.app+".api.get", []byte(`{"call_id":"`+callID+`"}`), within)
	if err != nil {
		i.t.Fatal(err)
	}
	a := decode(i.t, m.Data)
	if a["ok"] != true {
		i.t.Fatalf("get %s: %v", callID, a)
	}
	return a["call"].(object)
}

func callee(c object) object { return c["callees"].([]any)[0].(object) }

func TestAccepted(t *testing.T) {
	s := newScene(t, natstest.Notification, natstest.Transition, natstest.Logged)
	s.rings()
	c := s.ok("c1", "accept", acceptBob)
	expect(t, c, object{"state": "active", "seq": 3.0})
	expect(t, callee(c), object{"state": "accepted", "device_id": "tablet", "custom_seq": 3.0})
	expect(t, c["custom"].(object), object{"3": "coming"})
	expect(t, s.ann.next("outgoing_call_accepted"), object{"id": "c1-3-0", "user_id": "bob", "custom_data": "coming"})
	expect(t, s.bob.next("incoming_call_answered_elsewhere"), object{"id": "c1-3-0"})

	s.ok("c1", "leave", `{"command_id":"l1","user_id":"bob","device_id":"tablet"}`)
	expect(t, s.ann.next("call_ended"), object{"reason": "completed", "user_id": nil})
	expect(t, s.bob.next("call_ended"), object{"reason": "completed", "user_id": nil})
	s.over("completed")
}

func TestDeclined(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.rings()
	s.ok("c1", "decline", `{"command_id":"d1","user_id":"bob","device_id":"tablet","custom_data":"later"}`)
	expect(t, s.ann.next("outgoing_call_declined"), object{"user_id": "bob", "reason": "declined", "custom_data": "later"})
	expect(t, s.ann.next("call_ended"), object{"reason": "declined", "user_id": nil, "custom_data": "later"})
	expect(t, s.bob.next("incoming_call_declined_elsewhere"), object{"reason": "declined"})
	expect(t, s.bob.next("call_ended"), object{"reason": "declined", "user_id": "bob"})
	s.over("declined")
}

func TestBusyReportedByTheCallee(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.rings()
	s.ok("c1", "decline", `{"command_id":"d1","user_id":"bob","reason":"busy"}`)
	expect(t, s.ann.next("outgoing_call_rejected_cause_busy"), object{"user_id": "bob", "reason": "busy"})
	expect(t, s.ann.next("call_ended"), object{"reason": "busy"})
	s.bob.next("incoming_call_declined_elsewhere")
	expect(t, s.bob.next("call_ended"), object{"reason": "busy"})
	s.over("busy")
}

func TestCanceled(t *testing.T) {
	parallel(t)
	for _, verb := range []string{"cancel", "leave", "end"} {
		t.Run(verb, func(t *testing.T) {
			s := newScene(t, natstest.Notification)
			s.rings()
			s.ok("c1", verb, `{"command_id":"x1","user_id":"ann","custom_data":"never mind"}`)
			reason := "canceled"
			if verb == "end" {
				reason = "ended"
			}
			expect(t, s.bob.next("incoming_call_canceled"), object{"reason": reason, "custom_data": "never mind"})
			expect(t, s.bob.next("call_ended"), object{"reason": "canceled", "user_id": "bob"})
			expect(t, s.ann.next("call_ended"), object{"reason": "canceled", "user_id": nil})
			s.over("canceled")
		})
	}
}

func TestTimedOut(t *testing.T) {
	s := newScene(t, natstest.Notification, natstest.Due, natstest.Command)
	start := time.Now()
	s.ok("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":6,"custom_data":"hi"}`)
	s.bob.next("incoming_call_received")
	expect(t, s.bob.next("incoming_call_timeout"), object{"reason": "timed_out", "custom_data": "hi"})
	if took := time.Since(start); took < 6*time.Second {
		t.Errorf("timed out after %v, before its deadline", took)
	}
	expect(t, s.bob.next("call_ended"), object{"reason": "timed_out"})
	expect(t, s.ann.next("outgoing_call_timeout"), object{"user_id": "bob", "custom_data": "hi"})
	expect(t, s.ann.next("call_ended"), object{"reason": "timed_out"})
	s.over("timed_out")
	expect(t, s.get("c1")["ended_by"].(object), object{"kind": "timer"})
}

func TestSecondDevice(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.rings()
	s.ok("c1", "accept", acceptBob)
	s.refused("c1", "accept", `{"command_id":"a2","user_id":"bob","device_id":"phone"}`, "answered_elsewhere")
	s.refused("c1", "accept", `{"command_id":"a3","user_id":"bob"}`, "answered_elsewhere")
	s.refused("c1", "decline", `{"command_id":"d2","user_id":"bob","device_id":"phone"}`, "answered_elsewhere")
	s.refused("c1", "decline", `{"command_id":"d3","user_id":"bob","device_id":"tablet"}`, "not_pending")
	c := s.ok("c1", "accept", `{"command_id":"a4","user_id":"bob","device_id":"tablet"}`)
	expect(t, c, object{"seq": 3.0})
	s.ann.next("outgoing_call_accepted")
	n := s.bob.next("incoming_call_answered_elsewhere")
	expect(t, n["by"].(object), object{"device_id": "tablet"})
	s.ann.nothing()
	s.bob.nothing()
}

// A repeated command changes nothing and receives the same answer. Its notifications are sent again.
func TestRepeats(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.rings()
	expect(t, s.ok("c1", "invite", inviteBob), object{"seq": 2.0, "call_id": "c1"})
	n := s.bob.next("incoming_call_received")
	expect(t, n, object{"id": "c1-1-0", "seq": 1.0})
	expect(t, n["call"].(object), object{"seq": 1.0})
	if msg := s.refused("c1", "cancel", `{"command_id":"k1","user_id":"ann"}`, "invalid_argument"); msg == "" {
		t.Error("no message")
	}
	s.refused("c1", "invite", `{"command_id":"k9","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`, "already_exists")
	s.ann.nothing()
	s.bob.nothing()

	// Callees that no longer have to ring receive no repeated ring. Every other notification is repeated.
	decline := `{"command_id":"d1","user_id":"bob","device_id":"tablet"}`
	s.ok("c1", "decline", decline)
	s.bob.next("incoming_call_declined_elsewhere")
	s.bob.next("call_ended")
	expect(t, s.ok("c1", "invite", inviteBob), object{"seq": 3.0, "state": "ended"})
	s.bob.nothing()
	s.ok("c1", "decline", decline)
	s.bob.next("incoming_call_declined_elsewhere")
	s.bob.next("call_ended")
	s.bob.nothing()
}

func TestHangUpThatOvertakesItsInvitation(t *testing.T) {
	s := newScene(t)
	s.publish("c1", "cancel", `{"command_id":"x1","user_id":"ann"}`, "")
	s.ok("c1", "invite", inviteBob)
	start := time.Now()
	s.bob.next("incoming_call_received")
	s.bob.next("incoming_call_canceled")
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it rang on for %v", took)
	}
	s.bob.next("call_ended")
	expect(t, s.ann.next("call_ended"), object{"reason": "canceled"})
	s.over("canceled")
}

// A hang-up without a call retires the call id, so that it can't ring later.
func TestHangUpWithoutCall(t *testing.T) {
	s := newScene(t)
	start := time.Now()
	s.refused("c1", "cancel", `{"command_id":"x1","user_id":"ann"}`, "not_found")
	if took := time.Since(start); took < 4900*time.Millisecond {
		t.Errorf("not_found after %v, before 5 s", took)
	}
	s.refused("c1", "invite", inviteBob, "call_ended")
	s.refused("c1", "cancel", `{"command_id":"x2","user_id":"ann"}`, "not_found")
	s.refused("c2", "accept", acceptBob, "not_found")
	s.bob.nothing()
}
