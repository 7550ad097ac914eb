//go:build linux

package sweep

import (
	"context"
	"fmt"
	"strconv"
)

// load measures ring times at shares of the maximum rate.
func (c Config) load(ctx context.Context) (Table, error) {
	t := Table{
		Title: "Load",
		About: c.played() + c.disk() + " Calls arrive at random times, whether or not earlier calls are done, and times count from then; the floor at the same rate.",
		Head: []string{
			"of the maximum", "calls arrive/s", "ring p50", "ring p99", "floor p50", "floor p99", "p50 × floor", "p99 × idle p50", "maximum in that run",
		},
	}
	err := c.on(ctx, "load", c.bare(), func(s stage) error {
		first, err := s.withFloor(ctx, "most", nil, ownWorkers)
		if err != nil {
			return err
		}
		most := first.CallsPerSecond
		t.add("one after another", "", micros(first.Ring.P50), micros(first.Ring.P99), micros(first.Floor.Ring.P50), micros(first.Floor.Ring.P99),
			by(first.Ratio.RingP50), by(first.Ring.P99/first.Ring.P50), grouped(most))
		return each(ctx, []float64{0.1, 0.25, 0.5, 0.75, 0.9}, func(share float64) error {
			rate := max(share*most, 1)
			r, err := s.withFloor(ctx, fmt.Sprintf("%.0f", 100*share), nil, ownWorkers, "--rate", strconv.FormatFloat(rate, 'f', 1, 64))
			if err != nil {
				return fmt.Errorf("%s of the maximum: %w", percent(share), err)
			}
			t.add(percent(share), grouped(rate), micros(r.Loaded.P50), micros(r.Loaded.P99), micros(r.Floor.Loaded.P50), micros(r.Floor.Loaded.P99),
				by(r.Loaded.P50/r.Floor.Loaded.P50), by(r.Loaded.P99/r.Ring.P50), grouped(r.CallsPerSecond))
			return nil
		})
	})
	return t, err
}
