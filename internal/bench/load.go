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

// casts are groups of users. Each group plays one call at a time.
type casts struct{ free chan []string }

// newCasts creates users in groups of the size of a call.
func newCasts(users, size int, e *inboxes) *casts {
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

// errNoUsers fails a call that is due when no group of users is free.
var errNoUsers = errors.New("bench: all users are in calls: raise --users")

// take waits for a free group of users. It returns nil if ctx ends first.
func (c *casts) take(ctx context.Context) []string {
	select {
	case users := <-c.free:
		return users
	case <-ctx.Done():
		return nil
	}
}

// Phase is the result of the calls of one phase.
type Phase struct {
	Calls          int64   `json:"calls"`
	Failed         int64   `json:"failed"`
	Seconds        float64 `json:"seconds"`
	CallsPerSecond float64 `json:"calls_per_second"`
	RatePerSecond  float64 `json:"rate_per_second,omitempty"` // the arrival rate
	Ring           *Spread `json:"ring_us"`
	Notified       *Spread `json:"told_us"`
	Command        *Spread `json:"command_us"`
	Late           *Spread `json:"late_us,omitempty"`
}

// tally counts the calls of a phase.
type tally struct {
	times

	calls, failed atomic.Int64          // calls that started in the measured time
	cause         atomic.Pointer[error] // of the first failed call
	rate          float64
	finished      int64 // in the measured time, including calls that started before it
	took          time.Duration
}

func (t *tally) fail(err error) {
	t.failed.Add(1)
	t.cause.CompareAndSwap(nil, &err)
}

// phase returns the result.
func (t *tally) phase() (*Phase, error) {
	p := &Phase{
		Calls: t.calls.Load(), Failed: t.failed.Load(), Seconds: t.took.Seconds(), RatePerSecond: t.rate,
		CallsPerSecond: float64(t.finished) / max(t.took.Seconds(), 1e-9),
		Ring:           t.ring.spread(), Notified: t.notified.spread(), Command: t.command.spread(), Late: t.late.spread(),
	}
	switch cause := t.cause.Load(); {
	case cause != nil:
		return p, fmt.Errorf("%d calls failed, the first one: %w", p.Failed, *cause)
	case p.Ring == nil, p.Calls == 0:
		return p, errors.New("no call was finished in time: raise --duration")
	}
	return p, nil
}

// load plays calls on one stage.
type load struct {
	stage    stage
	app      string
	mix      Mix
	casts    *casts
	inboxes  *inboxes
	name     string // prefix of the call ids
	parallel int    // without a rate: the number of concurrent calls
	rate     float64
	random   *rand.Rand

	count     atomic.Int64 // calls that started
	finished  atomic.Int64 // calls that succeeded, counted in a tally or not
	uncounted tally        // the warm-up
}

// run plays calls for warm and long together, and counts those that start after warm.
func (l *load) run(ctx context.Context, t *tally, warm, long time.Duration) error {
	playing, stop := context.WithTimeout(ctx, warm+long)
	defer stop()
	var measuring atomic.Bool
	l.finished.Store(0)
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
		for range l.parallel {
			wg.Go(func() {
				for playing.Err() == nil {
					l.one(playing, counted(), time.Time{})
				}
			})
		}
	})
	sleep(playing, warm)
	measuring.Store(true)
	begun, before := time.Now(), l.finished.Load()
	<-playing.Done()
	took, finished := time.Since(begun), l.finished.Load()-before
	wg.Wait()
	if t.calls.Load() == 0 && t.cause.Load() == nil { // no call began in the measured time: on a slow machine few arrive
		l.one(ctx, t, time.Now())
	}
	if finished == 0 { // every call takes longer than the phase
		took, finished = time.Since(begun), l.finished.Load()-before
	}
	t.took += took
	t.finished += finished
	return ctx.Err()
}

// one plays one call to its end, even if ctx ends before. A nil tally counts as warm-up.
func (l *load) one(ctx context.Context, t *tally, due time.Time) {
	if t == nil {
		t = &l.uncounted
	}
	waiting, stop := ctx, context.CancelFunc(func() {})
	if !due.IsZero() { // wait even after ctx ends: the wait for users is part of the call's time
		waiting, stop = context.WithTimeout(context.WithoutCancel(ctx), patience)
	}
	users := l.casts.take(waiting)
	stop()
	switch {
	case users == nil && !due.IsZero():
		t.fail(errNoUsers)
		return
	case users == nil:
		return
	}
	defer func() { l.casts.free <- users }()
	n := int(l.count.Add(1))
	c := &played{id: fmt.Sprintf("%s-%d", l.name, n), users: users, inboxes: l.inboxes.all(users)}
	if err := l.play(context.WithoutCancel(ctx), n, c, due, &t.times); err != nil {
		t.fail(err)
		return
	}
	l.finished.Add(1)
	t.calls.Add(1)
}

func (l *load) play(ctx context.Context, n int, c *played, due time.Time, t *times) error {
	return player{stage: l.stage, app: l.app, mix: l.mix, times: t}.play(ctx, n, c, due)
}

// open starts calls at a rate, at random times, whether or not earlier calls are done.
func (l *load) open(ctx context.Context, counted func() *tally, wg *sync.WaitGroup) {
	for due := time.Now(); ; {
		due = due.Add(time.Duration(l.random.ExpFloat64() / l.rate * float64(time.Second)))
		if !sleep(ctx, time.Until(due)) {
			return
		}
		wg.Go(func() { l.one(ctx, counted(), due) })
	}
}

// sleep waits for d. It returns false if ctx ends first.
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

func (b *inboxes) all(users []string) []inbox {
	b.mu.RLock()
	defer b.mu.RUnlock()
	list := make([]inbox, len(users))
	for i, u := range users {
		list[i] = b.of[u]
	}
	return list
}
