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

	"ringline.io/ringline/cmd/faults/rig"
)

// Name names a sweep.
type Name string

// The sweeps.
const (
	Workers     Name = "workers"     // calls a second against coordinators
	Load        Name = "load"        // ring times against calls a second
	Replicas    Name = "replicas"    // one copy and three, and what waiting for the disk costs
	Pending     Name = "pending"     // calls that ring at once
	Sessions    Name = "sessions"    // client sessions that do nothing
	Stored      Name = "stored"      // calls that are over
	Allocations Name = "allocations" // what a command costs a coordinator
)

// Names lists them.
func Names() []Name { return []Name{Workers, Load, Replicas, Pending, Sessions, Stored, Allocations} }

// Pick gives the sweeps of these names, in the order of Names; all where there are none.
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

// Config says how it is measured.
type Config struct {
	Source string        // the root of the repository
	Dir    string        // of logs and data; those of a step that went well are deleted
	Quick  bool          // everything much smaller and shorter, to see whether it works
	Synced bool          // brokers wait for the disk before they acknowledge
	Runs   int           // of `ringline bench`; figures are their medians
	Phase  time.Duration // how long each of its phases is measured
	Seed   uint64
	Say    func(format string, args ...any)
}

// Run measures one sweep. Where a step failed the table has what the others gave.
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

// each does step after step. One that fails keeps no other from being done.
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

// stage is what a step is measured on.
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

// bare is one broker. The workers are in bench itself, as the floor's is: what processes cost is the same for both.
func (c Config) bare() rig.Config { return rig.Config{Nodes: 1, Unsynced: !c.Synced} }

// ownWorkers is the flag for that.
const ownWorkers = "--workers=1"

// on starts a rig, measures on it and takes it down.
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
	for _, n := range r.Nodes { // somebody will want the logs; the data may be much
		err = errors.Join(err, os.RemoveAll(n.Store))
	}
	return fmt.Errorf("%s: %w", name, err)
}

// pick gives the one of both that is meant for a run that only shows whether it works, or the other.
func pick[T any](c Config, full, quick T) T {
	if c.Quick {
		return quick
	}
	return full
}

// long is how long bench measures each phase.
func (c Config) long() time.Duration { return pick(c, c.Phase, time.Second) }
