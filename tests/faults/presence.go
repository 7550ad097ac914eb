//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/lost"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/tests/faults/rig"
)

// watching configures the measurements of presence.
type watching struct {
	trial    trial
	measures []string
	clients  lost.Clients
	edge     lost.Edge
	churn    lost.Churn
	cost     lost.Cost
}

// The measurements of presence.
const (
	ofClients = "clients"
	ofEdge    = "edge"
	ofChurn   = "churn"
	ofCost    = "cost"
)

func presenceCommand() *cobra.Command {
	t := &trial{}
	x := watching{measures: []string{ofClients, ofEdge, ofCost}}
	cmd := command("presence", "Measure how long parties stay in calls without their devices, and what watching costs", t, func(cmd *cobra.Command) error {
		x.trial = *t
		if x.clients.Times < 1 || x.clients.Every <= 0 || x.edge.Stay < 1 || x.edge.Stay >= x.edge.Pairs || x.churn.Clients < 2 || x.cost.Calls < 1 {
			return errors.New("--times, --stay, --clients and --calls must be at least 1, --pairs above --stay, --spread above 0")
		}
		x.edge.Seed, x.churn.Seed = t.seed, t.seed
		var all error
		for _, m := range x.measures {
			if err := x.run(cmd.Context(), cmd.OutOrStdout(), m); err != nil {
				all = errors.Join(all, fmt.Errorf("%s: %w", m, err))
			}
		}
		return all
	})
	cmd.Long = "Measures presence with the default settings:\n" +
		"  clients  the time from kill -9 (and from SIGSTOP) of a client to its free line: at most the grace period + 15 s\n" +
		"  edge     what the users of a killed edge lose: nothing if they are back within 20 s; the others are out within 2 min\n" +
		"  cost     messages, bytes and CPU time of watched calls in steady state\n" +
		"  churn    false losses while clients connect and disconnect, and everything else fails"
	nodesFlag(cmd, t)
	f := cmd.Flags()
	f.StringSliceVar(&x.measures, "measure", x.measures, "what is measured: clients, edge, cost, churn")
	f.IntVar(&x.clients.Times, "times", 20, "clients of each of four kinds")
	f.DurationVar(&x.clients.Every, "spread", 4*time.Second, "time between two of these clients")
	f.IntVar(&x.edge.Pairs, "pairs", 40, "calls with one party on the killed edge")
	f.IntVar(&x.edge.Stay, "stay", 8, "users of the killed edge who do not come back; fewer than a fifth of those who are connected")
	f.IntVar(&x.churn.Clients, "clients", 500, "clients that connect and disconnect")
	f.DurationVar(&x.churn.Duration, "duration", 5*time.Minute, "of the churn")
	f.DurationVar(&t.every, "every", t.every, "the mean time between two faults of the churn")
	f.StringSliceVar(&t.only, "only", nil, "the kinds of faults of the churn (default all)")
	f.IntVar(&x.cost.Calls, "calls", 1000, "watched calls whose cost is measured")
	f.DurationVar(&x.cost.Long, "long", time.Minute, "of each measurement of the cost")
	return cmd
}

// run makes one measurement on a site of its own.
func (x watching) run(ctx context.Context, w io.Writer, measure string) error {
	cfg := rig.Config{
		Dir: filepath.Join(x.trial.dir, measure), Source: x.trial.source, Nodes: x.trial.nodes, Coordinators: 2, Timeouts: 1, Edges: 2,
		Direct: measure == ofCost, EdgeEnv: []string{"RINGLINE_EDGE_SESSIONS_PER_ADDRESS=100000"},
	}
	if measure == ofChurn {
		cfg.Edges, cfg.Coordinators, cfg.Timeouts = 3, coordinators, timeoutsOf
	}
	r, err := rig.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer r.Close()
	nc, err := nats.Connect(r.URLs(), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	t := &lost.Town{NC: nc, Say: x.trial.say}
	for _, e := range r.Edges {
		t.Edges = append(t.Edges, e.HTTP())
	}
	if err := t.Open(ctx, "lost", device.Unlimited()); err != nil {
		return err
	}
	switch measure {
	case ofClients:
		return x.killClients(ctx, w, r, t)
	case ofEdge:
		return x.killEdge(ctx, w, r, t)
	case ofCost:
		return x.cost.Run(ctx, t, func(what string, long time.Duration) error { return steady(ctx, w, r, what, long) })
	case ofChurn:
		return x.churnClients(ctx, w, r, t)
	}
	return fmt.Errorf("there is no such measurement; there are %s", strings.Join([]string{ofClients, ofEdge, ofCost, ofChurn}, ", "))
}

func (x watching) killClients(ctx context.Context, w io.Writer, r *rig.Rig, t *lost.Town) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	x.clients.Start = func(name, edge, token string) (lost.Program, error) {
		return r.Program("client-"+name, self, "hold", "--edge", edge, "--token", token)
	}
	rows, err := x.clients.Run(ctx, t)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "  %-28s %6s %8s %8s %8s %8s %8s\n", "client", "times", "grace", "min", "median", "max", "bound")
	for _, row := range rows {
		_, _ = fmt.Fprintf(w, "  %-28s %6d %7.0fs %7.1fs %7.1fs %7.1fs %7.0fs\n", row.Kind, len(row.Took), row.Grace.Seconds(), row.Took[0].Seconds(),
			row.Median().Seconds(), row.Max().Seconds(), row.Bound.Seconds())
		if row.Took[0] < row.Grace || row.Max() > row.Bound {
			err = errors.Join(err, fmt.Errorf("%s: %v to %v, want %v to %v", row.Kind, row.Took[0], row.Max(), row.Grace, row.Bound))
		}
	}
	return err
}

