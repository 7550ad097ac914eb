package main

import (
	"context"
	"errors"
	"fmt"
)

// part is a component that runs until its context ends.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// runTogether runs all parts until ctx or one of them ends, stops the others, and waits for all.
func runTogether(ctx context.Context, parts []part) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error)
	for _, p := range parts {
		go func() {
			err := p.run(ctx)
			switch {
			case err != nil:
				err = fmt.Errorf("%s: %w", p.name, err)
			case ctx.Err() == nil:
				err = fmt.Errorf("%s: ended by itself", p.name)
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
func runBehind(ctx context.Context, front, back []part) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ctx, stopFront := context.WithCancel(ctx)
	defer stopFront()
	ended := make(chan error, 1)
	go func() {
		err := runTogether(work, back)
		stopFront() // in case the back parts ended early
		ended <- err
	}()
	err := runTogether(ctx, front)
	if err == nil {
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-ended)
}
