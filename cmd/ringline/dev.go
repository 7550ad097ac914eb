package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/store"
)

// dev is NATS and every worker in one process.
type dev struct {
	settings settings
	log      zerolog.Logger
	out      io.Writer
	ready    readiness

	port   int
	http   string
	data   string
	memory bool
}

func newDev() *cobra.Command {
	var d dev
	cmd := &cobra.Command{
		Use:     "dev",
		GroupID: groupServe,
		Short:   "Run NATS and every worker in one process, on loopback",
		Long: "Runs a NATS server with JetStream and every worker of Ringline in one process, until Ctrl-C.\n" +
			"What it was told stays in the data folder; start it again on the same folder and calls go on.",
		Args:    noArguments,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return atMostOne(cmd, "data", "memory") },
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings()
			if err != nil {
				return err
			}
			level, err := s.level()
			if err != nil {
				return err
			}
			d.settings, d.out, d.log = s, cmd.OutOrStdout(), newLogger(cmd.ErrOrStderr(), level)
			err = d.run(cmd.Context())
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
				return nil // it was stopped while it started
			}
			return err
		},
	}
	f := cmd.Flags()
	f.IntVar(&d.port, "port", defaultNATSPort, "port of the NATS server on 127.0.0.1; 0 takes any free one")
	f.StringVar(&d.http, "http", "127.0.0.1:8080", "address of /healthz and /readyz")
	f.StringVar(&d.data, "data", ".ringline", "data folder")
	f.BoolVar(&d.memory, "memory", false, "keep everything in memory, gone at the end")
	return cmd
}

// run takes what others may hold, both addresses and the folder, before it starts anything.
func (d *dev) run(ctx context.Context) (err error) {
	if err := checkPort(ctx, d.port); err != nil {
		return err
	}
	listener, err := listenHTTP(ctx, d.http)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // closed by the probes as a rule
	dir, err := d.openData()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()

	d.ready.set("starting: what is stored is being read")
	probes := serveProbes(listener, &d.ready)
	defer func() { err = errors.Join(err, probes.stop(context.WithoutCancel(ctx))) }()
	srv, err := startServer(d.port, dir.path, d.log)
	if err != nil {
		return err
	}
	defer stopServer(srv)
	return d.serve(ctx, srv.ClientURL(), dir.path, listener.Addr(), probes)
}

// serve sets up the streams and runs the workers on a server that is there, until ctx ends.
func (d *dev) serve(ctx context.Context, natsURL, dir string, httpAddr net.Addr, probes *probes) (err error) {
	conns, err := d.connect(ctx, natsURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conns.drain(context.WithoutCancel(ctx))) }()
	parts, err := d.wire(ctx, conns)
	if err != nil {
		return err
	}
	d.ready.running(conns.byName())
	d.greet(natsURL, httpAddr, dir)
	context.AfterFunc(ctx, func() {
		d.ready.set("stopping")
		d.log.Info().Msg("stopping: what is in hand is finished first")
	})
	return runTogether(ctx, append(parts, part{"http", probes.Run}))
}

func (d *dev) openData() (*dataDir, error) {
	if d.memory {
		return openThrowaway()
	}
	return openDataDir(d.data)
}

// connections are one for each part: an answer or a notification never waits behind another part's messages.
type connections struct {
	coordinator, timeouts, api *connection
}

func (d *dev) connect(ctx context.Context, url string) (connections, error) {
	var c connections
	for _, part := range []struct {
		name string
		to   **connection
	}{{"coordinator", &c.coordinator}, {"timeouts", &c.timeouts}, {"api", &c.api}} {
		nc, err := connect(url, "ringline "+part.name,
			nats.CustomInboxPrefix(d.settings.InboxPrefix), nats.MaxReconnects(-1), nats.ErrorHandler(d.asyncError))
		if err != nil {
			return c, errors.Join(fmt.Errorf("connect the %s: %w", part.name, err), c.drain(ctx))
		}
		*part.to = nc
	}
	return c, nil
}

func (d *dev) asyncError(nc *nats.Conn, _ *nats.Subscription, err error) {
	d.log.Warn().Err(err).Str("connection", nc.Opts.Name).Msg("NATS")
}

func (c connections) all() []*connection { return []*connection{c.coordinator, c.timeouts, c.api} }

func (c connections) byName() map[string]*nats.Conn {
	return map[string]*nats.Conn{"coordinator": c.coordinator.Conn, "timeouts worker": c.timeouts.Conn, "api": c.api.Conn}
}

func (c connections) drain(ctx context.Context) (err error) {
	for _, nc := range c.all() {
		if nc != nil {
			err = errors.Join(err, nc.drain(ctx))
		}
	}
	return err
}

// wire sets up the streams and makes the workers.
func (d *dev) wire(ctx context.Context, c connections) ([]part, error) {
	streams := d.settings.streams()
	if d.memory {
		streams.Storage = jetstream.MemoryStorage
	}
	js, err := eachJetStream(c.coordinator, c.timeouts, c.api)
	if err != nil {
		return nil, err
	}
	if err := worker.Setup(ctx, js[0], streams); err != nil {
		return nil, err
	}
	asker, err := ask.New(c.api.Conn, js[2], d.settings.APITimeout)
	if err != nil {
		return nil, fmt.Errorf("hear answers: %w", err)
	}
	apps := store.NewApps(js[0], d.log, d.settings.limits())
	calls := store.NewCalls(c.api.Conn, js[2], d.log)
	api := &coordinator.API{
		NC: c.api.Conn, Asker: asker, Calls: calls, Lines: store.NewLines(c.api.Conn, js[2], calls, d.log), Log: d.log,
		Parallel: d.settings.Parallel, InboxPrefix: d.settings.InboxPrefix,
	}
	return []part{
		{"apps", apps.Run},
		{"coordinator", coordinator.New(c.coordinator.Conn, js[0], d.log,
			coordinator.Config{Parallel: d.settings.Parallel, Limits: apps.Limits}).Run},
		{"timeouts", timeouts.New(js[1], d.log, timeouts.DefaultSweep()).Run},
		{"api", api.Run},
	}, nil
}

func eachJetStream(conns ...*connection) ([]jetstream.JetStream, error) {
	list := make([]jetstream.JetStream, len(conns))
	for i, c := range conns {
		js, err := jetstream.New(c.Conn)
		if err != nil {
			return nil, fmt.Errorf("JetStream: %w", err)
		}
		list[i] = js
	}
	return list, nil
}

// greet says where everything is, what is not promised, and last what to type next.
func (d *dev) greet(natsURL string, http net.Addr, dir string) {
	p := newPalette(d.out)
	kept := "a power cut may lose what was acknowledged in the last 2 minutes; kill -9 loses nothing"
	if d.memory {
		dir, kept = "in memory (--memory)", "everything is gone when it stops"
	}
	_, _ = fmt.Fprintf(d.out, "%s\n\n  NATS      %s\n  HTTP      http://%s/healthz, /readyz\n  data      %s\n  limits    one node, for development: %s\n\n",
		p.bold("Ringline is running."), natsURL, http, dir, kept)
	_, _ = fmt.Fprintf(d.out, "Next, in a second terminal:  %s\n",
		p.bold(invocation()+" watch --user bob"+urlFlag(natsURL)))
}

// urlFlag is what a command line needs to reach that server.
func urlFlag(natsURL string) string {
	u, err := url.Parse(natsURL)
	if err == nil && u.Port() == fmt.Sprint(defaultNATSPort) && os.Getenv("RINGLINE_NATS_URL") == "" {
		return ""
	}
	return " --nats-url " + shellWord(natsURL)
}
