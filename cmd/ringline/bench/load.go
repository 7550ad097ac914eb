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

// tally is what is counted of calls.
type tally struct {
	times

	done, failed atomic.Int64
	cause        atomic.Pointer[error] // why the first of those that failed did
	rate         float64
	took         time.Duration
}

// phase gives what was counted.
func (t *tally) phase() (*Phase, error) {
	p := &Phase{
		Calls: t.done.Load(), Failed: t.failed.Load(), Seconds: t.took.Seconds(), RatePerSecond: t.rate,
		CallsPerSecond: float64(t.done.Load()) / max(t.took.Seconds(), 1e-9),
		Ring:           t.ring.spread(), Told: t.told.spread(), Command: t.command.spread(), Late: t.late.spread(),
	}
	switch cause := t.cause.Load(); {
	case cause != nil:
		return p, fmt.Errorf("%d calls failed, the first one: %w", p.Failed, *cause)
	case p.Ring == nil, p.Calls == 0:
		return p, errors.New("no call was finished in the time: give it more with --duration")
	}
	return p, nil
}

// load plays calls on one stage.
type load struct {
	stage  stage
	app    string
	mix    Mix
	casts  *casts
	ears   *ears
	name   string // begins the id of each call
	beside int    // with no rate: so many beside each other
	rate   float64
	random *rand.Rand

	count     atomic.Int64 // of calls that began
	uncounted tally        // of the warm-up
}

// run plays for so long, and counts the calls that begin after the warm-up.
func (l *load) run(ctx context.Context, t *tally, warm, long time.Duration) error {
	playing, stop := context.WithTimeout(ctx, warm+long)
	defer stop()
	var measuring atomic.Bool
	counted := func() *tally {
		if measuring.Load() {
			return t
		}
		return nil
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if l.rate > 0 {
			l.open(playing, counted, &wg)
			return
		}
		for range l.beside {
			wg.Go(func() {
				for playing.Err() == nil {
					l.one(playing, counted(), time.Time{})
				}
			})
		}
	})
	sleep(playing, warm)
	before := t.done.Load()
	measuring.Store(true)
	begun := time.Now()
	<-playing.Done()
	took, done := time.Since(begun), t.done.Load()
	wg.Wait()
	if done == before { // calls that take longer than this
		took, done = time.Since(begun), t.done.Load()
	}
	t.took += took
	t.done.Store(done) // those that were not finished in the time are no part of the rate
	return ctx.Err()
}

// one plays one call to its end, also where the time is over meanwhile. Without a tally it is not counted.
func (l *load) one(ctx context.Context, t *tally, due time.Time) {
	var users []string
	select {
	case users = <-l.casts.free:
	case <-ctx.Done():
		return
	}
	defer func() { l.casts.free <- users }()
	n := int(l.count.Add(1))
	c := &played{id: fmt.Sprintf("%s-%d", l.name, n), users: users, ears: l.ears.all(users)}
	counts := t != nil
	if !counts {
		t = &l.uncounted
	}
	switch err := l.play(context.WithoutCancel(ctx), n, c, due, &t.times); {
	case err != nil:
		t.failed.Add(1)
		t.cause.CompareAndSwap(nil, &err)
	case counts:
		t.done.Add(1)
	}
}

func (l *load) play(ctx context.Context, n int, c *played, due time.Time, t *times) error {
	return player{stage: l.stage, app: l.app, mix: l.mix, times: t}.play(ctx, n, c, due)
}

// open begins calls at a rate, at random moments, whether or not those before are done.
func (l *load) open(ctx context.Context, counted func() *tally, wg *sync.WaitGroup) {
	for due := time.Now(); ; {
		due = due.Add(time.Duration(l.random.ExpFloat64() / l.rate * float64(time.Second)))
		if !sleep(ctx, time.Until(due)) {
			return
		}
		wg.Go(func() { l.one(ctx, counted(), due) })
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
