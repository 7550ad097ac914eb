//go:build linux

package sweep

import (
	"context"
	"fmt"

	"ringline.io/ringline/internal/bench"
)

// copies configures the number of replicas, and whether the broker syncs to disk before it acknowledges.
type copies struct {
	replicas int
	synced   bool
}

func (x copies) disk() string {
	if x.synced {
		return "always"
	}
	return "2 min"
}

// replicas measures one broker and three.
func (c Config) replicas(ctx context.Context) (Table, error) {
	t := Table{
		Title: "Replicas",
		About: c.playedOver("subjects and over sessions") + " As many brokers as replicas, each a process; the coordinator is in the process of bench, as the floor's worker is, and" +
			" so is the edge, as the floor's WebSockets are.",
		Head: []string{
			"replicas", "`sync_interval`", "over", "idle ring p50", "floor", "× floor", "calls/s", "floor", "× floor", "ring p99 at half of the maximum", "× idle p50",
		},
	}
	err := each(ctx, []copies{{1, false}, {1, true}, {3, false}, {3, true}}, func(x copies) error {
		cfg := c.bare()
		cfg.Nodes, cfg.Unsynced = x.replicas, !x.synced
		return c.on(ctx, fmt.Sprintf("replicas-%d-%v", x.replicas, x.synced), cfg, func(s stage) error {
			return each(ctx, []bench.Over{bench.OverSubjects, bench.OverSessions}, func(over bench.Over) error {
				r, err := s.withFloor(ctx, string(over), nil, ownWorkers, "--over", string(over))
				if err != nil {
					return err
				}
				t.add(grouped(x.replicas), x.disk(), string(over), micros(r.Ring.P50), micros(r.Floor.Ring.P50), by(r.Ratio.RingP50),
					grouped(r.CallsPerSecond), grouped(r.Floor.CallsPerSecond), by(r.Ratio.CallsPerSecond),
					micros(r.Loaded.P99), by(r.Loaded.P99/r.Ring.P50))
				return nil
			})
		})
	})
	return t, err
}
