package natstest

import (
	"sync/atomic"
	"testing"
	"time"
)

// Pauses measures how long this process stands still until the test ends, as a busy machine lets it for seconds. What holds only
// where nothing pauses for too long can't be tested then.
func Pauses(tb testing.TB) (longest func() time.Duration) {
	tb.Helper()
	const every = 10 * time.Millisecond
	var most atomic.Int64
	over := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for last := time.Now(); ; {
			select {
			case <-over:
				return
			case <-time.After(every):
			}
			now := time.Now()
			most.Store(max(most.Load(), int64(now.Sub(last)-every)))
			last = now
		}
	}()
	tb.Cleanup(func() { close(over); <-done })
	return func() time.Duration { return time.Duration(most.Load()) }
}
