package natstest

import (
	"sync/atomic"
	"testing"
	"time"
)

// Pauses measures the longest stall of this process until the test ends. A busy machine can stall for seconds, and then
// a test can't check a promise that holds only without long stalls.
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
