//go:build linux

package lost

import (
	"context"
	"fmt"
	"time"
)

// Cost measures what watched calls cost in steady state.
type Cost struct {
	Calls int           // each with two sessions
	Long  time.Duration // of each measurement
}

// Run measures sessions without calls, and the same sessions in calls. Each measurement is a call of measure.
func (x Cost) Run(ctx context.Context, t *Town, measure func(what string, long time.Duration) error) error {
	const parallel = 50
	if err := inParallel(parallel, 2*x.Calls, func(i int) error {
		_, err := t.phone(costUser(i)).connect(ctx, t.edge(i))
		return err
	}); err != nil {
		return err
	}
	if err := measure(fmt.Sprintf("%d sessions without calls", 2*x.Calls), x.Long); err != nil {
		return err
	}
	if err := inParallel(parallel, x.Calls, func(i int) error {
		return t.talk(ctx, fmt.Sprintf("w%d", i), costUser(2*i), costUser(2*i+1))
	}); err != nil {
		return err
	}
	time.Sleep(5 * time.Second) // for what follows an accept
	return measure(fmt.Sprintf("the same in %d active calls", x.Calls), x.Long)
}

func costUser(i int) string { return fmt.Sprintf("w%d", i) }

// inParallel calls f with 0 to n-1, some at once.
func inParallel(parallel, n int, f func(i int) error) error {
	failed := make(chan error, parallel)
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range n {
			next <- i
		}
	}()
	for range parallel {
		go func() {
			var first error
			for i := range next {
				if first == nil {
					first = f(i)
				}
			}
			failed <- first
		}()
	}
	var err error
	for range parallel {
		if e := <-failed; err == nil {
			err = e
		}
	}
	return err
}