func (x watching) killEdge(ctx context.Context, w io.Writer, r *rig.Rig, t *lost.Town) error {
	x.edge.Kill = r.Edges[0].Kill
	o, err := x.edge.Run(ctx, t)
	_, _ = fmt.Fprintf(w, "  %d users of a killed edge were back within %v and are in their calls\n", o.Back, lost.Back)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "  %d did not come back; their lines were free after %.1f s (min) to %.1f s (max)\n", len(o.Out), o.Out[0].Seconds(),
		o.Out[len(o.Out)-1].Seconds())
	if most := o.Out[len(o.Out)-1]; most > lost.Out {
		return fmt.Errorf("a line was free after %v, want %v at most", most, lost.Out)
	}
	return nil
}

// steady measures the traffic and the CPU time of the site while nothing happens.
func steady(ctx context.Context, w io.Writer, r *rig.Rig, what string, long time.Duration) error {
	before, err := r.Traffic(ctx)
	if err != nil {
		return err
	}
	used, begun := r.Used(), time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
	}
	after, err := r.Traffic(ctx)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	t, m := after.Minus(before), took.Minutes()
	_, err = fmt.Fprintf(w, "  %-34s a minute: %6.0f messages and %6.0f KB in, %6.0f and %6.0f KB out; of one core: %s\n", what, float64(t.InMsgs)/m,
		float64(t.InBytes)/m/1000, float64(t.OutMsgs)/m, float64(t.OutBytes)/m/1000, r.Used().Since(used, took))
	return err
}

// churnClients lets clients come and go while faults happen.
func (x watching) churnClients(ctx context.Context, w io.Writer, r *rig.Rig, t *lost.Town) error {
	js, err := jetstream.New(t.NC)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	var failed []error
	b := &breaker{rig: r, js: js, rec: &record.Recorder{}, failed: func(err error) { failed = append(failed, err) }}
	p := x.trial
	p.duration = x.churn.Duration
	if len(p.only) == 0 {
		for _, k := range kinds(p.nodes) {
			if k := kind(k); k != resetClient && k != cutClient && k != wrongClock && k != fillEvents { // one build, no NATS clients, and a whole log
				p.only = append(p.only, string(k))
			}
		}
	}
	breaking, stop := context.WithCancel(ctx)
	broken := make(chan struct{})
	go func() { defer close(broken); b.run(breaking, plan(p, false)) }()
	o, err := x.churn.Run(ctx, t)
	stop()
	<-broken
	counts := map[string]int{}
	for _, f := range b.rec.History().Faults {
		counts[f.Kind]++
	}
	_, _ = fmt.Fprintf(w, "  %d clients for %v: %d sessions, %d calls, %v faults\n", x.churn.Clients, x.churn.Duration, o.Sessions, o.Calls, counts)
	_, _ = fmt.Fprintf(w, "  %d parties were lost, %d of them although their device had a session within the grace period\n", o.Lost, len(o.False))
	for _, f := range o.False[:min(len(o.False), 10)] {
		_, _ = fmt.Fprintf(w, "    %s\n", f)
	}
	if len(o.False) > 0 {
		err = errors.Join(err, fmt.Errorf("%d false losses", len(o.False)))
	}
	return errors.Join(slices.Concat([]error{err}, failed)...)
}

// holdCommand is a client that keeps a session until it is killed.
func holdCommand() *cobra.Command {
	var edge, token string
	cmd := &cobra.Command{Use: "hold", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return lost.Hold(cmd.Context(), cmd.OutOrStdout(), edge, token)
	}}
	cmd.Flags().StringVar(&edge, "edge", "", "address")
	cmd.Flags().StringVar(&token, "token", "", "token of the session")
	return cmd
}
