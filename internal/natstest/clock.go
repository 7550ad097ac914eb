package natstest

import (
	"testing"
	"time"

	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/streams"
)

// Clock returns the clock of a machine whose wall clock is ahead of the broker by that much. The clock knows broker
// time.
func (s *Server) Clock(tb testing.TB, ahead time.Duration) *clock.Clock {
	tb.Helper()
	c := clock.New(func() time.Time { return time.Now().Add(ahead) })
	for deadline := time.Now().Add(within); ; {
		err := c.Ask(tb.Context(), s.NC, streams.StreamCommands)
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			tb.Fatalf("natstest: broker time: %v", err)
		}
	}
}
