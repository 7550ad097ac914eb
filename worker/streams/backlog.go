package streams

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/meter"
)

// A read of the consumer's state may take backlogWithin. Its result, known or unknown, is reused for backlogFor, so frequent
// reads or a NATS outage cost at most one request in that time.
const (
	backlogWithin = time.Second
	backlogFor    = 5 * time.Second
)

// Backlog returns a function that reads the backlog of a consumer until ctx ends. The function gives up after a second. Its
// second result is false if the backlog is unknown.
func Backlog(ctx context.Context, js jetstream.JetStream, stream, consumer string) func() (meter.Backlog, bool) {
	return cached(func() (meter.Backlog, bool) {
		if !js.Conn().IsConnected() {
			return meter.Backlog{}, false
		}
		ctx, cancel := context.WithTimeout(ctx, backlogWithin)
		defer cancel()
		c, err := js.Consumer(ctx, stream, consumer)
		if err != nil { // not logged: the gauge is absent
			return meter.Backlog{}, false
		}
		info := c.CachedInfo()
		return meter.Backlog{Waiting: info.NumPending, Unacknowledged: uint64(max(info.NumAckPending, 0))}, true
	})
}

// Oldest returns a function that reads the age of the oldest message of a work queue until ctx ends. A work queue holds only
// unacked messages. The age depends only on the clock of the stream leader.
func Oldest(ctx context.Context, js jetstream.JetStream, stream string) func() (time.Duration, bool) {
	return cached(func() (time.Duration, bool) {
		if !js.Conn().IsConnected() {
			return 0, false
		}
		ctx, cancel := context.WithTimeout(ctx, backlogWithin)
		defer cancel()
		s, err := js.Stream(ctx, stream)
		if err != nil {
			return 0, false
		}
		info := s.CachedInfo()
		if info.State.Msgs == 0 {
			return 0, true
		}
		return max(0, info.TimeStamp.Sub(info.State.FirstTime)), true
	})
}

// cached returns a function that calls read at most once per backlogFor.
func cached[T any](read func() (T, bool)) func() (T, bool) {
	var mu sync.Mutex
	var at time.Time
	var last T
	var known bool
	return func() (T, bool) {
		mu.Lock()
		defer mu.Unlock()
		if at.IsZero() || time.Since(at) >= backlogFor {
			last, known = read()
			at = time.Now()
		}
		return last, known
	}
}
