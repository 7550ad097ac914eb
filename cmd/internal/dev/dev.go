package dev

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

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/embedded"
	"ringline.io/ringline/cmd/internal/serve"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

// dev is NATS and every worker in one process.
type dev struct {
	settings settings.Settings
	log      zerolog.Logger
	out      io.Writer
	health   *health.Health

	port   int
	http   settings.HTTPAddress
	data   string
	memory bool
}

// New is the command that runs NATS and every worker in one process.
func New() *cobra.Command {
	d := dev{health: health.New(time.Now)}
	cmd := &cobra.Command{
		Use:     "dev",
		GroupID: cli.GroupServe,
		Short:   "Run NATS and every worker in one process, on loopback",
		Long: "Runs a NATS server with JetStream and every worker of Ringline in one process, until Ctrl-C.\n" +
			"The data folder keeps its state: calls continue if you start it again on the same folder.",
		Args:    cli.NoArguments,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return cli.AtMostOne(cmd, "data", "memory") },
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, log, err := settings.ReadForService(cmd)
			if err != nil {
				return err
			}
			if s.Replicas != 1 {
				return fmt.Errorf("RINGLINE_REPLICAS is %d, but dev has only one node", s.Replicas)
			}
			if err := s.CheckTimers(); err != nil {
				return err
			}
			if total := settings.ByteSize(s.Sizes().Total()); total > embedded.StoreLimit {
				return fmt.Errorf("the RINGLINE_…_MAX_BYTES add up to %v, but dev stores at most %v", total.Rounded(), settings.ByteSize(embedded.StoreLimit))
			}
			d.settings, d.log, d.out = s, log, cmd.OutOrStdout()
			if d.http, err = s.HTTPAddress(cmd); err != nil {
				return err
			}
			return serve.UntilStopped(cmd.Context(), d.run)
		},
	}
	f := cmd.Flags()
	f.IntVar(&d.port, "port", settings.DevNATSPort, "port of the NATS server on 127.0.0.1; 0 takes any free one")
	f.StringVar(&d.data, "data", ".ringline", "data folder")
	f.BoolVar(&d.memory, "memory", false, "keep everything in memory, lost at the end")
	serve.AddHTTPFlag(cmd, "127.0.0.1:8080")
	return cmd
}

// run takes the resources that another process may hold (both addresses and the folder) before it starts anything.
func (d *dev) run(ctx context.Context) (err error) {
	if err := embedded.CheckPort(ctx, d.port); err != nil {
		return err
	}
	d.health.Phase("starting: reading the stored data")
	listener, err := serve.Listen(ctx, d.http)
	if err != nil {
		return err
	}
	m := serve.NewMeter()
	m.Health(d.health)
	pages := newSite(d.settings, m.Log(d.log, meter.HTTP))
	probes := serve.StartProbes(listener, d.settings, d.health, serve.MetricsHandler(m, d.log), pages.routes()...)
	defer func() { err = errors.Join(err, probes.Stop(context.WithoutCancel(ctx))) }()
	dir, err := d.openData()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()

	moved, err := dir.MoveAccount()
	if err != nil {
		return err
	}
	if moved {
		d.log.Info().Str("from", embedded.DefaultAccountDir).Str("to", embedded.OwnAccountDir).Msg("moved the data of an earlier version to the account of this version")
	}
	srv, err := embedded.Start(d.port, dir.Path, m.Log(d.log, meter.NATSServer))
	if err != nil {
		return err
	}
	defer embedded.Stop(srv)
	if err := pages.keep(dir.Path); err != nil {
		return err
	}
	return d.serve(ctx, srv.ClientURL(), dir.Path, m, listener, probes, pages)
}

// serve sets up the streams and runs the workers on a running server, until ctx ends.
func (d *dev) serve(
	ctx context.Context, natsURL, dir string, m *meter.Meter, listener net.Listener, probes *serve.Probes, pages *site,
) error {
	if err := d.setUp(ctx, natsURL); err != nil {
		return err
	}
	process := serve.NewProcess(d.settings, d.log, m, d.health, &pages.sessions, natsURL, nil)
	process.DevKey = pages.key()
	refused := refusedOrigins{app: d.settings.App, natsURL: natsURL, log: m.Log(d.log, meter.HTTP)}
	process.OriginRefused = refused.report
	return serve.RunParts(ctx, []serve.Part{
		{Name: "http", Run: probes.Run},
		{Name: "page events", Run: func(ctx context.Context) error { return pages.events.run(ctx, natsURL) }},
		{Name: "workers", Run: func(ctx context.Context) error {
			return process.Run(ctx, func() { d.greet(natsURL, listener, dir, pages.urlKey()) }, serve.CoordinatorRole(), serve.TimeoutsRole(), serve.EdgeRole())
		}},
	})
}

func (d *dev) setUp(ctx context.Context, natsURL string) error {
	streams := d.settings.Streams()
	if d.memory {
		streams.Storage = jetstream.MemoryStorage
	}
	return embedded.SetUp(ctx, natsURL, d.settings, streams)
}

func (d *dev) openData() (*embedded.DataDir, error) {
	if d.memory {
		return embedded.OpenThrowaway()
	}
	return embedded.OpenDataDir(d.data)
}

// greet prints the addresses, the limits of dev, and last the commands to try next.
func (d *dev) greet(natsURL string, listener net.Listener, dir, key string) {
	p := cli.NewPalette(d.out)
	kept := "a power failure may lose up to 2 minutes of acknowledged messages; kill -9 loses nothing"
	if d.memory {
		dir, kept = "in memory (--memory)", "everything is lost when it stops"
	}
	http := settings.HTTPOff
	if listener != nil {
		http = fmt.Sprintf("http://%s%s", listener.Addr(), serve.ProbePaths(d.settings))
	}
	_, _ = fmt.Fprintf(d.out, "%s\n\n  NATS      %s\n  HTTP      %s\n  data      %s\n  limits    one node, for development: %s\n\n",
		p.Bold("Ringline is running."), natsURL, http, dir, kept)
	next := "Next,"
	if listener != nil {
		_, _ = fmt.Fprintf(d.out, "Next, in a browser:          %s\n", p.Bold(fmt.Sprintf("http://%s/?key=%s", listener.Addr(), key)))
		next = "Or,  "
	}
	_, _ = fmt.Fprintf(d.out, "%s in a second terminal:  %s\n", next, p.Bold(cli.Invocation()+" watch --user bob"+urlFlag(natsURL)))
}

// urlFlag is the flag that a command line needs to reach that server, or empty.
func urlFlag(natsURL string) string {
	u, err := url.Parse(natsURL)
	if err == nil && u.Port() == fmt.Sprint(settings.DevNATSPort) && os.Getenv("RINGLINE_NATS_URL") == "" {
		return ""
	}
	return " --nats-url " + cli.ShellWord(natsURL)
}
