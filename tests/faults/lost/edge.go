//go:build linux

package lost

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/events"
)

// The bounds for the users of a killed edge.
const (
	Back = 20 * time.Second // who is back by then loses nothing
	Out  = 2 * time.Minute  // the others are out by then
)

// Edge measures what the users of a killed edge lose. Their peers are on another edge.
type Edge struct {
	Pairs int
	Stay  int // of the users, who do not come back; few, because the drop guard holds a fifth
	Seed  uint64
	Kill  func() // kills Town.Edges[0]
}

// EdgeOutcome is the result.
type EdgeOutcome struct {
	Back int             // users who came back
	Out  []time.Duration // of the others, sorted: from the kill to the free line
}

// Run kills the edge and waits.
func (x Edge) Run(ctx context.Context, t *Town) (o EdgeOutcome, err error) {
	callers := make([]*phone, x.Pairs)
	for i := range callers {
		user := fmt.Sprintf("e%d", i)
		callers[i] = t.phone(user)
		_, err := callers[i].connect(ctx, t.Edges[0])
		if err == nil {
			_, err = t.phone(user+"-callee").connect(ctx, t.Edges[1+i%(len(t.Edges)-1)])
		}
		if err == nil {
			err = t.talk(ctx, user, user, user+"-callee")
		}
		if err != nil {
			return o, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	x.Kill()
	gone := time.Now()
	rng := rand.New(rand.NewPCG(x.Seed, 1)) //nolint:gosec // the same seed, the same times
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	for i, p := range callers {
		back := gone.Add(time.Duration(rng.Int64N(int64(Back - 2*time.Second))))
		all.Go(func() {
			free, err := time.Time{}, error(nil)
			if i < x.Stay {
				free, err = t.free(ctx, p.user)
			} else {
				err = t.back(ctx, p, back, gone.Add(Out+Back))
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				errs = append(errs, err)
			case i < x.Stay:
				o.Out = append(o.Out, free.Sub(gone))
			default:
				o.Back++
			}
		})
	}
	all.Wait()
	slices.Sort(o.Out)
	return o, errors.Join(errs...)
}

// back connects a user again, and requires that their call is there then, and stays.
func (t *Town) back(ctx context.Context, p *phone, at, until time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(at)):
	}
	if _, err := p.connect(ctx, t.Edges[1]); err != nil {
		return err
	}
	if !p.shows(p.user) {
		return fmt.Errorf("lost: the snapshot of %s, who came back, lacks the call", p.user)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(until)):
	}
	calls, err := t.lines.CallsOf(ctx, t.app.Name, p.user)
	if err != nil {
		return err
	}
	if len(calls) != 1 || calls[0].State != events.CallStateActive {
		return fmt.Errorf("lost: %s came back and is out of the call: %+v", p.user, calls)
	}
	return nil
}
