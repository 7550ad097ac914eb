package scrape

import (
	"bufio"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Target is a worker. It is gone when its process has ended.
type Target struct {
	Job, Instance, HTTP string
	Gone                func() bool
}

// patience equals the default scrape_timeout of Prometheus.
const patience = 10 * time.Second

// Recording holds the series so far, each with one sample per interval.
type Recording struct {
	Interval time.Duration

	keep   map[string]bool // metrics
	count  int             // intervals so far
	series map[string][]string
}

// Placeholders for missing samples.
const (
	stale = "stale" // the first one
	none  = "_"
)

// New creates a recording of the metrics that these alerts use.
func New(interval time.Duration, alerts string) *Recording {
	return &Recording{Interval: interval, keep: metricsOf(alerts), series: map[string][]string{}}
}

// Add scrapes all targets in parallel, and adds a sample to each series.
func (r *Recording) Add(ctx context.Context, targets []Target) {
	seen := make(chan map[string]string, len(targets))
	for _, t := range targets {
		go func() { seen <- t.ask(ctx, r.keep) }()
	}
	now := map[string]string{}
	for range targets {
		maps.Copy(now, <-seen)
	}
	for name, value := range now {
		for len(r.series[name]) < r.count { // the series is new
			r.series[name] = append(r.series[name], none)
		}
		r.series[name] = append(r.series[name], value)
	}
	r.count++
	for name, values := range r.series {
		switch {
		case len(values) == r.count:
		case values[len(values)-1] == stale || values[len(values)-1] == none:
			r.series[name] = append(values, none)
		default:
			r.series[name] = append(values, stale)
		}
	}
}

// ask returns the samples of a target, by the names of their series.
func (t Target) ask(ctx context.Context, keep map[string]bool) map[string]string {
	if t.Gone() {
		return nil
	}
	own := `job="` + t.Job + `",instance="` + t.Instance + `"`
	samples, err := t.metrics(ctx, own, keep)
	if err != nil {
		return map[string]string{"up{" + own + "}": "0"}
	}
	samples["up{"+own+"}"] = "1"
	return samples
}

func (t Target) metrics(ctx context.Context, own string, keep map[string]bool) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.HTTP+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // already read, or not needed
	samples := map[string]string{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if name, value, ok := sample(lines.Text(), own, keep); ok {
			samples[name] = value
		}
	}
	return samples, lines.Err()
}

// sample parses a line of the text format, which has no timestamps.
func sample(line, own string, keep map[string]bool) (name, value string, ok bool) {
	last := strings.LastIndexByte(line, ' ')
	if last < 0 {
		return "", "", false
	}
	name, value = line[:last], line[last+1:]
	metric, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
	if !keep[metric] {
		return "", "", false
	}
	if labels != "" {
		own += "," + labels
	}
	return metric + "{" + own + "}", value, true
}

// Series lists the series in promtool's notation, sorted by name.
func (r *Recording) Series() (list [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(r.series)) {
		if !isCounter(name) || slices.ContainsFunc(r.series[name], counted) {
			list = append(list, [2]string{name, notation(r.series[name])})
		}
	}
	return list
}

func isCounter(name string) bool {
	metric, _, _ := strings.Cut(name, "{")
	return strings.HasSuffix(metric, "_total") || strings.HasSuffix(metric, "_bucket")
}

func counted(value string) bool { return value != "0" && value != none && value != stale }
