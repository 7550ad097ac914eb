//go:build linux

package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
)

// outcome is the result of a trial.
type outcome struct {
	trial   trial
	history *record.History
	counts  map[string]float64
	stage   *play.Stage
	errs    []error
}

// conclude prints the work done and the violations. If there are violations, it saves the history.
func (o *outcome) conclude(w io.Writer) error {
	o.print(w)
	err := errors.Join(append(o.errs, judge(w, o.history))...)
	if err != nil {
		path, kept := o.save()
		_, _ = fmt.Fprintf(w, "the history is in %s\n", path)
		err = errors.Join(err, kept)
	}
	return err
}

// print prints a summary of the work done. The checks print the violations.
func (o *outcome) print(w io.Writer) {
	h := o.history
	begun, skipped := o.stage.Begun()
	answered := map[int]bool{}
	for _, a := range h.Answers {
		answered[a.N] = true
	}
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "  %-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	_, _ = fmt.Fprintf(w, "seed %d, %d broker(s), %d coordinators, %d timeouts workers, %s\n", o.trial.seed, o.trial.nodes,
		coordinators, timeoutsOf, o.trial.duration)
	line("calls", "%d begun, %d skipped, because too many were in progress", begun, skipped)
	line("commands", "%d messages sent, %d answered; %d transitions, %d notifications", len(h.Sent), len(answered), len(h.Rest.Calls), len(h.Notifications))
	line("faults", "%d: %s", len(h.Faults), tally(h.Faults))
	for _, c := range []struct{ name, metric string }{
		{"redeliveries", "ringline_redeliveries_total"},
		{"naks", "ringline_naks_total"},
		{"conflicts", "ringline_conflicts_total"},
		{"take-overs", "ringline_takeovers_total"},
		{"errors logged", "ringline_errors_total"},
		{"missed timers", "ringline_sweep_overdue_total"},
	} {
		var more strings.Builder
		for _, k := range slices.Sorted(maps.Keys(o.counts)) {
			if labels, ok := strings.CutPrefix(k, c.metric+" "); ok && o.counts[k] > 0 {
				_, _ = fmt.Fprintf(&more, " %s %.0f,", labels, o.counts[k])
			}
		}
		line(c.name, "%.0f%s", o.counts[c.metric], strings.TrimSuffix(strings.Replace(more.String(), " ", ": ", 1), ","))
	}
}

func tally(faults []record.Fault) string {
	count := map[string]int{}
	for _, f := range faults {
		count[f.Kind]++
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%s %d", k, count[k]))
	}
	return strings.Join(list, ", ")
}

// save writes the history to a file, so that it can be checked again.
func (o *outcome) save() (path string, err error) {
	path = o.trial.path("history.json.gz")
	f, err := os.Create(filepath.Clean(path))
	if err != nil {
		return "", fmt.Errorf("keep the history: %w", err)
	}
	z := gzip.NewWriter(f)
	if err := json.NewEncoder(z).Encode(o.history); err != nil {
		return "", fmt.Errorf("keep the history: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("keep the history: %w", err)
	}
	return path, f.Close()
}

// load reads a saved history.
func load(path string) (*record.History, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	var h record.History
	if err := json.NewDecoder(z).Decode(&h); err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return &h, nil
}
