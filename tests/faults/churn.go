//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/churn"
	"ringline.io/ringline/tests/faults/defects"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/tests/faults/rig"
)

// churning configures how many clients connect and disconnect, and how many notifications they receive
// meanwhile.
type churning struct {
	trial         trial
	clients       int
	notifications int
	parallel      int
	edges         int
	grace         time.Duration
	breaks        bool // kill and stop edges meanwhile
}

// defaultChurn returns the default configuration of the churn command.
func defaultChurn() churning {
	return churning{clients: 500, notifications: 20_000, parallel: 120, edges: 1, grace: 500 * time.Millisecond}
}

func churnCommand() *cobra.Command {
	t := &trial{}
	x := defaultChurn()
	cmd := command("churn", "Let clients connect and drop at random while calls are made", t, func(cmd *cobra.Command) error {
		x.trial = *t
		if err := x.check(); err != nil {
			return err
		}
		r, err := x.run(cmd.Context(), cmd.OutOrStdout())
		if err != nil {
			return err
		}
		return reportViolations(cmd.OutOrStdout(), r.Report)
	})
	f := cmd.Flags()
	f.IntVar(&x.clients, "clients", x.clients, "clients; a fifth of the users have two")
	f.IntVar(&x.notifications, "notifications", x.notifications, "notifications for their users")
	f.IntVar(&x.parallel, "concurrent", x.parallel, "concurrent calls")
	f.IntVar(&x.edges, "edges", x.edges, "edges that the clients are spread over")
	f.BoolVar(&x.breaks, "break-edges", false, "kill, stop and restart all edges except the first meanwhile")
	f.DurationVar(&x.grace, "grace", x.grace, "maximum delay until a connected client is notified")
	f.StringSliceVar(&t.defects, "mutant", nil, "defects to plant: "+list(defects.All()))
	return cmd
}

func (x churning) check() error {
	if x.clients < 6 || x.notifications < 1 || x.parallel < 1 || x.edges < 1 || x.grace <= 0 {
		return errors.New("--clients must be at least 6, --notifications, --concurrent and --edges 1, --grace above 0")
	}
	if x.breaks && x.edges < 2 {
		return errors.New("--break-edges needs at least 2 --edges, because the first one stays")
	}
	return nil
}

// run plays the clients and checks the result.
func (x churning) run(ctx context.Context, w io.Writer) (churn.Result, error) {
	disk := ""
	if rig.CanMount() {
		disk = "3g"
	}
	r, err := rig.New(ctx, rig.Config{
		Dir: x.trial.dir, Source: x.trial.source, Defects: x.trial.defects, Nodes: x.trial.nodes, Coordinators: 2, Timeouts: 1,
		Edges: x.edges, DiskSize: disk,
	})
	if err != nil {
		return churn.Result{}, err
	}
	defer r.Close()
	nc, err := nats.Connect(r.URLs())
	if err != nil {
		return churn.Result{}, fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	cfg := churn.Config{
		NC: nc, Clients: x.clients, Notifications: x.notifications, Concurrent: x.parallel, Grace: x.grace, Seed: x.trial.seed,
		Longest: 10 * time.Minute, Say: x.trial.say,
	}
	for _, e := range r.Edges {
		cfg.Edges = append(cfg.Edges, e.HTTP())
	}
	if x.breaks {
		cfg.Breaks = func(ctx context.Context) []churn.Break { return x.breakEdges(ctx, r.Edges[1:]) }
	}
	used, begun := r.Used(), time.Now()
	h, counts, err := churn.Play(ctx, cfg)
	x.trial.say("of one core: %s", r.Used().Since(used, time.Since(begun)))
	for _, line := range counts {
		_, _ = fmt.Fprintln(w, line)
	}
	if err = errors.Join(err, r.Errors()); err != nil {
		return churn.Result{}, err
	}
	result, err := churn.Check(h)
	if err != nil {
		return result, err
	}
	x.print(h, result)
	return result, x.enough(result)
}

// breakEdges kills, pauses and restarts one edge after another until ctx ends. Then it makes all of them run.
func (x churning) breakEdges(ctx context.Context, edges []*rig.Worker) (list []churn.Break) {
	rng := rand.New(rand.NewPCG(x.trial.seed, 4)) //nolint:gosec // the same seed breaks the same edges
	within := func(least, most time.Duration) time.Duration {
		return least + time.Duration(rng.Int64N(int64(most-least)))
	}
	for play.Sleep(ctx, within(200*time.Millisecond, 1500*time.Millisecond)) {
		e := edges[rng.IntN(len(edges))]
		b := churn.Break{Edge: e.HTTP(), From: record.Now()}
		switch rng.IntN(3) {
		case 0:
			e.Kill()
		case 1:
			e.Stop(drains)
		default:
			e.Pause()
		}
		play.Sleep(ctx, within(300*time.Millisecond, 3*time.Second))
		e.Continue()
		if err := e.Start(); err != nil {
			x.trial.say("%s: %v", e.Name, err)
		}
		awaiting, cancel := context.WithTimeout(context.WithoutCancel(ctx), comesBack)
		if err := e.Await(awaiting); err != nil {
			x.trial.say("%s: %v", e.Name, err)
		}
		cancel()
		b.To = record.Now()
		list = append(list, b)
	}
	x.trial.say("edges were broken %d times", len(list))
	return list
}

func (x churning) print(h churn.History, r churn.Result) {
	connections, shown := 0, 0
	for _, c := range h.Clients {
		connections += len(c.Periods)
		for _, s := range c.Sights {
			if s.Is.On {
				shown++
			}
		}
	}
	x.trial.say("%d clients, %d connections, %d notifications for their users; %d times a call was shown or changed", len(h.Clients),
		connections, r.Notifications, shown)
	x.trial.say("from the stream to a connected client: %s", quantiles(r.Latencies))
	var pulses []time.Duration
	for _, p := range h.Pulses {
		pulses = append(pulses, time.Duration(p.Came-p.Sent))
	}
	x.trial.say("from NATS to a client that stays connected: %s", quantiles(pulses))
}

// enough returns an error if the run had too little to check.
func (x churning) enough(r churn.Result) error {
	if r.Notifications < x.notifications {
		return fmt.Errorf("only %d notifications were made", r.Notifications)
	}
	for _, f := range r.Figures {
		switch {
		case f.Looked == 0:
			return fmt.Errorf("there was nothing to check for %s", f.Check)
		case 10*f.Exempt > f.Looked:
			return fmt.Errorf("the machine was too slow for a result: %d of %d exempt of %s", f.Exempt, f.Looked, f.Check)
		}
	}
	return nil
}
