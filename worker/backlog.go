package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/meter"
)

// How long the state of a consumer is asked for, and how long what came of it is told again: whoever asks often, or
// while NATS does not answer, costs no more than one request in that time.
const (
	backlogWithin = time.Second
	backlogFor    = 5 * time.Second
)

// Backlog gives a function that reads the backlog of a consumer until ctx ends. It soon gives up, and says whether it
// knows.
func Backlog(ctx context.Context, js jetstream.JetStream, stream, consumer string) func() (meter.Backlog, bool) {
	return cached(func() (meter.Backlog, bool) {
		if !js.Conn().IsConnected() {
			return meter.Backlog{}, false
		}
		ctx, cancel := context.WithTimeout(ctx, backlogWithin)
		defer cancel()
		c, err := js.Consumer(ctx, stream, consumer)
		if err != nil { // it is not an error that somebody has to look at: the gauge is absent
			return meter.Backlog{}, false
		}
		info := c.CachedInfo()
		return meter.Backlog{Waiting: info.NumPending, Unacknowledged: uint64(max(info.NumAckPending, 0))}, true
	})
}

// Oldest gives a function that reads the age of the oldest message of a work queue until ctx ends: what is done is no longer there. By the
// leader's clock alone.
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

// cached gives a function that does not read again for a while.
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
