package abuse

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/play"
)

// Latencies are the latencies that honest pairs measure. For the callee, it is the time from the caller's
// invite to the notification. For the caller, it is the time from the callee's accept to the notification.
type Latencies []time.Duration

// At returns a quantile.
func (l Latencies) At(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(l))
	return s[int(q*float64(len(s)-1))]
}

// honest is a set of pairs that call each other.
type honest struct {
	mu     sync.Mutex
	taken  Latencies
	trips  Latencies // round trips to NATS, which show how busy the machine is
	failed map[string]int
}

// take returns the measurements since the last call of take.
func (h *honest) take() (pairs, trips Latencies) {
	h.mu.Lock()
	defer h.mu.Unlock()
	pairs, trips, h.taken, h.trips = h.taken, h.trips, nil, nil
	return pairs, trips
}

// watch measures round trips until ctx ends.
func (h *honest) watch(ctx context.Context, nc *nats.Conn) {
	for play.Sleep(ctx, 20*time.Millisecond) {
		if trip, err := nc.RTT(); err == nil {
			h.mu.Lock()
			h.trips = append(h.trips, trip)
			h.mu.Unlock()
		}
	}
}

func (h *honest) failure(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[err.Error()]++
}

// honestEvery is the interval between two calls of a pair. A caller may invite once a second.
const honestEvery = 1200 * time.Millisecond

// pair connects a pair, which then calls until ctx ends.
func (h *honest) pair(ctx context.Context, server string, app device.App, i int) error {
	ann, err := enter(ctx, server, app, fmt.Sprintf("ann%d", i))
	if err != nil {
		return err
	}
	bob, err := enter(ctx, server, app, fmt.Sprintf("bob%d", i))
	if err != nil {
		return err
	}
	go func() {
		defer ann.d.Socket.Close()
		defer bob.d.Socket.Close()
		for n := 0; play.Sleep(ctx, honestEvery); n++ {
			took, err := call(ctx, ann, bob, fmt.Sprintf("h%d-%d", i, n))
			h.mu.Lock()
			h.taken = append(h.taken, took...)
			h.mu.Unlock()
			if err != nil && ctx.Err() == nil {
				h.failure(err)
			}
		}
	}()
	return nil
}

// person is an honest client.
type person struct {
	user   string
	d      *device.Device
	pushes chan events.Notification
}

func enter(ctx context.Context, server string, app device.App, user string) (*person, error) {
	raw, err := app.Token(user, "")
	if err != nil {
		return nil, err
	}
	d, _, err := device.Connect(ctx, device.Hello{Server: server, Token: raw, Device: "phone"}, nil)
	if err != nil {
		return nil, fmt.Errorf("abuse: %s: %w", user, err)
	}
	p := &person{user: user, d: d, pushes: make(chan events.Notification, 100)}
	go func() {
		_ = d.Run(func(data []byte) { // if the session ends, the calls report it
			var n events.Notification
			if json.Unmarshal(data, &n) == nil {
				p.pushes <- n
			}
		})
	}()
	return p, nil
}

// call plays one call and returns both latencies.
func call(ctx context.Context, ann, bob *person, id string) (l Latencies, err error) {
	for _, step := range []struct {
		by, receives *person
		verb         events.Verb
		more         string
		want         events.Kind
	}{
		{ann, bob, events.VerbInvite, fmt.Sprintf(`,"call_type":0,"callees":[{"user_id":%q}]`, bob.user), events.IncomingCallReceived},
		{bob, ann, events.VerbAccept, "", events.OutgoingCallAccepted},
		{ann, bob, events.VerbEnd, "", events.CallEnded},
	} {
		begun := time.Now()
		answered := make(chan error, 1)
		go func() {
			a, err := step.by.d.Ask(ctx, string(step.verb), fmt.Appendf(nil, `{"command_id":"%s-%s","call_id":%q%s}`, id, step.verb, id, step.more))
			if err == nil && !a.OK {
				err = a.Error
			}
			answered <- err
		}()
		took, err := step.receives.await(ctx, id, step.want, begun)
		if err == nil {
			err = <-answered
		}
		if err != nil {
			return l, fmt.Errorf("abuse: an honest %s: %w", step.verb, err)
		}
		if step.verb != events.VerbEnd {
			l = append(l, took)
		}
	}
	return l, nil
}

// await waits for a notification about a call.
func (p *person) await(ctx context.Context, id string, want events.Kind, since time.Time) (time.Duration, error) {
	timeout := time.After(10 * time.Second)
	for {
		select {
		case n := <-p.pushes:
			if n.CallID == id && n.Event == want {
				return time.Since(since), nil
			}
		case <-timeout:
			return 0, fmt.Errorf("no %s: %w", want, device.ErrSilent)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
