//go:build linux

package main

import (
	"slices"
	"testing"

	"ringline.io/ringline/tests/faults/check"
	"ringline.io/ringline/tests/faults/defects"
)

// Every defect has a hunt, and the hunt names existing checks.
func TestEveryDefectHasAHunt(t *testing.T) {
	noDefect := map[string]bool{"clock-ahead": true} // Ringline tolerates it
	found := map[string]bool{}
	for _, h := range hunts() {
		if h.defect != "" && !slices.Contains(defects.All(), h.defect) {
			t.Errorf("%s is hunted, and there is no such defect", h.defect)
		}
		for _, by := range h.by {
			found[h.defect] = true
			if known := append(check.Names(), "go test", "shown"); !slices.Contains(known, by) {
				t.Errorf("%s is to be caught by %s; there are %v", h.defect, by, known)
			}
		}
	}
	for _, name := range defects.All() {
		if found[name] == noDefect[name] {
			t.Errorf("%s: a check is named that must find it: %t; it is a defect: %t", name, found[name], !noDefect[name])
		}
	}
}

// The check slowed ignores rates that workers can't carry over slow links.
func TestSlowLinkDefectsRunAtACheckedLoad(t *testing.T) {
	for _, h := range hunts() {
		if slices.Contains(h.by, "slowed") && (h.rate == 0 || h.rate > check.SlowedCarries) {
			t.Errorf("%s: %v calls a second; slowed looks at %v at most", h.defect, h.rate, check.SlowedCarries)
		}
	}
}
