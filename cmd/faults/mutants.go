//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"ringline.io/ringline/cmd/faults/check"
	"ringline.io/ringline/worker/mutant"
)

// hunt is what it takes to catch a defect; what is unset is as in any other trial.
type hunt struct {
	defect   mutant.Defect
	nodes    int
	duration time.Duration
	every    time.Duration
	only     []kind
	points   []string
	scenes   []string
	rings    time.Duration
}

// hunts gives for each defect the faults that bring it out.
func hunts() []hunt {
	const long = 3*stoppedClock + 35*time.Second
	deaths := []kind{killAt}
	return []hunt{
		{defect: mutant.AckBeforeCommit, only: deaths},
		{defect: mutant.NoExpectedSeq, only: []kind{slowLink}},
		{defect: mutant.NoMemory, only: deaths},
		{defect: mutant.NoDeadline, only: []kind{resetLink}},
		{defect: mutant.NotifyFirst, only: deaths},
		{defect: mutant.ClaimsUnordered, only: []kind{slowLink}},
		{defect: mutant.NoFence, only: []kind{staleClaims}, duration: long, rings: 90 * time.Second}, // or they are too late to ring
		{defect: mutant.NoFenceOfUnknown, only: deaths},
		{defect: mutant.RefusalToldFirst, only: deaths, points: []string{"after answer"}, scenes: []string{"early"}, every: 400 * time.Millisecond},
		{defect: mutant.StaleRefusal, only: []kind{slowRoute, cutRouteOne}, nodes: 3, every: 300 * time.Millisecond},
		{defect: mutant.ExpireTrustsDue, only: deaths},
		{defect: mutant.LinesNotReleased, only: deaths},
		{defect: mutant.RepeatDoesNothing, only: deaths},
		{defect: mutant.GivesUp, only: []kind{killAt, fillStore}},
	}
}

// trial makes the trial that hunts.
func (h hunt) trial(t trial) trial {
	t.mutant, t.nodes = string(h.defect), max(h.nodes, 1)
	t.duration, t.every, t.calm = 25*time.Second, time.Second, 4*time.Second
	t.dir, t.points, t.scenes = t.path(string(h.defect)), h.points, h.scenes
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

// catch plants each defect in turn, after a run without any, and tells which check found it. Every one must be found.
func catch(ctx context.Context, w io.Writer, t trial, defects []string) error {
	var missed []string
	caughtCount, count := 0, 0
	for _, h := range hunts() {
		if len(defects) > 0 && !strings.Contains(","+strings.Join(defects, ",")+",", ","+string(h.defect)+",") {
			continue
		}
		count++
		begun := time.Now()
		o, err := h.trial(t).run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", h.defect, err)
		}
		report := check.Check(o.history, check.DefaultBounds())
		by := caught(report)
		_, _ = fmt.Fprintf(w, "%-20s %4.0f s %5d commands %3d faults  caught by %s\n", h.defect, time.Since(begun).Seconds(),
			len(o.history.Sent), len(o.history.Faults), strings.Join(by, ", "))
		if len(by) == 0 {
			missed = append(missed, string(h.defect))
			continue
		}
		caughtCount++
		_, _ = fmt.Fprintf(w, "    %s: %.300s\n", report.Violations[0].Check, report.Violations[0].Text)
	}
	_, _ = fmt.Fprintf(w, "%d of %d caught\n", caughtCount, count)
	if len(missed) > 0 {
		return fmt.Errorf("not caught: %s", strings.Join(missed, ", "))
	}
	return nil
}
