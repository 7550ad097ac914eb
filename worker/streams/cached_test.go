package streams

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringline.io/ringline/worker/meter"
)

// TestCached: the result of a read is reused for a while, also if the read failed.
func TestCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := uint64(0)
		ask := cached(func() (meter.Backlog, bool) {
			time.Sleep(backlogWithin)
			reads++
			return meter.Backlog{Waiting: reads}, reads != 2
		})
		check := func(want uint64) {
			t.Helper()
			if got, known := ask(); got.Waiting != want || known != (want != 2) {
				t.Errorf("the answer is %+v, %v, want %d", got, known, want)
			}
		}
		check(1)
		time.Sleep(backlogFor - time.Millisecond)
		check(1)
		time.Sleep(time.Millisecond)
		check(2) // this read fails, and it is not retried at once
		check(2)
		time.Sleep(backlogFor)
		check(3)
	})
}

// TestCachedForAll: concurrent callers share one read and its result.
func TestCachedForAll(t *testing.T) {
	var reads, asked atomic.Int64
	begun, finish := make(chan struct{}), make(chan struct{})
	ask := cached(func() (meter.Backlog, bool) {
		reads.Add(1)
		close(begun)
		<-finish
		return meter.Backlog{Waiting: 7}, true
	})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			asked.Add(1)
			if got, known := ask(); got.Waiting != 7 || !known {
				t.Errorf("%+v, %v", got, known)
			}
		})
	}
	<-begun
	for asked.Load() < 10 {
		time.Sleep(time.Millisecond)
	}
	close(finish)
	all.Wait()
	if reads.Load() != 1 {
		t.Errorf("it was read %d times", reads.Load())
	}
}
