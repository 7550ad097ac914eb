package worker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

const within = time.Minute

// start runs a Runner on the commands. The returned stop ends it and waits.
func start(t *testing.T, s *natstest.Server, parallel int, handle func(context.Context, worker.Msg) worker.Exit) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- worker.Runner{
			JS: s.JS, Log: zerolog.Nop(), Stream: streams.StreamCommands, Consumer: streams.ConsumerCoordinators,
			Parallel: parallel, Handle: handle, Drain: 2 * time.Second,
			Key: func(subject string) string { return strings.Split(subject, ".")[3] },
		}.Run(ctx)
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run gives %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func publish(t *testing.T, s *natstest.Server, callID, body string) {
	t.Helper()
	if _, err := s.JS.Publish(t.Context(), "ringline.demo.cmd."+callID+".ring", []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// left counts the messages that are not acked.
func left(t *testing.T, s *natstest.Server) uint64 {
	t.Helper()
	st, err := s.JS.Stream(context.Background(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	return st.CachedInfo().State.Msgs
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

func TestOneKeyInOrderOthersInParallel(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	const keys, each, parallel = 10, 30, 8
	for n := range each {
		for k := range keys {
			publish(t, s, fmt.Sprintf("c%d", k), fmt.Sprint(n))
		}
	}
	var mu sync.Mutex
	got := map[string][]string{}
	var now, most atomic.Int32
	start(t, s, parallel, func(_ context.Context, m worker.Msg) worker.Exit {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		key := strings.Split(m.Subject(), ".")[3]
		mu.Lock()
		got[key] = append(got[key], string(m.Data()))
		mu.Unlock()
		now.Add(-1)
		return worker.Ack()
	})
	eventually(t, "all done", func() bool { return left(t, s) == 0 })
	mu.Lock()
	defer mu.Unlock()
	for key, list := range got {
		for n, v := range list {
			if v != fmt.Sprint(n) {
				t.Fatalf("%s was handled in the order %v", key, list)
			}
		}
	}
	if len(got) != keys || most.Load() < 2 || most.Load() > parallel {
		t.Errorf("%d keys, at most %d at once", len(got), most.Load())
	}
}

func TestDeletedConsumerIsRebuilt(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	start(t, s, 4, func(context.Context, worker.Msg) worker.Exit { return worker.Ack() })
	publish(t, s, "c1", "before")
	eventually(t, "the first is done", func() bool { return left(t, s) == 0 })
	if err := s.JS.DeleteConsumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators); err != nil {
		t.Fatal(err)
	}
	publish(t, s, "c1", "after")
	eventually(t, "the second is done", func() bool { return left(t, s) == 0 })
}

func TestAPanicNaksTheMessage(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	var deliveries atomic.Int32
	start(t, s, 4, func(context.Context, worker.Msg) worker.Exit {
		if deliveries.Add(1) < 3 {
			panic("a defect")
		}
		return worker.Ack()
	})
	publish(t, s, "c1", "x")
	eventually(t, "it is done at last", func() bool { return left(t, s) == 0 })
	if n := deliveries.Load(); n != 3 {
		t.Errorf("delivered %d times", n)
	}
}

// A handler may take longer than the ack wait of the consumer, and the message is not redelivered.
func TestAMessageInFlightIsNotRedelivered(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	var deliveries atomic.Int32
	slow := func(context.Context, worker.Msg) worker.Exit {
		deliveries.Add(1)
		time.Sleep(7 * time.Second / 2) // the ack wait is 3 s
		return worker.Ack()
	}
	start(t, s, 4, slow)
	start(t, s, 4, slow)
	publish(t, s, "c1", "one")
	publish(t, s, "c1", "waits for the one before it")
	eventually(t, "both are done", func() bool { return left(t, s) == 0 })
	if n := deliveries.Load(); n != 2 {
		t.Errorf("2 messages were delivered %d times", n)
	}
}

func TestTheEndWaitsForWhatIsInFlight(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	stop := start(t, s, 1, func(context.Context, worker.Msg) worker.Exit {
		close(begun)
		<-finish
		return worker.Ack()
	})
	publish(t, s, "c1", "x")
	<-begun
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	stop()
	eventually(t, "what was in flight is done", func() bool { return left(t, s) == 0 })
}

// A message that is not finished in time is nak'ed, and the next worker receives it at once.
func TestTheEndNaksWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	begun := make(chan struct{})
	stop := start(t, s, 1, func(ctx context.Context, _ worker.Msg) worker.Exit {
		close(begun)
		<-ctx.Done()
		return worker.Nak(0, meter.WorkerEnds)
	})
	publish(t, s, "c1", "x")
	<-begun
	stop()
	if n := left(t, s); n != 1 {
		t.Fatalf("%d messages are left, want 1", n)
	}
	start(t, s, 1, func(context.Context, worker.Msg) worker.Exit { return worker.Ack() })
	eventually(t, "the next worker has done it", func() bool { return left(t, s) == 0 })
}

func TestExits(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	var answered atomic.Bool
	exits := map[string]worker.Exit{
		"term": worker.Term("garbage"), "then": worker.AckThen(func() { answered.Store(true) }), "ack": worker.Ack(),
	}
	var mu sync.Mutex
	delivered := map[string]uint64{}
	start(t, s, 1, func(_ context.Context, m worker.Msg) worker.Exit {
		mu.Lock()
		defer mu.Unlock()
		delivered[string(m.Data())] = worker.Delivered(m)
		if string(m.Data()) == "nak" && worker.Delivered(m) < 3 {
			return worker.Nak(10*time.Millisecond, meter.NoCallYet)
		}
		if e, ok := exits[string(m.Data())]; ok {
			return e
		}
		return worker.Ack()
	})
	for _, body := range []string{"term", "then", "ack", "nak"} {
		publish(t, s, body, body)
	}
	eventually(t, "all are done", func() bool { return left(t, s) == 0 && answered.Load() })
	mu.Lock()
	defer mu.Unlock()
	if delivered["nak"] != 3 || delivered["term"] != 1 || delivered["then"] != 1 {
		t.Errorf("deliveries: %v", delivered)
	}
}

func TestBackoffGrowsToALimit(t *testing.T) {
	last := time.Duration(0)
	for n := range uint64(200) {
		d := worker.Backoff(n)
		if d < last || d < 100*time.Millisecond || d > 5*time.Second {
			t.Fatalf("after %d deliveries %v, before it %v", n, d, last)
		}
		last = d
	}
	if last != 5*time.Second || worker.Backoff(3) != 400*time.Millisecond {
		t.Errorf("at last %v, after 3 deliveries %v", last, worker.Backoff(3))
	}
}
