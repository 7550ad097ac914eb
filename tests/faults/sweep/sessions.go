//go:build linux

package sweep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/idle"
)

// sessions measures the cost of idle client sessions in an edge.
func (c Config) sessions(ctx context.Context) (Table, error) {
	counts := []int{100, 1000, 10_000, 20_000}
	if c.Quick {
		counts = []int{20, 100, 200, 400}
	}
	still := pick(c, time.Minute, 2*time.Second)
	t := Table{
		Title: "Idle client sessions",
		About: fmt.Sprintf("WebSocket sessions on one edge, each of a user of its own, from addresses of 127.0.0.0/8. The cost of a session is the "+
			"difference to %d sessions, right after a garbage collection; the processor while all are idle for %v; a push is from NATS to "+
			"the client, in brackets that of a plain subscriber on NATS.", counts[0], still),
		Head: []string{"sessions", "heap and stacks of a session", "resident", "processor, of one core", "push p50", "push p99"},
	}
	many := counts[len(counts)-1]
	most, err := idle.RaiseFiles(many)
	if err != nil {
		return t, err
	}
	if most < many {
		c.Say("open files are limited (ulimit -H -n): %d sessions instead of %d", most, many)
		counts = atMost(counts, most)
	}
	cfg := c.plain()
	cfg.Edges, cfg.EdgeEnv = 1, []string{"RINGLINE_PPROF=true"}
	err = c.on(ctx, "sessions", cfg, func(s stage) error {
		levels, err := s.levels(ctx, still, counts)
		for _, l := range levels[min(1, len(levels)):] {
			each := idle.Outcome{Few: levels[0], Many: l}.Each()
			t.add(grouped(l.Sessions), kilobytes(each.Heap+each.Stacks), kilobytes(each.RSS), fmt.Sprintf("%.1f %%", 100*l.Processor),
				fmt.Sprintf("%s (%s)", millis(l.Pushed.At(0.5)), millis(l.Plain.At(0.5))),
				fmt.Sprintf("%s (%s)", millis(l.Pushed.At(0.99)), millis(l.Plain.At(0.99))))
		}
		return err
	})
	return t, err
}

// atMost removes the numbers that are at least most, and appends most.
func atMost(counts []int, most int) []int {
	fewer := slices.DeleteFunc(slices.Clone(counts), func(n int) bool { return n >= most })
	return append(fewer, most)
}

func (s stage) levels(ctx context.Context, still time.Duration, counts []int) ([]idle.Level, error) {
	nc, err := nats.Connect(s.rig.URLs())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	app, err := device.NewApp(ctx, js, "idle", device.Unlimited())
	if err != nil {
		return nil, err
	}
	edge := s.rig.Edges[0]
	if err := app.Await(ctx, edge.HTTP()); err != nil {
		return nil, err
	}
	return idle.Levels(ctx, idle.Config{
		NC: nc, Server: edge.HTTP(), Process: edge, Token: func(user string) (string, error) { return app.Token(user, "") },
		Idle: still, Pushes: pick(s.Config, 500, 50), Seed: s.Seed, Say: s.Say,
	}, counts...)
}
