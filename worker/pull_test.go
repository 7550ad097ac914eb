package worker_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
)

// Run does not wait at its end for messages queued behind a slow one. It naks them.
func TestTheEndNaksWhatWaits(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	var begun atomic.Int32
	stop := start(t, s, 1, func(ctx context.Context, _ worker.Msg) worker.Exit {
		begun.Add(1)
		<-ctx.Done()
		return worker.Nak(time.Hour, meter.NoCallYet)
	})
	for n := range 50 {
		publish(t, s, fmt.Sprintf("c%d", n%5), "x")
	}
	eventually(t, "one is in flight", func() bool { return begun.Load() == 1 })
	begin := time.Now()
	stop()
	if took := time.Since(begin); took > within { // the drain may take 2 s
		t.Errorf("the end took %v", took)
	}
	start(t, s, 8, func(context.Context, worker.Msg) worker.Exit { return worker.Ack() })
	eventually(t, "the next worker has done it", func() bool { return left(t, s) == 0 })
}

// Messages that wait for a handler are not delivered to another worker.
func TestWhatWaitsForAHandlerIsNotRedelivered(t *testing.T) {
	t.Parallel()
	s, paused := natstest.Start(t), natstest.Pauses(t)
	var mu sync.Mutex
	handled := map[string]int{}
	slow := func(_ context.Context, m worker.Msg) worker.Exit {
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		handled[m.Subject()]++
		return worker.Ack()
	}
	const many = 20
	for n := range many {
		publish(t, s, fmt.Sprintf("c%d", n), "x")
	}
	start(t, s, 2, slow) // the last message waits some 5 s, longer than the ack wait
	start(t, s, 2, slow)
	eventually(t, "all are done", func() bool { return left(t, s) == 0 })
	mu.Lock()
	defer mu.Unlock()
	for subject, n := range handled {
		if n != 1 && paused() < time.Second {
			t.Errorf("%s was handled %d times", subject, n)
		}
	}
	if len(handled) != many {
		t.Errorf("%d of %d were handled", len(handled), many)
	}
}

// Many messages with the same key occupy one handler, and other keys overtake them.
func TestAHotKeyOccupiesOneHandler(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	const hot = 60
	var done atomic.Int32
	cool := make(chan int32, 1)
	for range hot {
		publish(t, s, "hot", "x")
	}
	publish(t, s, "cool", "x")
	start(t, s, 8, func(_ context.Context, m worker.Msg) worker.Exit {
		if m.Subject() == "ringline.demo.cmd.cool.ring" {
			cool <- done.Load()
		} else {
			time.Sleep(20 * time.Millisecond)
			done.Add(1)
		}
		return worker.Ack()
	})
	if before := <-cool; before > hot/2 {
		t.Errorf("%d of %d hot messages came before the other key's", before, hot)
	}
	eventually(t, "all are done", func() bool { return left(t, s) == 0 })
}
