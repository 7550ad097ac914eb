//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/tests/faults/scrape"
)

// scrapeEvery equals scrape_interval in deploy/prometheus/prometheus.yml.
const scrapeEvery = 15 * time.Second

// incident is an event in a running Ringline site that must, or must not, raise an alert.
type incident struct {
	name, about string
	long        time.Duration // duration of the recording
	site        rig.Config    // without its directories
	happens     func(ctx context.Context, s *scene) error
}

// scene is the running site in which an incident occurs.
type scene struct {
	*rig.Rig
	NC *nats.Conn

	begun time.Time
	say   func(format string, args ...any)
}

// at waits until the given time after the start of the recording.
func (s *scene) at(ctx context.Context, after time.Duration) error {
	play.Sleep(ctx, time.Until(s.begun.Add(after)))
	return ctx.Err()
}

func alertsCommand() *cobra.Command {
	t := &trial{}
	var only []string
	cmd := command("alerts", "Record the metrics of real workers during incidents, for tests of the alerts with promtool", t, func(cmd *cobra.Command) error {
		var all error
		for _, x := range incidents() {
			if len(only) == 0 || slices.Contains(only, x.name) {
				all = errors.Join(all, x.record(cmd.Context(), *t))
			}
		}
		return all
	})
	cmd.Long = "Records the metrics of real workers into deploy/prometheus/recorded, one file an incident. Takes as long as the incidents.\n" +
		"deploy/prometheus/recorded/README.md describes how to add one. Values of --only:"
	for _, x := range incidents() {
		cmd.Long += fmt.Sprintf("\n  %-16s %s (%v)", x.name, x.about, x.long)
	}
	cmd.Flags().StringSliceVar(&only, "only", nil, "the incidents (default all)")
	return cmd
}

// record plays the incident and records the metrics that Prometheus would scrape.
func (x incident) record(ctx context.Context, t trial) error {
	t.say("%s: %s", x.name, x.about)
	cfg := x.site
	cfg.Dir, cfg.Source = filepath.Join(t.dir, x.name), t.source
	r, err := rig.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer r.Close()
	nc, err := nats.Connect(r.URLs(), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	samples, err := x.sample(ctx, &scene{Rig: r, NC: nc, say: t.say}, t.source)
	if err != nil {
		return fmt.Errorf("%s: %w", x.name, err)
	}
	return samples.Write(recorded(t.source, x.name), x.name, x.about)
}

// recorded returns the path of the recording of an incident.
func recorded(source, name string) string {
	return filepath.Join(source, "deploy", "prometheus", "recorded", name+".yml")
}

// sample scrapes the workers at each interval during the incident.
func (x incident) sample(ctx context.Context, s *scene, source string) (*scrape.Recording, error) {
	alerts, err := readAlerts(source)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	samples := scrape.New(scrapeEvery, alerts)
	failed := make(chan error, 1)
	s.begun = time.Now()
	go func() { failed <- x.happens(ctx, s) }()
	for after := time.Duration(0); after <= x.long; after += scrapeEvery {
		if err := s.at(ctx, after); err != nil {
			return nil, err
		}
		samples.Add(ctx, s.targets())
	}
	cancel()
	if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return samples, nil
}

// targets lists the targets that Prometheus would discover.
func (s *scene) targets() (list []scrape.Target) {
	add := func(job string, workers []*rig.Worker) {
		for _, w := range workers {
			list = append(list, scrape.Target{Job: job, Instance: w.Name, HTTP: w.HTTP(), Gone: func() bool { return !w.Runs() }})
		}
	}
	add("coordinator", s.Coordinators)
	add("timeouts", s.Timeouts)
	add("edge", s.Edges)
	return list
}
