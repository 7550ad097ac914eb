// Package stall detects that this process stalled: it was stopped, its machine was suspended, or it got no CPU time.
//
// A request to the api has no timestamp. If it arrived during a stall, its sender may have given up long ago, so it
// must not be carried out. The same holds for commands that clients sent to an edge.
//
// What it promises:
//
//  1. Stalled is true from the end of a gap of more than Limit, until everything that was in flight at that time has
//     arrived. That is when NATS has answered a ping on every connection, plus Settle. There is no delay: the first
//     call of Stalled after a gap detects it.
//  2. A gap is measured by the monotonic clock and by the wall clock, because the monotonic clock stops while a machine
//     is suspended. So a wall clock that is set forward counts as a gap. That refuses the requests of one round trip.
//  3. A nil *Watch is never stalled. Tests need none.
package stall

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/meter"
)

// The times of a watch.
const (
	Tick   = 250 * time.Millisecond
	Limit  = 2 * time.Second        // a longer gap between two ticks is a stall
	Settle = 500 * time.Millisecond // for messages that arrived before the ping's answer and are still in local buffers
)

// Watch detects stalls.
type Watch struct {
	now   func() time.Time
	conns []*nats.Conn
	kick  chan struct{}
	log   zerolog.Logger
	count *meter.Count

	last    atomic.Pointer[time.Time] // the latest tick
	stalled atomic.Bool
}

// New makes a watch on this local clock. The connections are those that bring requests.
func New(now func() time.Time, conns []*nats.Conn, log zerolog.Logger, m *meter.Meter) *Watch {
	w := &Watch{now: now, conns: conns, kick: make(chan struct{}, 1), log: log, count: m.Stalls()}
	w.tick(now())
	return w
}

func (w *Watch) tick(now time.Time) { w.last.Store(&now) }

// Ended signals the end of each stall.
func (w *Watch) Ended() <-chan struct{} { return w.kick }

// Stalled reports whether a request that arrives now may have been in flight during a stall.
func (w *Watch) Stalled() bool {
	if w == nil {
		return false
	}
	if w.stalled.Load() {
		return true
	}
	if gap(*w.last.Load(), w.now()) <= Limit {
		return false
	}
	w.stalled.Store(true)
	return true
}

// gap is the longer of the gaps by the monotonic clock and by the wall clock.
func gap(from, to time.Time) time.Duration { return max(to.Sub(from), to.Round(0).Sub(from.Round(0))) }

// Now returns the time of the watch's clock, for Since.
func (w *Watch) Now() (now time.Time) {
	if w != nil {
		now = w.now()
	}
	return now
}

// Since reports whether more than Limit has passed since then: the process stalled, even if the watch has ticked again.
func (w *Watch) Since(then time.Time) bool { return w != nil && gap(then, w.now()) > Limit }

// Run ticks until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	ticker := time.NewTicker(Tick)
	defer ticker.Stop()
	for {
		if w.Stalled() {
			w.pass(ctx)
		}
		w.tick(w.now())
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// pass waits until the messages in flight have arrived.
func (w *Watch) pass(ctx context.Context) {
	long := gap(*w.last.Load(), w.now())
	w.count.Inc()
	w.log.Warn().Float64("seconds", long.Seconds()).Msg("this process was paused; it refuses requests that arrived meanwhile")
	select {
	case w.kick <- struct{}{}:
	default:
	}
	for _, nc := range w.conns {
		for ctx.Err() == nil && nc.FlushTimeout(time.Second) != nil && !nc.IsClosed() {
			w.tick(w.now())
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(Settle):
	}
	w.tick(w.now())
	w.stalled.Store(false)
}
