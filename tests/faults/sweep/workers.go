//go:build linux

package sweep

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// perCoordinator is how many commands a coordinator processes concurrently.
const perCoordinator = 64

// workers measures calls per second with more and more coordinators.
func (c Config) workers(ctx context.Context) (Table, error) {
	t := Table{
		Title: "Workers",
		About: c.played() + c.disk() + " The floor has one worker, in the process of bench. Processor in shares of one core, at maximum throughput without the floor; bench plays the calls.",
		Head: []string{
			"coordinators", "calls/s", "floor", "× floor", "broker", "coordinators", "timeouts", "bench",
			fmt.Sprintf("all %d cores", runtime.NumCPU()), "the limit",
		},
	}
	before := 0.0
	err := each(ctx, []int{1, 2, 4, 8}, func(n int) error {
		cfg := c.plain()
		cfg.Coordinators = n
		return c.on(ctx, fmt.Sprintf("workers-%d", n), cfg, func(s stage) error {
			// The floor's single worker must process as many commands concurrently as all coordinators
			// together.
			r, err := s.withFloor(ctx, "floor", []string{fmt.Sprintf("RINGLINE_PARALLEL=%d", n*perCoordinator)})
			if err != nil {
				return err
			}
			used, cores, err := s.used(ctx)
			if err != nil {
				return err
			}
			t.add(grouped(n), grouped(r.CallsPerSecond), grouped(r.Floor.CallsPerSecond), by(r.Ratio.CallsPerSecond),
				percent(used["nats"]), percent(used["coordinator"]), percent(used["timeouts"]), percent(used["bench"]),
				percent(cores), limit(before, r.CallsPerSecond, cores))
			before = r.CallsPerSecond
			s.rig.Count(ctx)
			counts := s.rig.Counts()
			s.Say("%s: of %.0f commands %.0f conflicts, %.0f naks, %.0f redeliveries", s.name, counts[metricCommands],
				counts["ringline_conflicts_total"], counts["ringline_naks_total"], counts["ringline_redeliveries_total"])
			return nil
		})
	})
	return t, err
}

// used returns CPU shares in the busiest interval. kinds is the share of one core per kind of process, and
// cores is the share of all cores that any process uses.
func (s stage) used(ctx context.Context) (kinds map[string]float64, cores float64, err error) {
	all, err := meanwhile(ctx, 200*time.Millisecond, s.lookAt, func(ctx context.Context) error {
		_, err := s.bench(ctx, "alone", nil, "--no-floor", "--runs", "1")
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	from, to, err := busiest(all, s.long(), func(x sample) float64 { return x.of("coordinator").Seconds() })
	if err != nil {
		return nil, 0, err
	}
	took := to.at.Sub(from.at)
	cores = (to.machine - from.machine).Seconds() / took.Seconds() / float64(runtime.NumCPU())
	return to.used.Shares(from.used, took), cores, nil
}

// limit names the apparent bottleneck.
func limit(before, now, cores float64) string {
	const full, more = 0.9, 1.1
	switch {
	case cores >= full:
		return "cores"
	case before > 0 && now < more*before:
		return "broker"
	}
	return "coordinators"
}
