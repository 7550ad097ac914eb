package coordinator_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/store"
)

// startSkewed starts a coordinator and a timeouts worker on a machine whose clock is ahead.
func startSkewed(t *testing.T, s *natstest.Server, ahead time.Duration) {
	t.Helper()
	nc := s.Connect(t)
	js := stream(t, nc)
	apps := store.NewApps(js, logger(), call.DefaultLimits(), 17*time.Hour, nil)
	run(t, apps.Run)
	c := s.Clock(t, ahead)
	run(t, coordinator.New(nc, js, logger(), coordinator.Config{Parallel: 64, Limits: apps.Limits, Clock: c}).Run)
	run(t, timeouts.New(js, c, logger(), timeouts.DefaultSweep(), nil).Run)
}

// skews returns clock differences that exceed every delay of a coordinator.
func skews() map[string]time.Duration {
	return map[string]time.Duration{"ahead": 70 * time.Second, "behind": -70 * time.Second}
}

// A machine with a wrong clock rings callees, sends correct times, and ends unanswered calls on time. It also waits for an
// invitation that a hang-up has overtaken.
func TestDecisionsIgnoreTheMachineClock(t *testing.T) {
	parallel(t)
	for name, ahead := range skews() {
		t.Run(name, func(t *testing.T) {
			parallel(t)
			s := natstest.Start(t)
			natstest.Watch(t, s, natstest.Notification)
			startSkewed(t, s, ahead)
			i := newIntegrator(t, s)
			ann, bob, eve := i.user("ann"), i.user("bob"), i.user("eve")
			begun := time.Now()
			i.ok("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":4}`)
			n := bob.next("incoming_call_received")
			at, err := time.Parse(time.RFC3339, n["server_time"].(string))
			if off := at.Sub(begun); err != nil || off < -time.Second || off > within {
				t.Errorf("server_time is off by %v, %v", off, err)
			}
			if left := n["ring_remaining_ms"].(float64); left > 4000 {
				t.Errorf("%v ms are left of 4 s", left)
			}
			bob.next("incoming_call_timeout")
			if took := time.Since(begun); took < 4*time.Second || took > within {
				t.Errorf("4 s of ringing ended after %v", took)
			}
			ann.next("outgoing_call_timeout")
			answer, err := i.nc.SubscribeSync("ringline.demo.answer.it.x1")
			if err != nil {
				t.Fatal(err)
			}
			i.publish("c2", "cancel", by("x1", "joe"), "it.x1")
			i.publish("c2", "invite", `{"command_id":"k2","user_id":"joe","call_type":0,"callees":[{"user_id":"eve"}]}`, "")
			eve.next("incoming_call_received")
			eve.next("incoming_call_canceled")
			canceled(t, answer)
		})
	}
}

func canceled(t *testing.T, answer *nats.Subscription) {
	t.Helper()
	m, err := answer.NextMsg(within)
	if err != nil || decode(t, m.Data)["ok"] != true {
		t.Errorf("the hang-up is answered %v, %v", m, err)
	}
}
