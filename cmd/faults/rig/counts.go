//go:build linux

package rig

import (
	"bufio"
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// counts are counters of the workers, summed over their labels.
type counts map[string]float64

// Count asks every worker that runs for its counters. What a worker counted since it was last asked is lost when it is
// killed, so ask often.
func (r *Rig) Count(ctx context.Context) {
	for _, w := range r.Workers() {
		if now, err := w.Counters(ctx, time.Second); err == nil {
			if now["process_start_time_seconds"] != w.seen["process_start_time_seconds"] {
				w.total, w.seen = sum(w.total, w.seen), nil
			}
			w.seen = now
		}
	}
}

// Counts gives the sums over all workers that ever ran.
func (r *Rig) Counts() map[string]float64 {
	all := counts{}
	for _, w := range r.Workers() {
		all = sum(all, sum(w.total, w.seen))
	}
	return all
}

func sum(a, b counts) counts {
	s := counts{}
	maps.Copy(s, a)
	for k, v := range b {
		s[k] += v
	}
	return s
}

// Labelled gives a counter of the worker as it runs now, by the value of its only label.
func (w *Worker) Labelled(ctx context.Context, metric string) (map[string]float64, error) {
	found := map[string]float64{}
	err := w.metrics(ctx, 10*time.Second, func(line string) {
		rest, ok := strings.CutPrefix(line, metric+"{")
		if !ok {
			return
		}
		labels, value, _ := strings.Cut(rest, "} ")
		_, label, _ := strings.Cut(labels, `="`)
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			found[strings.TrimSuffix(label, `"`)] = v
		}
	})
	return found, err
}

// Counters gives those of the worker as it runs now, summed over their labels. It may take so long at most.
func (w *Worker) Counters(ctx context.Context, most time.Duration) (map[string]float64, error) {
	found := map[string]float64{}
	err := w.metrics(ctx, most, func(line string) {
		name, rest, _ := strings.Cut(line, " ")
		metric, labels, labelled := strings.Cut(name, "{")
		if labelled {
			_, rest, _ = strings.Cut(line, "} ")
		}
		v, err := strconv.ParseFloat(rest, 64)
		if err != nil || !strings.HasSuffix(metric, "_total") && metric != "process_start_time_seconds" {
			return
		}
		found[metric] += v
		if _, reason, ok := strings.Cut(labels, `reason="`); ok { // why a message was put back is told apart
			found[metric+" "+reason[:strings.IndexByte(reason, '"')]] += v
		}
	})
	return found, err
}

// metrics reads the worker's metrics line by line; it may take so long at most.
func (w *Worker) metrics(ctx context.Context, most time.Duration, each func(line string)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.http+"/metrics", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is of no use
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		each(lines.Text())
	}
	return lines.Err()
}
