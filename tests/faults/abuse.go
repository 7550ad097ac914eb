//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/abuse"
	"ringline.io/ringline/tests/faults/rig"
)

// abusing is the configuration of the abuse test. Clients misbehave for the configured time.
type abusing struct {
	trial      trial
	onlyShares bool
	abuse.Config
}

func abuseCommand() *cobra.Command {
	t := &trial{}
	x := abusing{Config: abuse.Config{Pairs: 20, Quiet: 10 * time.Second, Each: 5 * time.Second, Combined: 40 * time.Second}}
	cmd := command("abuse", "Send the traffic of bad clients, and measure how long honest clients wait", t, func(cmd *cobra.Command) error {
		x.trial = *t
		if x.Pairs < 1 || x.Quiet < time.Second || x.Each < time.Second || x.Combined < time.Second {
			return errors.New("--pairs must be at least 1, --quiet, --each and --together 1s")
		}
		return x.run(cmd.Context(), cmd.OutOrStdout())
	})
	f := cmd.Flags()
	f.IntVar(&x.Pairs, "pairs", x.Pairs, "honest pairs, each of which calls every 1.2s")
	f.DurationVar(&x.Quiet, "quiet", x.Quiet, "how long they are measured before and after the attacks")
	f.DurationVar(&x.Each, "each", x.Each, "duration of each kind by itself")
	f.DurationVar(&x.Combined, "together", x.Combined, "duration of all kinds together")
	f.IntVar(&x.CommandsPerS, "commands-per-s", 0, "the setting of the app that floods (0: the default)")
	f.BoolVar(&x.onlyShares, "only-shares", false, "only measure the effect of one flooding app on another")
	return cmd
}

func (x abusing) run(ctx context.Context, w io.Writer) error {
	r, err := rig.New(ctx, rig.Config{
		Dir: x.trial.dir, Source: x.trial.source, Nodes: 1, Coordinators: 2, Timeouts: 1, Edges: 1,
	})
	if err != nil {
		return err
	}
	defer r.Close()
	if x.NC, err = nats.Connect(r.URLs()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer x.NC.Close()
	x.Edge, x.Say, x.Attack = r.Edges[0].HTTP(), x.trial.say, attack
	x.Refused = func(ctx context.Context) (map[string]float64, error) {
		refused, err := r.Edges[0].Labelled(ctx, "ringline_sessions_refused_total")
		if err != nil {
			return nil, err
		}
		closed, err := r.Edges[0].Labelled(ctx, "centrifuge_transport_outgoing_close_count") // by close code
		maps.Copy(refused, closed)
		return refused, err
	}
	if !x.onlyShares {
		o, err := abuse.Run(ctx, x.Config)
		printAbuse(w, o)
		if err != nil {
			return err
		}
		if err := errors.Join(o.Err(), r.Errors()); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(w, "each kind was refused or limited with its code")
	}
	shares, err := abuse.Share(ctx, x.Config)
	printShares(w, shares)
	if err == nil {
		err = errors.Join(shares.Err(), r.Errors())
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w, "no app prevented calls of another")
	return nil
}

func printShares(w io.Writer, o abuse.Shares) {
	quiet := o.Busy().Ring.At(0.99)
	_, _ = fmt.Fprintf(w, "  %-52s %8s %9s %6s %9s %10s\n", "invitation to ring in one app, during traffic of another", "p50", "p99", "ratio", "NATS p99", "stored")
	for _, p := range o.Phases {
		_, _ = fmt.Fprintf(w, "  %-52s %6.1fms %7.1fms %6.1f %7.1fms %5.0f KB/s\n", p.Name, ms(p.Ring.At(0.5)), ms(p.Ring.At(0.99)),
			ms(p.Ring.At(0.99))/ms(quiet), ms(p.Trips.At(0.99)), p.Stored/1000)
		for _, kind := range slices.Sorted(maps.Keys(p.Counts)) {
			for _, what := range slices.Sorted(maps.Keys(p.Counts[kind])) {
				_, _ = fmt.Fprintf(w, "    %7d  %s\n", p.Counts[kind][what], what)
			}
		}
	}
}

// attack runs the misbehaving clients in another process. The process runs under nice, so that the clients
// load the edge and do not take CPU time from the honest clients. In production the honest clients run on
// other machines.
func attack(ctx context.Context, a abuse.Attack) (counts abuse.Counts, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, a.For+3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nice", "-n", "19", self, "attack")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("attack: %w", err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("attack: %w", err)
	}
	err = json.NewEncoder(in).Encode(a)
	err = errors.Join(err, cmd.Wait()) // the attack continues until it is done, because its stdin stays open
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &counts)
	}
	if err != nil {
		return nil, fmt.Errorf("attack: %w", err)
	}
	return counts, nil
}

// attackCommand is the command that attack runs in a process of its own.
func attackCommand() *cobra.Command {
	return &cobra.Command{Use: "attack", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return abuse.Serve(cmd.Context(), os.Stdin, cmd.OutOrStdout())
	}}
}

func printAbuse(w io.Writer, o abuse.Outcome) {
	for _, row := range o.Rows {
		_, _ = fmt.Fprintf(w, "  %s\n", row.Kind)
		for _, what := range slices.Sorted(maps.Keys(row.Counts)) {
			_, _ = fmt.Fprintf(w, "    %7d  %s\n", row.Counts[what], what)
		}
	}
	quiet := o.Quiet()
	_, _ = fmt.Fprintf(w, "  %-34s %8s %9s %6s %6s %9s\n", "honest pairs, while", "p50", "p99", "ratio", "ratio", "NATS p99")
	for _, p := range o.Phases {
		_, _ = fmt.Fprintf(w, "  %-34s %6.1fms %7.1fms %6.1f %6.1f %7.1fms\n", p.Name, ms(p.At(0.5)), ms(p.At(0.99)),
			ms(p.At(0.5))/ms(quiet.At(0.5)), ms(p.At(0.99))/ms(quiet.At(0.99)), ms(p.Trips.At(0.99)))
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
