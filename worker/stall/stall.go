// Package stall notices that this process stood still: it was stopped, its machine was suspended, or it got no processor.
//
// A request to the api has no timestamp. What arrived while the process stood still may have been given up by its sender long ago, and
// must not be carried out now. The same holds for what clients sent to an edge.
//
// What it promises:
//
//  1. Stalled is true from the end of a gap of more than Limit until everything has passed that was on its way when the gap ended: until NATS has
//     answered a ping on every connection, and for Settle after that. It is exact at once: the first question after a gap notices it.
//  2. A gap counts by the monotonic clock and by the wall clock. The first stands still while a machine is suspended. So a wall clock that
//     is set forward counts as a gap; it costs the requests of one round trip.
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

// The times.
const (
	Tick   = 250 * time.Millisecond
	Limit  = 2 * time.Second        // a longer gap between two ticks is a stall
	Settle = 500 * time.Millisecond // for what had come before the answer to the ping and is still in our own buffers
)

// Watch notices stalls.
type Watch struct {
	now   func() time.Time
	conns []*nats.Conn
	kick  chan struct{}
	log   zerolog.Logger
	count *meter.Count

	last    atomic.Pointer[time.Time] // the newest tick
	stalled atomic.Bool
}

// New makes a watch by this local clock. The connections are those that bring requests; Ended reports the end of a stall.
func New(now func() time.Time, conns []*nats.Conn, log zerolog.Logger, m *meter.Meter) *Watch {
	w := &Watch{now: now, conns: conns, kick: make(chan struct{}, 1), log: log, count: m.Stalls()}
	w.tick(now())
	return w
}

func (w *Watch) tick(now time.Time) { w.last.Store(&now) }

// Ended hears of the end of each stall.
func (w *Watch) Ended() <-chan struct{} { return w.kick }

// Stalled says whether what comes now may have been on its way while the process stood still.
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

// gap is the longer of those by the two clocks.
func gap(from, to time.Time) time.Duration { return max(to.Sub(from), to.Round(0).Sub(from.Round(0))) }

// Now is the time by the clock of the watch, for Since.
func (w *Watch) Now() (now time.Time) {
	if w != nil {
		now = w.now()
	}
	return now
}

// Since says whether the process stood still since then, although it runs now.
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

// pass lets pass what was on its way.
func (w *Watch) pass(ctx context.Context) {
	long := gap(*w.last.Load(), w.now())
	w.count.Inc()
	w.log.Warn().Float64("seconds", long.Seconds()).Msg("this process stood still; requests that came meanwhile are refused, if it takes any")
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
