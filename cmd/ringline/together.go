package main

import (
	"context"
	"errors"
	"fmt"
)

// part is something that runs until its context ends.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// runTogether runs all parts until ctx ends or one of them does, stops the others, and waits for all.
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
