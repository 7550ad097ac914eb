package main

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/worker/health"
)

// service is one kind of worker as a process of its own.
type service struct {
	settings settings
	log      zerolog.Logger
	role     role

	natsURL string
	http    httpAddress
}

func newCoordinator() *cobra.Command {
	return serviceCommand(coordinatorRole(), "127.0.0.1:8081", "Run a coordinator, which decides what becomes of calls, and the api",
		"Runs a coordinator and the api against a NATS that others run, until SIGTERM or Ctrl-C; then what is in hand is\n"+
			"finished. It waits for NATS, and for `ringline setup`. Run as many as you like.")
}

func newTimeouts() *cobra.Command {
	return serviceCommand(timeoutsRole(), "127.0.0.1:8082", "Run a timeouts worker, which ends what is not answered in time",
		"Runs a timeouts worker against a NATS that others run, until SIGTERM or Ctrl-C; then what is in hand is finished.\n"+
			"It waits for NATS, and for `ringline setup`. Run as many as you like.")
}

func serviceCommand(r role, http, short, long string) *cobra.Command {
	w := service{role: r}
	cmd := &cobra.Command{
		Use: r.name, GroupID: groupServe, Short: short, Long: long, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, log, err := readForService(cmd)
			if err != nil {
				return err
			}
			w.settings, w.log = s, log
			if w.http, err = s.httpAddress(cmd); err != nil {
				return err
			}
			if w.natsURL, err = s.natsServers(cmd); err != nil {
				return err
			}
			return untilStopped(cmd.Context(), w.run)
		},
	}
	addHTTPFlag(cmd, http)
	addNATSFlag(cmd)
	return cmd
}

// run serves HTTP from the start, so that a probe can show what the worker waits for.
func (w *service) run(ctx context.Context) (err error) {
	credentials, _ := w.settings.credentials() // an error would have been reported with the other settings
	if !w.role.keeps {
		collectLess()
	}
	listener, err := listenHTTP(ctx, w.http)
	if err != nil {
		return err
	}
	m, h := newMeter(), health.New(time.Now)
	m.Health(h)
	sessions := &late{}
	probes := serveProbes(listener, w.settings, h, serveMetrics(m, w.log), w.role.routes(sessions)...)
	defer func() { err = errors.Join(err, probes.stop(context.WithoutCancel(ctx))) }()
	if listener != nil {
		w.log.Info().Stringer("address", listener.Addr()).Msg("HTTP: " + probePathsOf(w.settings))
	}
	crew := newProcess(w.settings, w.log, m, h, sessions, w.natsURL, credentials)
	return runTogether(ctx, []part{
		{"http", probes.Run},
		{w.role.name, func(ctx context.Context) error {
			return crew.run(ctx, func() { w.log.Info().Msg(w.role.name + " is running") }, w.role)
		}},
	})
}

// untilStopped runs until ctx ends. It does not return the error of ctx.
func untilStopped(ctx context.Context, run func(context.Context) error) error {
	err := run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // stopped during its start
	}
	return err
}
