//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/tests/faults/sweep"
)

// sweeping configures which sweeps are measured, and how.
type sweeping struct {
	sweep.Config

	only []string
}

func sweepsCommand() *cobra.Command {
	t := &trial{}
	x := sweeping{}
	cmd := command("sweeps", "Measure the effect of one parameter at a time, and print tables for docs/performance.md", t, func(cmd *cobra.Command) error {
		names, err := sweep.Pick(x.only)
		if err != nil {
			return fmt.Errorf("--only: %w", err)
		}
		if !cmd.Flags().Changed("runs") && x.Quick {
			x.Runs = 1
		}
		if x.Runs < 1 || x.Runs > 100 {
			return errors.New("--runs must be from 1 to 100")
		}
		if x.Phase < time.Second || x.Phase > 10*time.Minute {
			return errors.New("--phase must be from 1s to 10m")
		}
		x.Source, x.Dir, x.Seed, x.Say = t.source, t.dir, t.seed, t.say
		return x.run(cmd.Context(), cmd.Root().OutOrStdout(), names)
	})
	cmd.Long = "Measures the effect of one parameter at a time, with processes, and prints tables for docs/performance.md. Progress goes to stderr.\n" +
		"Sweeps: " + list(words(sweep.Names()))
	cmd.PreRun = func(cmd *cobra.Command, _ []string) { cmd.SetOut(cmd.ErrOrStderr()) } // only the tables go to stdout
	f := cmd.Flags()
	f.StringSliceVar(&x.only, "only", nil, "the sweeps (default all): "+list(words(sweep.Names())))
	f.BoolVar(&x.Quick, "quick", false, "much smaller and shorter, to check that it works; one run unless --runs is set")
	f.IntVar(&x.Runs, "runs", 3, "runs of ringline bench; the results are their medians")
	f.DurationVar(&x.Phase, "phase", 5*time.Second, "how long each phase of a run is measured")
	f.BoolVar(&x.Synced, "synced", false, "brokers with sync_interval: always in all sweeps")
	return cmd
}

func words[T ~string](names []T) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = string(n)
	}
	return all
}

// run measures the sweeps, and prints each table when it is complete. If a sweep fails, run still measures
// the others.
func (x sweeping) run(ctx context.Context, w io.Writer, names []sweep.Name) error {
	_, _ = fmt.Fprintf(w, "%d cores (%s/%s), %s, nats-server %s, %s\n\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		x.broker(ctx), time.Now().Format(time.DateOnly))
	var all []error
	for _, n := range names {
		if ctx.Err() != nil {
			break
		}
		x.Say("sweep %s", n)
		t, err := x.Run(ctx, n)
		if len(t.Rows) > 0 {
			_, _ = fmt.Fprintln(w, t)
		}
		if err != nil {
			x.Say("%v", err)
			all = append(all, err)
		}
	}
	return errors.Join(append(all, ctx.Err())...)
}

// broker returns the version of nats-server used for the measurement.
func (x sweeping) broker(ctx context.Context) string {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/nats-io/nats-server/v2")
	cmd.Dir = x.Source
	out, err := cmd.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
