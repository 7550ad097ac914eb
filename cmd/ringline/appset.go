package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/pflag"

	"ringline.io/ringline/events"
)

// read gives an app's settings and their revision, which is 0 where there are none.
func (a apps) read(ctx context.Context, app string) (s events.AppSettings, revision uint64, err error) {
	e, err := a.kv.Get(ctx, app)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return s, 0, nil
	}
	if err != nil {
		return s, 0, fmt.Errorf("read app %s: %w", app, err)
	}
	if s, err = events.ReadAppSettings(e.Value()); err != nil {
		return s, 0, fmt.Errorf("what stands there now can't be read, `ringline app remove %s` first: %w", app, err)
	}
	return s, e.Revision(), nil
}

// change reads an app's settings, changes them, and writes them if nobody else did meanwhile. It gives what is written.
func (a apps) change(
	ctx context.Context, app string, do func(events.AppSettings) (events.AppSettings, error),
) (value []byte, err error) {
	old, revision, err := a.read(ctx, app)
	if err != nil {
		return nil, err
	}
	s, err := do(old)
	if err != nil {
		return nil, err
	}
	if value, err = events.Encode(s); err != nil {
		return nil, err
	}
	if _, err := events.ReadAppSettings(value); err != nil {
		return nil, err
	}
	if revision == 0 {
		_, err = a.kv.Create(ctx, app, value)
	} else {
		_, err = a.kv.Update(ctx, app, value, revision)
	}
	if err != nil {
		return nil, fmt.Errorf("write app %s, which somebody else may have changed just now: %w", app, err)
	}
	return value, nil
}

func setApp(ctx context.Context, a apps, args []string) error {
	value, err := a.change(ctx, args[0], a.apply)
	if err != nil {
		return err
	}
	return a.show(args[0], value)
}

// apply changes what was given on the command line.
func (a apps) apply(s events.AppSettings) (events.AppSettings, error) {
	changed := false
	var bad error
	a.flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "capacity", "max-callees":
			n, _ := a.flags.GetInt(f.Name)
			if n < 1 { // 0 would be left out, which means the default
				bad = fmt.Errorf("--%s: must be at least 1, got %d", f.Name, n)
			}
			if f.Name == "capacity" {
				s.Capacity = n
			} else {
				s.MaxCallees = n
			}
		case "ring-timeout", "max-duration":
			d, _ := a.flags.GetDuration(f.Name)
			if d%time.Second != 0 || d <= 0 {
				bad = fmt.Errorf("--%s: must be whole seconds, at least 1s, got %v", f.Name, d)
			}
			if f.Name == "ring-timeout" {
				s.RingTimeoutS = int(d.Seconds())
			} else {
				s.MaxDurationS = int(d.Seconds())
			}
		case "origin":
			s.Origins, _ = a.flags.GetStringArray(f.Name)
			if slices.Equal(s.Origins, []string{""}) {
				s.Origins = nil
			}
		default:
			return
		}
		changed = true
	})
	if !changed {
		return s, errors.New("nothing to set: give --capacity, --ring-timeout, --max-callees, --max-duration or --origin")
	}
	return s, bad
}
