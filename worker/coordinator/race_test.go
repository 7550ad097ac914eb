package coordinator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
)

// Accept, cancel and expire meet at the deadline, on separate connections, with two coordinators. One wins, and the others
// receive the correct refusal.
func TestAcceptAgainstCancelAgainstExpire(t *testing.T) {
	parallel(t)
	rounds := size(60, 300, 3000)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Answer, natstest.Notification, natstest.Logged)
	startWorkers(t, s, 2)
	backend, ann, bob, timer := newIntegrator(t, s), newIntegrator(t, s), newIntegrator(t, s), newIntegrator(t, s)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))

	won := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for round := range rounds {
		r := race{callID: fmt.Sprintf("race%d", round), ann: fmt.Sprintf("ann%d", round), bob: fmt.Sprintf("bob%d", round)}
		r.feed = backend.user(r.ann)
		call := backend.ok(r.callID, "invite", fmt.Sprintf(
			`{"command_id":"k1","user_id":%q,"call_type":0,"callees":[{"user_id":%q}],"ring_timeout_s":3}`, r.ann, r.bob))
		deadline, err := time.Parse(time.RFC3339, callee(call)["ring_deadline"].(string))
		if err != nil {
			t.Fatal(err)
		}
		jitter := func() time.Time { return deadline.Add(time.Duration(rng.Int64N(12000)-6000) * time.Microsecond) }
		at := [3]time.Time{jitter(), jitter(), jitter()}
		wg.Go(func() {
			winner := r.run(t, ann, bob, timer, at)
			mu.Lock()
			won[winner]++
			mu.Unlock()
		})
	}
	wg.Wait()
	t.Logf("of %d rounds: %v", rounds, won)
	for _, who := range []string{"accept", "cancel", "expire"} {
		if won[who] == 0 {
			t.Errorf("%s never won: %v", who, won)
		}
	}
}

type race struct {
	callID, ann, bob string
	feed             *feed
}

// run sends the three commands and returns the winner.
func (r race) run(t *testing.T, ann, bob, timer *integrator, at [3]time.Time) string {
	t.Helper()
	sum := sha256.Sum256([]byte(r.callID + "\x001"))
	var accept, cancel object
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(time.Until(at[0]))
		accept = bob.send(r.callID, "accept", fmt.Sprintf(`{"command_id":"a1","user_id":%q,"attempt":1}`, r.bob))
	})
	wg.Go(func() {
		time.Sleep(time.Until(at[1]))
		cancel = ann.send(r.callID, "cancel", fmt.Sprintf(`{"command_id":"x1","user_id":%q}`, r.ann))
	})
	wg.Go(func() {
		time.Sleep(time.Until(at[2]))
		a := timer.send(r.callID, "expire",
			fmt.Sprintf(`{"command_id":%q,"service":"timeouts"}`, hex.EncodeToString(sum[:])[:32]))
		if a["ok"] != true {
			t.Errorf("%s: expire is answered %v", r.callID, a)
		}
	})
	wg.Wait()
	if accept == nil || cancel == nil {
		return "" // a missing answer has already been reported
	}

	final := ann.get(r.callID)
	winner := map[any]string{"accepted": "accept", "canceled": "cancel", "timed_out": "expire"}[callee(final)["state"]]
	for verb, a := range map[string]object{"accept": accept, "cancel": cancel} {
		want := "call_ended"
		if winner == "accept" {
			want = "not_pending"
		}
		e, _ := a["error"].(object)
		switch {
		case verb == winner && a["ok"] != true:
			t.Errorf("%s: %s won and is answered %v", r.callID, verb, a)
		case verb != winner && e["code"] != want:
			t.Errorf("%s: %s won, %s is answered %v", r.callID, winner, verb, a)
		case callee(a["call"].(object))["state"] != callee(final)["state"]:
			t.Errorf("%s: %s won, %s is shown %v", r.callID, winner, verb, a)
		}
	}
	switch winner {
	case "accept":
		r.feed.next("outgoing_call_accepted")
	case "cancel":
		expect(t, r.feed.next("call_ended"), object{"reason": "canceled"})
	case "expire":
		r.feed.next("outgoing_call_timeout")
		expect(t, r.feed.next("call_ended"), object{"reason": "timed_out"})
	default:
		t.Errorf("%s: no command won: %v", r.callID, final)
	}
	r.feed.nothingNew()
	return winner
}
