package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// within is the timeout for things that should take some milliseconds.
const within = time.Minute

// running runs a refresher until the test ends.
func running(t *testing.T, r *refresher) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func next[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(within):
		t.Fatalf("nothing within %v", within)
	}
	return v
}

// A renewal is retried until it succeeds or the session ends. A panic in one renewal does not affect the others.
func TestRefresherRetries(t *testing.T) {
	t.Parallel()
	good, bad, gone, broken := &session{id: "good"}, &session{id: "bad"}, &session{id: "gone"}, &session{id: "broken"}
	gone.end()
	tried := make(chan string, 100)
	var mu sync.Mutex
	times := map[string]int{}
	r := newRefresher(func(_ context.Context, s *session) error {
		mu.Lock()
		times[s.id]++
		n := times[s.id]
		mu.Unlock()
		tried <- s.id
		switch {
		case s == broken && n == 1:
			panic("a defect")
		case s == gone, s == bad && n < 3:
			return errors.New("not now")
		}
		return nil
	}, 4)
	running(t, r)
	r.soon([]*session{good, bad, gone, broken, good})
	for range 4 + 2 + 1 {
		next(t, tried)
	}
	r.soon([]*session{good})
	if got := next(t, tried); got != "good" {
		t.Errorf("%s is tried once more", got)
	}
	mu.Lock()
	defer mu.Unlock()
	for id, want := range map[string]int{"good": 2, "bad": 3, "gone": 1, "broken": 2} {
		if times[id] != want {
			t.Errorf("%s: %d times, want %d", id, times[id], want)
		}
	}
}

// Renewals use at most half of the slots for snapshots.
func TestRefresherIsBounded(t *testing.T) {
	t.Parallel()
	const atOnce, all = 3, 20
	began, goOn := make(chan struct{}, all), make(chan struct{})
	var mu sync.Mutex
	now, most := 0, 0
	r := newRefresher(func(context.Context, *session) error {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		began <- struct{}{}
		<-goOn
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	}, 2*atOnce)
	running(t, r)
	list := make([]*session, all)
	for i := range list {
		list[i] = &session{}
	}
	r.soon(list)
	for range atOnce {
		next(t, began)
	}
	close(goOn)
	for range all - atOnce {
		next(t, began)
	}
	mu.Lock()
	defer mu.Unlock()
	if most != atOnce {
		t.Errorf("%d at once, want %d", most, atOnce)
	}
}

// A connect waits while its app reads as many snapshots as it may, until its connection ends. Other apps do not wait.
func TestRoomForASnapshot(t *testing.T) {
	t.Parallel()
	r := newRefresher(nil, 4)
	ctx, cancel := context.WithCancel(t.Context())
	leave, err := r.room(ctx, "many")
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	wait := func(ctx context.Context) {
		leave, err := r.room(ctx, "many")
		if err == nil {
			defer leave()
		}
		waited <- err
	}
	go wait(ctx)
	cancel()
	if err := next(t, waited); !errors.Is(err, context.Canceled) {
		t.Errorf("a connect whose connection ended gets %v", err)
	}
	go wait(t.Context())
	other, err := r.room(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	other()
	select {
	case err := <-waited:
		t.Fatalf("a second read of an app that may make one: %v", err)
	default:
	}
	leave()
	if err := next(t, waited); err != nil {
		t.Errorf("a connect that waited gets %v", err)
	}
}
