//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/defects"
	"ringline.io/ringline/tests/faults/play"
)

// check validates the settings before anything is built.
func (t trial) check() error {
	if _, err := os.Stat(filepath.Join(t.source, "cmd", "ringline")); err != nil {
		return fmt.Errorf("--source: there is no Ringline in %s; run it in the root of the repository, or pass that folder", t.source)
	}
	var errs []error
	want := func(right bool, format string, args ...any) {
		if !right {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(t.nodes == 1 || t.nodes == 3, "--nodes: must be 1 or 3, got %d", t.nodes)
	want(t.duration >= 0 && t.calm >= 0 && t.outage >= 0, "--duration, --calm: must not be below 0")
	want(t.every >= 10*time.Millisecond, "--every: must be at least 10ms, got %v", t.every)
	want(t.rings >= time.Second && t.longest >= time.Second, "--rings-for, --longest: must be at least 1s")
	want(t.rate > 0 && t.rate <= 10_000, "--rate: must be above 0 and at most 10000 calls a second, got %v", t.rate)
	want(t.users >= 20, "--users: must be at least 20, got %d", t.users)
	for name, given := range map[string]struct{ words, known []string }{
		"--mutant": {t.defects, defects.All()},
		"--only":   {t.only, kinds(t.nodes)},
		"--points": {t.points, whereabouts()},
		"--scenes": {t.scenes, play.Scenes()},
	} {
		for _, word := range given.words {
			want(slices.Contains(given.known, word), "%s: unknown %q; the values are: %s", name, word, list(given.known))
		}
	}
	return errors.Join(errs...)
}

func list(words []string) string { return strings.Join(words, ", ") }

// kinds lists the faults that are possible with this number of brokers.
func kinds(nodes int) (names []string) {
	for _, w := range append(workerKinds(), brokerKinds(nodes, true)...) {
		names = append(names, string(w.kind))
	}
	return names
}
