package serve

import (
	"context"
	"errors"
	"fmt"
)

// Part is a component that runs until its context ends.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// RunParts runs all parts until ctx or one of them ends, stops the others, and waits for all.
func RunParts(ctx context.Context, parts []Part) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error)
	for _, p := range parts {
		go func() {
			err := p.Run(ctx)
			switch {
			case err != nil:
				err = fmt.Errorf("%s: %w", p.Name, err)
			case ctx.Err() == nil:
				err = fmt.Errorf("%s: ended by itself", p.Name)
			}
			ended <- err
		}()
	}
	var all error
	for range parts {
		if err := <-ended; err != nil {
			all = errors.Join(all, err)
			stop()
		}
	}
	return all
}

// runBehind runs two groups of parts. Once ctx ends, the front parts stop before the back parts.
func runBehind(ctx context.Context, front, back []Part) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ctx, stopFront := context.WithCancel(ctx)
	defer stopFront()
	ended := make(chan error, 1)
	go func() {
		err := RunParts(work, back)
		stopFront() // in case the back parts ended early
		ended <- err
	}()
	err := RunParts(ctx, front)
	if err == nil {
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-ended)
}
