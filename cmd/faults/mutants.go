//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/cmd/faults/check"
)

// hunt is what it takes to catch a defect; what is unset is as in any other trial.
type hunt struct {
	defect   string   // of package defects; unset: none, and nothing is to be found
	by       []string // the checks one of which must find it
	nodes    int
	duration time.Duration
	every    time.Duration
	only     []kind
	points   []string
	scenes   []string
	rings    time.Duration
	churn    bool // by clients that come and go, and not by faults
}

// hunts gives for each defect the faults that bring it out.
func hunts() []hunt {
	const long = 3*stoppedClock + 35*time.Second
	deaths := []kind{killAt}
	return []hunt{
		{only: deaths},
		{defect: "ack-before-commit", by: []string{"lost", "prompt"}, only: deaths},
		{defect: "no-expected-seq", by: []string{"history"}, only: []kind{slowLink}},
		{defect: "no-memory", by: []string{"history", "same_answer"}, only: deaths},
		{defect: "no-deadline", by: []string{"deadlines"}, only: []kind{resetLink}},
		{defect: "notify-first", by: []string{"told"}, only: deaths},
		{defect: "claims-unordered", by: []string{"prompt"}, only: []kind{slowLink}},
		{defect: "no-fence", by: []string{"two_calls"}, only: []kind{staleClaims}, duration: long, rings: 90 * time.Second}, // or they are too late to ring
		{defect: "no-fence-of-unknown", by: []string{"linearizable"}, only: deaths},
		{defect: "refusal-told-first", by: []string{"same_answer"}, only: deaths, points: []string{"after answer"}, scenes: []string{"early"}, every: 400 * time.Millisecond},
		{defect: "stale-refusal", by: []string{"linearizable"}, only: []kind{slowRoute, cutRouteOne}, nodes: 3, every: 300 * time.Millisecond},
		{defect: "expire-trusts-due", by: []string{"history"}, only: deaths},
		{defect: "lines-not-released", by: []string{"lines"}, only: deaths},
		{defect: "repeat-does-nothing", by: []string{"told", "lines"}, only: deaths},
		{defect: "gives-up", by: []string{"lost", "prompt"}, only: []kind{killAt, fillStore}},
		{churn: true},
		{defect: "snapshot-before-subscription", by: []string{"shown", "told"}, churn: true},
	}
}

// trial makes the trial that hunts.
func (h hunt) trial(t trial) trial {
	t.defects, t.nodes = h.planted(), max(h.nodes, 1)
	t.duration, t.every, t.calm = 25*time.Second, time.Second, 4*time.Second
	t.dir, t.points, t.scenes = t.path(h.name()), h.points, h.scenes
	t.rings, t.longest = 20*time.Second, 15*time.Second
	for _, k := range h.only {
		t.only = append(t.only, string(k))
	}
	if h.duration > 0 {
		t.duration = h.duration
	}
	if h.every > 0 {
		t.every = h.every
	}
	if h.rings > 0 {
		t.rings, t.longest = h.rings, h.rings+30*time.Second
	}
	return t
}

// planted lists what is planted.
func (h hunt) planted() []string {
	if h.defect == "" {
		return nil
	}
	return []string{h.defect}
}

func (h hunt) name() string {
	switch {
	case h.defect != "":
		return h.defect
	case h.churn:
		return "none-churn"
	}
	return "none"
}

// run hunts, and gives what was found and what was done for it.
func (h hunt) run(ctx context.Context, t trial) (r check.Report, did string, err error) {
	if h.churn {
		return h.runChurn(ctx, t)
	}
	o, err := h.trial(t).run(ctx)
	if err != nil {
		return r, "", err
	}
	did = fmt.Sprintf("%5d commands %3d faults", len(o.history.Sent), len(o.history.Faults))
	return check.Check(o.history, check.DefaultBounds()), did, nil
}

func (h hunt) runChurn(ctx context.Context, t trial) (r check.Report, did string, err error) {
	x := defaultChurn()
	x.trial, x.clients, x.notifications, x.beside = t, 200, 4000, 70
	x.trial.defects, x.trial.dir = h.planted(), t.path(h.name())
	found, err := x.run(ctx, io.Discard)
	return found.Report, fmt.Sprintf("%5d notifications", found.Notifications), err
}

// hunted lists what can be hunted.
func hunted() (names []string) {
	for _, h := range hunts() {
		names = append(names, h.name())
	}
	return names
}

// catch plants each defect in turn, after a run without any, and tells which check found it. Every one must be found, by a
// check that is there for it, and nothing where there is none.
func catch(ctx context.Context, w io.Writer, t trial, only []string) error {
	for _, name := range only {
		if !slices.Contains(hunted(), name) {
			return fmt.Errorf("--only: there is no %q; there are: %s", name, list(hunted()))
		}
	}
	var wrong []string
	count := 0
	for _, h := range hunts() {
		if len(only) > 0 && !slices.Contains(only, h.name()) {
			continue
		}
		begun := time.Now()
		report, did, err := h.run(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name(), err)
		}
		by := caught(report)
		_, _ = fmt.Fprintf(w, "%-29s %4.0f s %s  caught by %s\n", h.name(), time.Since(begun).Seconds(), did, strings.Join(by, ", "))
		if len(by) > 0 {
			_, _ = fmt.Fprintf(w, "    %s: %.300s\n", report.Violations[0].Check, report.Violations[0].Text)
		}
		count++
		if found := slices.ContainsFunc(by, func(name string) bool { return slices.Contains(h.by, name) }); found != (h.defect != "") || h.defect == "" && len(by) > 0 {
			wrong = append(wrong, h.name())
		}
	}
	_, _ = fmt.Fprintf(w, "%d of %d as it must be\n", count-len(wrong), count)
	if len(wrong) > 0 {
		return fmt.Errorf("not caught, or caught where there is nothing: %s", strings.Join(wrong, ", "))
	}
	return nil
}
