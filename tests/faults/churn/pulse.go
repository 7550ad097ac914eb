package churn

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
	"ringline.io/ringline/tests/faults/record"
)

// Pulse is a notification to a client that stays connected. Its latency shows how slow the whole system is at
// that time.
type Pulse struct{ Sent, Came int64 } // Came is 0 if it never arrived

const (
	pulsesOf   = 8 // per edge: an edge has lanes, and one of them may be slow
	pulseEvery = 100 * time.Millisecond
)

// pulses sends pulses through the edges until it is stopped.
type pulses struct {
	mu    sync.Mutex
	all   []Pulse
	tally *tally
}

// start sends pulses until ctx ends.
func (p *pulses) start(ctx context.Context, nc *nats.Conn, a device.App, edges []string) error {
	for i := range pulsesOf * len(edges) {
		user := fmt.Sprintf("pulse%d", i)
		raw, err := a.Token(user, "")
		if err != nil {
			return err
		}
		d, _, err := device.Connect(ctx, device.Hello{Server: edges[i%len(edges)], Token: raw, Device: user}, nil)
		if err != nil {
			return fmt.Errorf("churn: a pulse: %w", err)
		}
		go func() {
			if err := d.Run(p.came); ctx.Err() == nil {
				p.tally.ended(err)
			}
		}()
		go func() {
			defer d.Socket.Close()
			for play.Sleep(ctx, pulseEvery) {
				p.send(nc, user)
			}
		}()
	}
	return nil
}

func (p *pulses) send(nc *nats.Conn, user string) {
	p.mu.Lock()
	n := len(p.all)
	p.all = append(p.all, Pulse{Sent: record.Now()})
	p.mu.Unlock()
	body, err := events.Encode(events.Notification{
		Event: events.CallEnded, CallID: user, Seq: n + 1, Call: events.Call{CallID: user, Seq: n + 1, State: events.CallStateEnded},
	})
	if err == nil {
		err = nc.Publish(events.UserSubject(app, user), body)
	}
	if err != nil {
		p.tally.add("no pulse: " + why(err))
	}
}

func (p *pulses) came(data []byte) {
	now := record.Now()
	var n events.Notification
	if json.Unmarshal(data, &n) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := n.Seq - 1; i >= 0 && i < len(p.all) && p.all[i].Came == 0 {
		p.all[i].Came = now
	}
}

// list returns the pulses, without those that may still be in flight.
func (p *pulses) list() []Pulse {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := record.Now() - int64(5*time.Second)
	return slices.DeleteFunc(slices.Clone(p.all), func(x Pulse) bool { return x.Came == 0 && x.Sent > last })
}

// slowness lists the slow pulses.
type slowness []Pulse

// newSlowness returns the pulses with a latency above longer.
func newSlowness(all []Pulse, longer time.Duration) (s slowness) {
	for _, p := range all {
		if p.Came-p.Sent > int64(longer) {
			s = append(s, p)
		}
	}
	return s
}

// within reports whether a pulse was slow in this interval.
func (s slowness) within(from, to int64) bool {
	return slices.ContainsFunc(s, func(p Pulse) bool { return p.Sent <= to && p.Came >= from })
}
