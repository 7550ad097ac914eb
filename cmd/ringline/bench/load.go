package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// casts are the users of calls; each is in one call at a time, and they take turns.
type casts struct{ free chan []string }

// newCasts makes so many users, in groups of the size of a call.
func newCasts(users, size int, e *ears) *casts {
	c := &casts{free: make(chan []string, max(1, users/size))}
	for i := range cap(c.free) {
		cast := make([]string, size)
		for j := range cast {
			cast[j] = fmt.Sprintf("u%d-%d", i, j)
			e.open(cast[j])
		}
		c.free <- cast
	}
	return c
}

// Phase is what came of calls that were played in one way.
type Phase struct {
	Calls          int64   `json:"calls"`
	Failed         int64   `json:"failed"`
	Seconds        float64 `json:"seconds"`
	CallsPerSecond float64 `json:"calls_per_second"`
	RatePerSecond  float64 `json:"rate_per_second,omitempty"` // at which they arrived
	Ring           *Spread `json:"ring_us"`
	Told           *Spread `json:"told_us"`
	Command        *Spread `json:"command_us"`
	Late           *Spread `json:"late_us,omitempty"`
}

// load plays calls.
type load struct {
	play   func(ctx context.Context, n int, c *played, due time.Time, t *times) error
	casts  *casts
	ears   *ears
	name   string // begins the id of each call
	beside int    // with no rate: so many beside each other
	rate   float64
	seed   uint64
	warm   time.Duration // calls that begin in it are not counted
	long   time.Duration
	tell   func(calls, failed int64, left time.Duration)

	count     atomic.Int64 // of calls that began
	done      atomic.Int64
	failed    atomic.Int64
	measuring atomic.Bool
	cause     atomic.Pointer[error] // why the first of those that failed did
}

// run plays for as long as it takes, and gives what came of it.
func (l *load) run(ctx context.Context) (*Phase, error) {
	ctx, stop := context.WithTimeout(ctx, l.warm+l.long)
	defer stop()
	t := &times{}
	var wg sync.WaitGroup
	wg.Go(func() {
		if l.rate > 0 {
			l.open(ctx, t, &wg)
			return
		}
		for range l.beside {
			wg.Go(func() {
				for ctx.Err() == nil {
					l.one(ctx, t, time.Time{})
				}
			})
		}
	})
	sleep(ctx, l.warm)
	l.measuring.Store(true)
	begun := time.Now()
	l.watch(ctx)
	took := time.Since(begun)
	done := l.done.Load()
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	p := &Phase{
		Calls: done, Failed: l.failed.Load(), Seconds: took.Seconds(), CallsPerSecond: float64(done) / took.Seconds(), RatePerSecond: l.rate,
		Ring: t.ring.spread(), Told: t.told.spread(), Command: t.command.spread(), Late: t.late.spread(),
	}
	if cause := l.cause.Load(); cause != nil {
		return p, fmt.Errorf("bench: %d calls failed, the first one: %w", p.Failed, *cause)
	}
	return p, nil
}

// watch tells how far it is until ctx ends.
func (l *load) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if end, ok := ctx.Deadline(); ok && l.tell != nil {
				l.tell(l.done.Load(), l.failed.Load(), time.Until(end))
			}
		}
	}
}

// one plays one call to its end, also where the time is over meanwhile.
func (l *load) one(ctx context.Context, t *times, due time.Time) {
	var users []string
	select {
	case users = <-l.casts.free:
	case <-ctx.Done():
		return
	}
	defer func() { l.casts.free <- users }()
	n := int(l.count.Add(1))
	c := &played{id: fmt.Sprintf("%s-%d", l.name, n), users: users, ears: l.ears.all(users)}
	counts := l.measuring.Load()
	if !counts {
		t = &times{}
	}
	switch err := l.play(context.WithoutCancel(ctx), n, c, due, t); {
	case err != nil:
		l.failed.Add(1)
		l.cause.CompareAndSwap(nil, &err)
	case counts:
		l.done.Add(1)
	}
}

// open begins calls at a rate, at random moments, whether or not those before are done.
func (l *load) open(ctx context.Context, t *times, wg *sync.WaitGroup) {
	random := rand.New(rand.NewPCG(l.seed, 0))
	for due := time.Now(); ; {
		due = due.Add(time.Duration(random.ExpFloat64() / l.rate * float64(time.Second)))
		if !sleep(ctx, time.Until(due)) {
			return
		}
		wg.Go(func() { l.one(ctx, t, due) })
	}
}

// sleep waits, and is false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (e *ears) all(users []string) []ear {
	e.mu.RLock()
	defer e.mu.RUnlock()
	list := make([]ear, len(users))
	for i, u := range users {
		list[i] = e.of[u]
	}
	return list
}
