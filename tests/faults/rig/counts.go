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

// Count reads the counters of every running worker. If a worker is killed, its counts since the last call of
// Count are lost, so call it often.
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

// Counts returns the sums over all workers that ever ran.
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

// Labelled returns a counter of the worker's current process, by the value of its first label.
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
			label, _, _ = strings.Cut(label, `"`)
			found[label] = v
		}
	})
	return found, err
}

// Counters returns the counters of the worker's current process, summed over their labels. most is the time
// limit.
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
		if _, reason, ok := strings.Cut(labels, `reason="`); ok { // messages nak'ed with a delay are counted by reason
			found[metric+" "+reason[:strings.IndexByte(reason, '"')]] += v
		}
	})
	return found, err
}

// metrics reads the worker's metrics line by line. most is the time limit.
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
	defer func() { _ = resp.Body.Close() }() // already read, or not needed
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		each(lines.Text())
	}
	return lines.Err()
}
