//go:build linux

package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Metrics of a coordinator.
const (
	metricCommands  = "ringline_commands_total"
	metricMallocs   = "go_memstats_mallocs_total"
	metricBytes     = "go_memstats_alloc_bytes_total"
	metricProcessor = "process_cpu_seconds_total"
)

// cost is the mean cost of a command in a coordinator.
type cost struct{ commands, mallocs, bytes, micros float64 }

// costOf computes the cost of the commands between two scrapes.
func costOf(before, after map[string]float64) (cost, error) {
	for _, name := range []string{metricCommands, metricMallocs, metricBytes, metricProcessor} {
		if _, there := after[name]; !there {
			return cost{}, fmt.Errorf("the metrics of the coordinator have no %s", name)
		}
	}
	grew := func(name string) float64 { return after[name] - before[name] }
	n := grew(metricCommands)
	if n <= 0 {
		return cost{}, errors.New("no command was done between two scrapes")
	}
	return cost{n, grew(metricMallocs) / n, grew(metricBytes) / n, 1e6 * grew(metricProcessor) / n}, nil
}

// allocations measures the cost of a command from the metrics of a coordinator.
func (c Config) allocations(ctx context.Context) (Table, error) {
	t := Table{
		Title: "Allocations",
		About: c.played() + c.disk() + " Of one coordinator, from two scrapes of its /metrics at maximum throughput: its other work, such as answering scrapes, is counted too.",
		Head:  []string{"commands", "allocations of a command", "bytes", "processor"},
	}
	err := c.on(ctx, "allocations", c.plain(), func(s stage) error {
		var all []cost
		for i := range s.Runs {
			x, err := s.cost(ctx, fmt.Sprintf("run-%d", i+1))
			if err != nil {
				return err
			}
			s.Say("%s: of %.0f commands each took %.1f allocations, %.0f bytes, %.1f µs of processor", s.name, x.commands, x.mallocs, x.bytes, x.micros)
			all = append(all, x)
		}
		middle := func(of func(cost) float64) float64 {
			values := make([]float64, len(all))
			for i, x := range all {
				values[i] = of(x)
			}
			return median(values)
		}
		t.add(grouped(middle(func(x cost) float64 { return x.commands })), grouped(middle(func(x cost) float64 { return x.mallocs })),
			grouped(middle(func(x cost) float64 { return x.bytes })), micros(middle(func(x cost) float64 { return x.micros })))
		return nil
	})
	return t, err
}

func (s stage) cost(ctx context.Context, name string) (cost, error) {
	look := func(ctx context.Context) (sample, error) {
		counts, err := s.rig.Coordinators[0].Counters(ctx, 10*time.Second)
		return sample{at: time.Now(), counts: counts}, err
	}
	all, err := meanwhile(ctx, s.long()/10, look, func(ctx context.Context) error {
		_, err := s.bench(ctx, name, nil, "--no-floor", "--runs", "1")
		return err
	})
	if err != nil {
		return cost{}, err
	}
	from, to, err := busiest(all, s.long(), func(x sample) float64 { return x.counts[metricCommands] })
	if err != nil {
		return cost{}, err
	}
	return costOf(from.counts, to.counts)
}
