//go:build linux

package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/rig"
)

// Name is the name of a sweep.
type Name string

// The sweeps.
const (
	Workers     Name = "workers"     // calls per second by coordinators
	Load        Name = "load"        // ring times by calls per second
	Replicas    Name = "replicas"    // one replica and three, and the cost of syncing to disk
	Pending     Name = "pending"     // calls that ring at once
	Sessions    Name = "sessions"    // idle client sessions
	Stored      Name = "stored"      // ended calls
	Allocations Name = "allocations" // cost of a command in a coordinator
)

// Names lists the sweeps.
func Names() []Name { return []Name{Workers, Load, Replicas, Pending, Sessions, Stored, Allocations} }

// Pick returns the named sweeps in the order of Names, or all sweeps if there are no names.
func Pick(words []string) ([]Name, error) {
	all := Names()
	for _, w := range words {
		if !slices.Contains(all, Name(w)) {
			return nil, fmt.Errorf("there is no sweep %q; there are: %s", w, list(all))
		}
	}
	if len(words) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(n Name) bool { return !slices.Contains(words, string(n)) }), nil
}

func list(names []Name) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}

// Config configures the measurement.
type Config struct {
	Source string        // the root of the repository
	Dir    string        // for logs and data; those of a successful step are deleted
	Quick  bool          // everything is much smaller and shorter, as a smoke test
	Synced bool          // brokers sync to disk before they acknowledge
	Runs   int           // runs of `ringline bench`; figures are their medians
	Phase  time.Duration // duration of each measured phase
	Seed   uint64
	Say    func(format string, args ...any)
}

// Run measures one sweep. If a step fails, the table has the rows of the others.
func (c Config) Run(ctx context.Context, n Name) (Table, error) {
	load := loadAverage()
	t, err := c.sweep(ctx, n)
	t.About += fmt.Sprintf(" Load of the machine before: %s.", load)
	if err != nil {
		err = fmt.Errorf("sweep %s: %w", n, err)
	}
	return t, err
}

func (c Config) sweep(ctx context.Context, n Name) (Table, error) {
	switch n {
	case Workers:
		return c.workers(ctx)
	case Load:
		return c.load(ctx)
	case Replicas:
		return c.replicas(ctx)
	case Pending:
		return c.pending(ctx)
	case Sessions:
		return c.sessions(ctx)
	case Stored:
		return c.stored(ctx)
	case Allocations:
		return c.allocations(ctx)
	}
	return Table{}, errors.New("there is no such sweep")
}

// each runs all steps, even if one fails.
func each[T any](ctx context.Context, steps []T, do func(T) error) error {
	var all []error
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(all, err)...)
		}
		if err := do(s); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// stage is the rig of one step.
type stage struct {
	Config

	rig  *rig.Rig
	name string
	dir  string
}

// plain is one broker with one worker of each kind.
func (c Config) plain() rig.Config {
	return rig.Config{Nodes: 1, Coordinators: 1, Timeouts: 1, Unsynced: !c.Synced}
}

// bare is one broker. bench itself runs the workers, as it does for the floor, so that both have the same
// process overhead.
func (c Config) bare() rig.Config { return rig.Config{Nodes: 1, Unsynced: !c.Synced} }

// ownWorkers is the flag of bench for that.
const ownWorkers = "--workers=1"

// on starts a rig, measures on it and closes it.
func (c Config) on(ctx context.Context, name string, cfg rig.Config, measure func(stage) error) error {
	s := stage{Config: c, name: name, dir: filepath.Join(c.Dir, name)}
	cfg.Dir, cfg.Source, cfg.Direct = s.dir, c.Source, true
	r, err := rig.New(ctx, cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.rig = r
	c.Say("%s: everything runs", name)
	err = errors.Join(measure(s), r.Errors())
	r.Close()
	if err == nil {
		return os.RemoveAll(s.dir)
	}
	for _, n := range r.Nodes { // keep the logs for inspection; the data may be large
		err = errors.Join(err, os.RemoveAll(n.Store))
	}
	return fmt.Errorf("%s: %w", name, err)
}

// pick returns quick if Config.Quick is set, otherwise full.
func pick[T any](c Config, full, quick T) T {
	if c.Quick {
		return quick
	}
	return full
}

// long returns the duration of each phase of bench.
func (c Config) long() time.Duration { return pick(c, c.Phase, time.Second) }
