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
		if now, err := w.scrape(ctx); err == nil {
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

func (w *Worker) scrape(ctx context.Context) (counts, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.http+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is of no use
	found := counts{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		metric, labels, labelled := strings.Cut(name, "{")
		if labelled {
			_, rest, _ = strings.Cut(lines.Text(), "} ")
		}
		v, err := strconv.ParseFloat(rest, 64)
		if err != nil || !strings.HasSuffix(metric, "_total") && metric != "process_start_time_seconds" {
			continue
		}
		found[metric] += v
		if _, reason, ok := strings.Cut(labels, `reason="`); ok { // why a message was put back is told apart
			found[metric+" "+reason[:strings.IndexByte(reason, '"')]] += v
		}
	}
	return found, nil
}
