package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

// dev is NATS and every worker in one process.
type dev struct {
	settings settings
	log      zerolog.Logger
	out      io.Writer
	health   *health.Health

	port   int
	http   httpAddress
	data   string
	memory bool
}

func newDev() *cobra.Command {
	d := dev{health: health.New(time.Now)}
	cmd := &cobra.Command{
		Use:     "dev",
		GroupID: groupServe,
		Short:   "Run NATS and every worker in one process, on loopback",
		Long: "Runs a NATS server with JetStream and every worker of Ringline in one process, until Ctrl-C.\n" +
			"What it was told stays in the data folder; start it again on the same folder and calls go on.",
		Args:    noArguments,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return atMostOne(cmd, "data", "memory") },
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, log, err := readForService(cmd)
			if err != nil {
				return err
			}
			if s.Replicas != 1 {
				return fmt.Errorf("RINGLINE_REPLICAS is %d, and dev is one node", s.Replicas)
			}
			if err := s.checkTimers(); err != nil {
				return err
			}
			if total := byteSize(s.sizes().Total()); total > storeLimit {
				return fmt.Errorf("the RINGLINE_…_MAX_BYTES add up to %v, and dev stores %v at most", total.rounded(), byteSize(storeLimit))
			}
			d.settings, d.log, d.out = s, log, cmd.OutOrStdout()
			if d.http, err = s.httpAddress(cmd); err != nil {
				return err
			}
			return untilStopped(cmd.Context(), d.run)
		},
	}
	f := cmd.Flags()
	f.IntVar(&d.port, "port", devNATSPort, "port of the NATS server on 127.0.0.1; 0 takes any free one")
	f.StringVar(&d.data, "data", ".ringline", "data folder")
	f.BoolVar(&d.memory, "memory", false, "keep everything in memory, gone at the end")
	addHTTPFlag(cmd, "127.0.0.1:8080")
	return cmd
}

// run takes the resources that another process may hold (both addresses and the folder) before it starts anything.
func (d *dev) run(ctx context.Context) (err error) {
	if err := checkPort(ctx, d.port); err != nil {
		return err
	}
	d.health.Phase("starting: what is stored is being read")
	listener, err := listenHTTP(ctx, d.http)
	if err != nil {
		return err
	}
	m := newMeter()
	m.Health(d.health)
	pages := newDevPages(d.settings, m.Log(d.log, meter.HTTP))
	probes := serveProbes(listener, d.settings, d.health, serveMetrics(m, d.log), pages.routes()...)
	defer func() { err = errors.Join(err, probes.stop(context.WithoutCancel(ctx))) }()
	dir, err := d.openData()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()

	moved, err := dir.moveAccount()
	if err != nil {
		return err
	}
	if moved {
		d.log.Info().Str("from", defaultAccountDir).Str("to", ownAccountDir).Msg("what an earlier version stored was moved to the account of this one")
	}
	srv, err := startServer(d.port, dir.path, m.Log(d.log, meter.NATSServer))
	if err != nil {
		return err
	}
	defer stopServer(srv)
	if err := pages.keep(dir.path); err != nil {
		return err
	}
	return d.serve(ctx, srv.ClientURL(), dir.path, m, listener, probes, pages)
}

// serve sets up the streams and runs the workers on a running server, until ctx ends.
func (d *dev) serve(
	ctx context.Context, natsURL, dir string, m *meter.Meter, listener net.Listener, probes *probes, pages *devPages,
) error {
	if err := d.setUp(ctx, natsURL); err != nil {
		return err
	}
	crew := newProcess(d.settings, d.log, m, d.health, &pages.sessions, natsURL, nil)
	crew.devKey = pages.key()
	return runTogether(ctx, []part{
		{"http", probes.Run},
		{"page events", func(ctx context.Context) error { return pages.events.run(ctx, natsURL) }},
		{"workers", func(ctx context.Context) error {
			return crew.run(ctx, func() { d.greet(natsURL, listener, dir) }, coordinatorRole(), timeoutsRole(), edgeRole())
		}},
	})
}

func (d *dev) setUp(ctx context.Context, natsURL string) error {
	streams := d.settings.streams()
	if d.memory {
		streams.Storage = jetstream.MemoryStorage
	}
	return setUpStreams(ctx, natsURL, d.settings, streams)
}

func (d *dev) openData() (*dataDir, error) {
	if d.memory {
		return openThrowaway()
	}
	return openDataDir(d.data)
}

// greet prints the addresses, the limits of dev, and last the commands to try next.
func (d *dev) greet(natsURL string, listener net.Listener, dir string) {
	p := newPalette(d.out)
	kept := "a power cut may lose what was acknowledged in the last 2 minutes; kill -9 loses nothing"
	if d.memory {
		dir, kept = "in memory (--memory)", "everything is gone when it stops"
	}
	http := httpOff
	if listener != nil {
		http = fmt.Sprintf("http://%s%s", listener.Addr(), probePathsOf(d.settings))
	}
	_, _ = fmt.Fprintf(d.out, "%s\n\n  NATS      %s\n  HTTP      %s\n  data      %s\n  limits    one node, for development: %s\n\n",
		p.bold("Ringline is running."), natsURL, http, dir, kept)
	next := "Next,"
	if listener != nil {
		page := fmt.Sprintf("http://%s/?user=", listener.Addr())
		_, _ = fmt.Fprintf(d.out, "Next, in two browser tabs:   %s  and  %s\n", p.bold(page+"ann"), p.bold(page+"bob"))
		next = "Or,  "
	}
	_, _ = fmt.Fprintf(d.out, "%s in a second terminal:  %s\n", next, p.bold(invocation()+" watch --user bob"+urlFlag(natsURL)))
}

// urlFlag is the flag that a command line needs to reach that server, or empty.
func urlFlag(natsURL string) string {
	u, err := url.Parse(natsURL)
	if err == nil && u.Port() == fmt.Sprint(devNATSPort) && os.Getenv("RINGLINE_NATS_URL") == "" {
		return ""
	}
	return " --nats-url " + shellWord(natsURL)
}
