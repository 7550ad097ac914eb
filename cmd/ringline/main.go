// Command ringline is all of Ringline in one binary: `ringline dev` runs NATS and every worker in one process, the
// verbs (invite, accept …) send commands, and watch shows events as they happen.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringline.io/ringline/cmd/internal/caller"
	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/dev"
	"ringline.io/ringline/cmd/internal/measure"
	"ringline.io/ringline/cmd/internal/operate"
	"ringline.io/ringline/cmd/internal/serve"
	"ringline.io/ringline/cmd/internal/settings"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2   // the command line is invalid
	exitInterrupted = 130 // a signal ended the command before it finished
)

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal returns a context that the first signal cancels. The second signal ends the process at once, with the
// default action of that signal.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		second := <-signals
		signal.Reset()
		if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(second) != nil {
			os.Exit(exitInterrupted)
		}
	}()
	return ctx
}

// run executes a command line, prints the error if any, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot() //nolint:contextcheck // cobra hands ctx to the commands
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	understood := false
	mark(root, &understood)

	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	_, _ = fmt.Fprintf(stderr, "ringline: %v\n", err)
	if understood {
		return exitFailed
	}
	_, _ = fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", cmd.CommandPath())
	return exitUsage
}

// mark sets understood once a command runs: an error before that is a usage error.
func mark(cmd *cobra.Command, understood *bool) {
	for _, sub := range cmd.Commands() {
		mark(sub, understood)
	}
	if runE := cmd.RunE; runE != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*understood = true
			return runE(cmd, args)
		}
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "ringline",
		Short: "Ring users over NATS: who is called, who rings, who answered",
		Long: "Ringline is the ringing half of a calling app, self-hosted over NATS JetStream.\n\n" +
			"Start with `ringline dev`; then, in other terminals, `ringline watch --user bob` and\n" +
			"`ringline invite bob --user ann`.\n\n" + settings.Help(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddGroup(
		&cobra.Group{ID: cli.GroupServe, Title: "Run it:"},
		&cobra.Group{ID: cli.GroupCall, Title: "Make calls, on a Ringline that runs:"},
	)
	root.SetFlagErrorFunc(nearestFlag)
	root.AddCommand(dev.New(), operate.NewSetup(), serve.NewCoordinator(), serve.NewTimeouts(), serve.NewEdge(), measure.New(), operate.NewConfig(), operate.NewVersion())
	root.AddCommand(caller.NewWatch(), caller.NewLine(), caller.NewList(), operate.NewApp(), operate.NewToken())
	root.AddCommand(caller.NewVerbs()...)
	return root
}

// nearestFlag adds to the error the flag that was probably meant.
func nearestFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var flags []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, "--"+f.Name) })
	if near, ok := cli.Nearest("--"+unknown.GetSpecifiedName(), flags); ok {
		return fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return err
}
