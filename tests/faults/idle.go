//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/idle"
	"ringline.io/ringline/tests/faults/rig"
)

// idling configures how many idle sessions are measured.
type idling struct {
	trial trial
	idle.Config
	bare bool // also measure two processes that are not Ringline
}

func idleCommand() *cobra.Command {
	t := &trial{}
	x := idling{Config: idle.Config{Few: 1000, Many: 10_000, Idle: time.Minute, Pushes: 1000}, bare: true}
	cmd := command("idle", "Measure the cost of idle sessions, and how long a push to one of them takes", t, func(cmd *cobra.Command) error {
		x.trial = *t
		if x.Few < 1 || x.Many <= x.Few || x.Many > 100_000 || x.Idle < time.Second || x.Pushes < 1 {
			return errors.New("--few and --pushes must be at least 1, --many above --few and at most 100000, --idle at least 1s")
		}
		most, err := idle.RaiseFiles(x.Many)
		if err == nil && most < x.Many {
			err = fmt.Errorf("the limit of open files (ulimit -n) is enough for %d sessions; raise it, or pass --many %d", most, most)
		}
		if err != nil {
			return err
		}
		return x.run(cmd.Context(), cmd.OutOrStdout())
	})
	f := cmd.Flags()
	f.IntVar(&x.Few, "few", x.Few, "sessions at the start")
	f.IntVar(&x.Many, "many", x.Many, "sessions at the end")
	f.DurationVar(&x.Idle, "idle", x.Idle, "how long the sessions are idle")
	f.IntVar(&x.Pushes, "pushes", x.Pushes, "pushes that are measured")
	f.BoolVar(&x.bare, "bare", x.bare, "measure bare centrifuge as well")
	return cmd
}

func (x idling) run(ctx context.Context, w io.Writer) error {
	r, err := rig.New(ctx, rig.Config{
		Dir: x.trial.dir, Source: x.trial.source, Nodes: 1, Coordinators: 1, Timeouts: 1, Edges: 1,
		EdgeEnv: []string{"RINGLINE_PPROF=true"},
	})
	if err != nil {
		return err
	}
	defer r.Close()
	nc, err := nats.Connect(r.URLs())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	x.NC, x.Seed, x.Say = nc, x.trial.seed, x.trial.say
	product, err := x.edge(ctx, r)
	if err != nil {
		return err
	}
	names, all := []string{"ringline edge"}, []idle.Outcome{product}
	if x.bare {
		for _, defaults := range []bool{false, true} {
			o, err := x.measureBare(ctx, r, defaults)
			if err != nil {
				return err
			}
			all = append(all, o)
		}
		names = append(names, "bare centrifuge, same buffers", "bare centrifuge, its defaults")
	}
	printIdle(w, names, all)
	return r.Errors()
}

// edge measures the Ringline edge.
func (x idling) edge(ctx context.Context, r *rig.Rig) (idle.Outcome, error) {
	js, err := jetstream.New(x.NC)
	if err != nil {
		return idle.Outcome{}, fmt.Errorf("connect: %w", err)
	}
	app, err := device.NewApp(ctx, js, "idle", device.Unlimited())
	if err != nil {
		return idle.Outcome{}, err
	}
	x.Server, x.Process = r.Edges[0].HTTP(), r.Edges[0]
	if err := app.Await(ctx, x.Server); err != nil {
		return idle.Outcome{}, err
	}
	x.Token = func(user string) (string, error) { return app.Token(user, "") }
	return idle.Run(ctx, x.Config)
}

// measureBare measures bare centrifuge in a process of this program.
func (x idling) measureBare(ctx context.Context, r *rig.Rig, defaults bool) (o idle.Outcome, err error) {
	self, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("find this program: %w", err)
	}
	if x.Server, err = r.FreeAddress(ctx); err != nil {
		return o, err
	}
	p, err := r.Program(fmt.Sprintf("bare-%v", defaults), self, "bare", "--http", x.Server, "--nats-url", r.URLs(), fmt.Sprintf("--defaults=%v", defaults))
	if err != nil {
		return o, err
	}
	defer p.Kill()
	if err := rig.AwaitHTTP(ctx, p.Name, "http://"+x.Server+"/debug/pprof/"); err != nil {
		return o, err
	}
	x.Process, x.Token = p, func(user string) (string, error) { return user, nil }
	x.trial.say("bare centrifuge, its own defaults: %v", defaults)
	return idle.Run(ctx, x.Config)
}

// bareCommand is the command that measureBare runs in a process of its own.
func bareCommand() *cobra.Command {
	var b idle.Bare
	cmd := &cobra.Command{Use: "bare", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
		defer stop()
		return b.Run(ctx)
	}}
	f := cmd.Flags()
	f.StringVar(&b.HTTP, "http", "", "address")
	f.StringVar(&b.NATS, "nats-url", "", "NATS servers")
	f.BoolVar(&b.Defaults, "defaults", false, "with its own buffers")
	return cmd
}

func printIdle(w io.Writer, names []string, all []idle.Outcome) {
	_, _ = fmt.Fprintf(w, "  %-32s %9s %9s %9s %7s %9s %9s %9s\n", "a session", "RSS", "heap", "stacks", "idle", "push p50", "p99", "NATS p50")
	for i, o := range all {
		each := o.Each()
		_, _ = fmt.Fprintf(w, "  %-32s %7.1fKB %7.1fKB %7.1fKB %6.1f%% %7.2fms %7.2fms %7.2fms\n", names[i], kb(each.RSS), kb(each.Heap),
			kb(each.Stacks), 100*o.Many.Processor, ms(o.Many.Pushed.At(0.5)), ms(o.Many.Pushed.At(0.99)), ms(o.Many.Plain.At(0.5)))
		_, _ = fmt.Fprintf(w, "  %-32s %9s %9s %9s %6.1f%% %7.2fms %7.2fms %7.2fms\n", fmt.Sprintf("  with %d", o.Few.Sessions), "", "", "",
			100*o.Few.Processor, ms(o.Few.Pushed.At(0.5)), ms(o.Few.Pushed.At(0.99)), ms(o.Few.Plain.At(0.5)))
	}
}

func kb(bytes int64) float64 { return float64(bytes) / 1000 }
