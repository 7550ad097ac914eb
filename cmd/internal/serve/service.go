package serve

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/health"
)

// service is one kind of worker as a process of its own.
type service struct {
	settings settings.Settings
	log      zerolog.Logger
	role     Role

	natsURL string
	http    settings.HTTPAddress
}

// NewCoordinator is the command that runs a coordinator.
func NewCoordinator() *cobra.Command {
	return serviceCommand(CoordinatorRole(), "127.0.0.1:8081", "Run a coordinator, which executes commands, and the api",
		"Runs a coordinator and the api with an external NATS, until SIGTERM or Ctrl-C; it then finishes messages in\n"+
			"flight. It waits for NATS, and for `ringline setup`. Run as many as you like.")
}

// NewTimeouts is the command that runs a timeouts worker.
func NewTimeouts() *cobra.Command {
	return serviceCommand(TimeoutsRole(), "127.0.0.1:8082", "Run a timeouts worker, which ends unanswered calls at their deadline",
		"Runs a timeouts worker with an external NATS, until SIGTERM or Ctrl-C; it then finishes messages in flight.\n"+
			"It waits for NATS, and for `ringline setup`. Run as many as you like.")
}

func serviceCommand(r Role, http, short, long string) *cobra.Command {
	w := service{role: r}
	cmd := &cobra.Command{
		Use: r.name, GroupID: cli.GroupServe, Short: short, Long: long, Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, log, err := settings.ReadForService(cmd)
			if err != nil {
				return err
			}
			w.settings, w.log = s, log
			if w.http, err = s.HTTPAddress(cmd); err != nil {
				return err
			}
			if w.natsURL, err = s.NATSServers(cmd); err != nil {
				return err
			}
			return UntilStopped(cmd.Context(), w.run)
		},
	}
	AddHTTPFlag(cmd, http)
	settings.AddNATSFlag(cmd)
	return cmd
}

// run serves HTTP from the start, so that a probe can show what the worker waits for.
func (w *service) run(ctx context.Context) (err error) {
	credentials, _ := w.settings.Credentials() // an error would have been reported with the other settings
	if !w.role.keeps {
		CollectLess()
	}
	listener, err := Listen(ctx, w.http)
	if err != nil {
		return err
	}
	m, h := NewMeter(), health.New(time.Now)
	m.Health(h)
	sessions := &LazyHandler{}
	probes := StartProbes(listener, w.settings, h, MetricsHandler(m, w.log), w.role.routes(sessions)...)
	defer func() { err = errors.Join(err, probes.Stop(context.WithoutCancel(ctx))) }()
	if listener != nil {
		w.log.Info().Stringer("address", listener.Addr()).Msg("HTTP: " + ProbePaths(w.settings))
	}
	process := NewProcess(w.settings, w.log, m, h, sessions, w.natsURL, credentials)
	return RunParts(ctx, []Part{
		{"http", probes.Run},
		{w.role.name, func(ctx context.Context) error {
			return process.Run(ctx, func() { w.log.Info().Msg(w.role.name + " is running") }, w.role)
		}},
	})
}

// UntilStopped runs until ctx ends. It does not return the error of ctx.
func UntilStopped(ctx context.Context, run func(context.Context) error) error {
	err := run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // stopped during its start
	}
	return err
}
