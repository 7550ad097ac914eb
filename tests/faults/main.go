//go:build linux

// Command faults runs Ringline as processes, injects faults in them and in their network, and checks the
// results.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/defects"
	"ringline.io/ringline/tests/faults/play"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it immediately
	root := &cobra.Command{
		Use: "faults", Short: "Break a running Ringline and check the results", SilenceUsage: true, SilenceErrors: true,
	}
	root.SetOut(os.Stdout)
	root.AddCommand(runCommand(), checkCommand(), mutantsCommand(), outageCommand(), ringsCommand(), scaleCommand(), defectsCommand(),
		churnCommand(), abuseCommand(), idleCommand(), sweepsCommand(), bareCommand(), attackCommand(), alertsCommand(),
		presenceCommand(), holdCommand())
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "faults: interrupted")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// command creates a command that runs a trial.
func command(use, short string, t *trial, do func(cmd *cobra.Command) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if err := t.check(); err != nil {
			return err
		}
		begun := time.Now()
		t.say = func(format string, args ...any) {
			cmd.Printf("%6.1fs  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
		}
		if t.seed == 0 {
			t.seed = uint64(time.Now().UnixNano()) % 1_000_000 //nolint:gosec // it only has to differ
		}
		temporary := t.dir == ""
		if temporary {
			t.dir = filepath.Join(os.TempDir(), fmt.Sprintf("ringline-faults-%d-%d", t.seed, os.Getpid()))
		}
		t.say("seed %d, logs below %s", t.seed, t.dir)
		err := do(cmd)
		switch {
		case !temporary:
		case err == nil, cmd.Context().Err() != nil:
			err = errors.Join(err, os.RemoveAll(t.dir))
		default: // kept for inspection
			if _, none := os.Stat(t.dir); none == nil {
				t.say("kept: %s", t.dir)
			}
		}
		return err
	}}
	t.nodes, t.rate, t.users, t.rings, t.longest, t.calm = 1, 40, 150, 20*time.Second, 45*time.Second, 20*time.Second
	t.every = 1500 * time.Millisecond
	f := cmd.Flags()
	f.Uint64Var(&t.seed, "seed", 0, "seed of the calls and faults; 0 draws one")
	f.StringVar(&t.source, "source", ".", "the root of the repository")
	f.StringVar(&t.dir, "dir", "", "folder of logs and data; by default one that is deleted if nothing is found")
	return cmd
}

func nodesFlag(cmd *cobra.Command, t *trial) {
	cmd.Flags().IntVar(&t.nodes, "nodes", t.nodes, "brokers, 1 or 3")
}

// playFlags adds the flags that control how calls are played.
func playFlags(cmd *cobra.Command, t *trial) {
	f := cmd.Flags()
	nodesFlag(cmd, t)
	f.Float64Var(&t.rate, "rate", t.rate, "calls a second")
	f.IntVar(&t.users, "users", t.users, "users of each of two apps")
	f.DurationVar(&t.rings, "rings-for", t.rings, "maximum ring time of most calls")
	f.DurationVar(&t.longest, "longest", t.longest, "the maximum duration of a call")
	f.DurationVar(&t.calm, "calm", t.calm, "how long calls are played afterwards without faults")
}

func runCommand() *cobra.Command {
	t := &trial{}
	cmd := command("run", "Play calls while faults happen", t, func(cmd *cobra.Command) error {
		o, err := t.run(cmd.Context())
		if err != nil {
			return err
		}
		return o.conclude(cmd.OutOrStdout())
	})
	cmd.Long = "Plays calls while faults happen, and checks the results. Values of the flags:\n" +
		"  --only    " + list(kinds(3)) + "\n  --points  " + list(whereabouts()) + "\n  --scenes  " + list(play.Scenes()) +
		"\n  --mutant  " + list(defects.All())
	playFlags(cmd, t)
	f := cmd.Flags()
	f.DurationVar(&t.duration, "duration", 5*time.Minute, "how long calls are played with faults")
	f.DurationVar(&t.every, "every", t.every, "the mean time between two faults")
	f.DurationVar(&t.reach, "reach", 8*time.Second, "how long the devices of a callee have to confirm that they ring; 0s: no limit")
	f.StringSliceVar(&t.defects, "mutant", nil, "defects to plant")
	f.StringSliceVar(&t.only, "only", nil, "the kinds of faults (default all)")
	f.StringSliceVar(&t.points, "points", nil, "where faults wait for a message (default all)")
	f.StringSliceVar(&t.scenes, "scenes", nil, "the scenes that are played (default all)")
	return cmd
}

func mutantsCommand() *cobra.Command {
	t := &trial{}
	var only []string
	cmd := command("mutants", "Plant defects and report which check finds each", t, func(cmd *cobra.Command) error {
		return catch(cmd.Context(), cmd.OutOrStdout(), *t, only)
	})
	cmd.Flags().Float64Var(&t.rate, "rate", t.rate, "calls a second, where a hunt sets none")
	cmd.Flags().StringSliceVar(&only, "only", nil, "the defects (default all): "+list(hunted()))
	return cmd
}

func outageCommand() *cobra.Command {
	t := &trial{}
	cmd := command("outage", "Play calls while all coordinators are stopped", t, func(cmd *cobra.Command) error {
		t.outage, t.duration = t.duration, 0
		o, err := t.run(cmd.Context())
		if err != nil {
			return err
		}
		received, late := lateRings(o.history)
		t.say("%d invitations were received, %d of them after their deadline", received, len(late))
		hangUps, open := openAfterHangUp(o.history)
		t.say("%d hang-ups were stored, %d of their calls are open", hangUps, len(open))
		err = o.conclude(cmd.OutOrStdout())
		for _, x := range append(late, open...) {
			err = errors.Join(err, errors.New(x))
		}
		return err
	})
	playFlags(cmd, t)
	cmd.Flags().DurationVar(&t.duration, "duration", 10*time.Minute, "how long they are stopped")
	return cmd
}

func ringsCommand() *cobra.Command {
	t := &trial{}
	x := rings{}
	cmd := command("rings", "Let many calls ring at once", t, func(cmd *cobra.Command) error {
		if x.count < 1 || x.over < 0 || x.rings < time.Second || x.rings > 10*time.Minute {
			return errors.New("--count must be at least 1, --over not below 0, and --rings 1s to 10m")
		}
		x.trial = *t
		return x.run(cmd.Context())
	})
	nodesFlag(cmd, t)
	f := cmd.Flags()
	f.IntVar(&x.count, "count", 20_000, "calls")
	f.DurationVar(&x.over, "over", 30*time.Second, "period in which they are invited, and in which they are due")
	f.DurationVar(&x.rings, "rings", time.Minute, "how long each rings")
	f.BoolVar(&x.kill, "kill", false, "kill all processes while they ring, and restart them when half of them are due")
	return cmd
}

func scaleCommand() *cobra.Command {
	t := &trial{}
	x := scale{}
	inOut := false
	cmd := command("scale", "Count complete calls a second with 1, 2 and 4 coordinators, on one broker and on three", t, func(cmd *cobra.Command) error {
		if x.parallel < 1 || x.long < time.Second {
			return errors.New("--concurrent must be at least 1, and --long 1s")
		}
		x.trial = *t
		if inOut {
			return x.inAndOut(cmd.Context(), t.rate)
		}
		return x.steps(cmd.Context())
	})
	f := cmd.Flags()
	f.IntVar(&x.parallel, "concurrent", 64, "concurrent calls")
	f.DurationVar(&x.long, "long", 15*time.Second, "how long each step is measured")
	f.BoolVar(&inOut, "in-and-out", false, "add and remove a coordinator under load instead")
	f.Float64Var(&t.rate, "rate", t.rate, "calls a second, with --in-and-out")
	return cmd
}
