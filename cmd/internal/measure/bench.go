package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/embedded"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/serve"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/bench"
	"ringline.io/ringline/worker/health"
)

// benchmark is `ringline bench`.
type benchmark struct {
	settings settings.Settings
	log      zerolog.Logger
	out      io.Writer
	progress progress

	natsURL string // empty: starts its own server
	workers int
	json    bool
	file    string
	noFloor bool
	profile string
	options bench.Options
	mix     string
	over    string
}

// New is the command that plays calls and measures them.
func New() *cobra.Command {
	b := benchmark{}
	cmd := &cobra.Command{
		Use: "bench", GroupID: cli.GroupServe, Short: "Measure how fast calls ring, compared with the broker",
		Long: "Plays calls and measures the time until a callee rings and the calls per second. In the same run it measures the\n" +
			"floor: the same operations on the broker, without Ringline. Without --nats-url it\n" +
			"starts its own NATS server and workers, on files in a temporary folder.\n\n" +
			"Each run measures an idle system (one call after another), the throughput (--concurrent concurrent\n" +
			"calls), and calls that arrive at a fixed rate, whether or not earlier calls are done: half of the throughput, or --rate\n" +
			"calls per second. Times then count from when a call was due.\n\n" +
			"Mixes:\n  answered   one callee, who rings and accepts; the caller ends the call\n" +
			"  outcomes   of 20 calls 10 are answered, 3 declined, 3 canceled, 2 have a busy callee and 2 time out\n" +
			"  groups     a caller and 8 callees: 6 accept and 2 decline\n" +
			"  timeouts   no callee answers within two seconds",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.read(cmd); err != nil {
				return err
			}
			return serve.UntilStopped(cmd.Context(), b.run)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.natsURL, "nats-url", "", "NATS servers of a running Ringline (default: its own server and workers)")
	f.StringVar(&b.options.App, "app", bench.DefaultApp, "app of the calls, used only by the benchmark")
	f.StringVar(&b.mix, "mix", string(bench.MixAnswered), "the mix of calls: "+words(bench.Mixes()))
	f.StringVar(&b.over, "over", string(bench.OverSubjects), "how commands are sent: "+words(bench.Overs()))
	f.IntVar(&b.options.Concurrent, "concurrent", 64, "concurrent calls, to measure the throughput")
	f.Float64Var(&b.options.Rate, "rate", 0, "calls that arrive per second (default: half of the throughput)")
	f.DurationVar(&b.options.Long, "duration", 10*time.Second, "how long each phase is measured")
	f.DurationVar(&b.options.Warm, "warm-up", 2*time.Second, "how long calls are played before the measurement")
	f.IntVar(&b.options.Runs, "runs", 1, "runs; the results are their medians")
	f.IntVar(&b.options.Users, "users", 0, "users, who take turns (default 20000; over sessions 1000, one session each)")
	f.StringVar(&b.options.Edge, "edge", "", "host and port of an edge, for --over sessions with --nats-url")
	f.Uint64Var(&b.options.Seed, "seed", 1, "seed of the arrival times of calls")
	f.IntVar(&b.workers, "workers", 0, "coordinators in this process (default 1; with --nats-url 0, because others run there)")
	f.BoolVar(&b.noFloor, "no-floor", false, "measure Ringline without the floor")
	f.BoolVar(&b.json, "json", false, "print JSON")
	f.StringVar(&b.file, "out", "", "also write JSON to this file")
	f.StringVar(&b.profile, "cpu-profile", "", "write a CPU profile to this file, for go tool pprof")
	cmd.AddCommand(newBenchCompare())
	return cmd
}

func words[T ~string](list []T) string {
	s := make([]string, len(list))
	for i, w := range list {
		s[i] = string(w)
	}
	return strings.Join(s, ", ")
}

// oneOf finds a word in a list. Its error lists the valid words.
func oneOf[T ~string](flag, word string, list []T) (T, error) {
	names := make([]string, len(list))
	for i, w := range list {
		if names[i] = string(w); names[i] == word {
			return w, nil
		}
	}
	text := fmt.Sprintf("%s must be one of %s, got %q", flag, words(list), word)
	if near, ok := cli.Nearest(word, names); ok {
		text += "; did you mean " + near + "?"
	}
	return "", errors.New(text)
}

func (b *benchmark) read(cmd *cobra.Command) (err error) {
	if b.settings, b.log, err = settings.ReadForService(cmd); err != nil {
		return err
	}
	o := &b.options
	if o.Mix, err = oneOf("--mix", b.mix, bench.Mixes()); err != nil {
		return err
	}
	if o.Over, err = oneOf("--over", b.over, bench.Overs()); err != nil {
		return err
	}
	if err := events.CheckToken("--app", o.App); err != nil {
		return cli.WithoutCode(err)
	}
	if b.natsURL != "" {
		if err := settings.CheckURLs("--nats-url", b.natsURL); err != nil {
			return err
		}
	}
	if o.Users == 0 {
		o.Users = map[bool]int{false: 20_000, true: 1000}[o.Over == bench.OverSessions]
	}
	for _, x := range []struct {
		wrong bool
		want  string
	}{
		{o.Concurrent < 1 || o.Concurrent > 10_000, "--concurrent must be from 1 to 10000"},
		{o.Rate < 0 || o.Rate > 1e6, "--rate must be from 0 to 1000000 calls a second"},
		{o.Long < 100*time.Millisecond, "--duration must be at least 100ms"},
		{o.Warm < 0, "--warm-up must not be below 0"},
		{o.Runs < 1 || o.Runs > 100, "--runs must be from 1 to 100"},
		{b.workers < 0 || b.workers > 64, "--workers must be from 0 to 64"},
		{o.Users < o.Mix.Size()*o.Concurrent, fmt.Sprintf("--users must be at least %d for each of --concurrent, %d", o.Mix.Size(), o.Mix.Size()*o.Concurrent)},
		{b.natsURL == "" && o.Edge != "", "--edge needs --nats-url"},
		{b.natsURL != "" && b.workers == 0 && o.Over == bench.OverSessions && o.Edge == "", "--over sessions with --nats-url needs --edge HOST:PORT"},
	} {
		if x.wrong {
			return errors.New(x.want)
		}
	}
	if b.natsURL == "" && b.workers == 0 {
		b.workers = 1
	}
	o.Floor, o.Parallel = !b.noFloor, b.settings.Parallel*max(1, b.workers)
	b.out = cmd.OutOrStdout()
	b.progress = progress{w: cmd.ErrOrStderr(), on: cli.IsTerminal(cmd.ErrOrStderr())}
	o.Progress = b.progress.show
	return nil
}

func (b *benchmark) run(ctx context.Context) (err error) {
	serve.CollectLess()
	if b.profile != "" {
		f, err := os.Create(b.profile)
		if err != nil {
			return fmt.Errorf("--cpu-profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(fmt.Errorf("--cpu-profile: %w", err), f.Close())
		}
		defer func() { pprof.StopCPUProfile(); err = errors.Join(err, f.Close()) }()
	}
	switch {
	case b.natsURL == "":
		return b.alone(ctx)
	case b.workers == 0:
		return b.measure(ctx, b.natsURL)
	}
	return b.withWorkers(ctx, b.natsURL)
}

// alone starts its own NATS server and measures against it.
func (b *benchmark) alone(ctx context.Context) error {
	dir, err := embedded.OpenThrowaway()
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // an error is harmless: the folder is in the temporary directory
	srv, err := embedded.Start(0, dir.Path, b.quiet())
	if err != nil {
		return err
	}
	defer embedded.Stop(srv)
	if err := embedded.SetUp(ctx, srv.ClientURL(), b.settings, b.settings.Streams()); err != nil {
		return err
	}
	return b.withWorkers(ctx, srv.ClientURL())
}

func (b *benchmark) quiet() zerolog.Logger {
	return b.log.Level(max(b.log.GetLevel(), zerolog.WarnLevel))
}

// withWorkers runs the workers in this process, so that the result compares with the floor, which also runs here.
func (b *benchmark) withWorkers(ctx context.Context, url string) error {
	credentials, _ := b.settings.Credentials() // an error would have been reported with the other settings
	m, h := serve.NewMeter(), health.New(time.Now)
	edge := &serve.LazyHandler{}
	s := b.settings
	s.Edge.CommandRate, s.Edge.InviteRate = settings.MaxRate, settings.MaxRate // one benchmark user calls again and again
	s.Edge.SessionsPerAddress = b.options.Users + 1
	process := serve.NewProcess(s, b.quiet(), m, h, edge, url, credentials)
	roles := []serve.Role{serve.TimeoutsRole()}
	if b.options.Over == bench.OverSessions {
		roles = append(roles, serve.EdgeRole())
		listener, err := serve.Listen(ctx, settings.HTTPAddress{Addr: "127.0.0.1:0", From: "bench"})
		if err != nil {
			return err
		}
		b.options.Edge = listener.Addr().String()
		probes := serve.StartProbes(listener, s, h, serve.MetricsHandler(m, b.quiet()), serve.SessionRoutes(edge)...)
		defer func() { _ = probes.Stop(context.WithoutCancel(ctx)) }() // no client uses it any more
		go func() { _ = probes.Run(ctx) }()
	}
	for range b.workers {
		roles = append(roles, serve.CoordinatorRole())
	}
	working, stop := context.WithCancel(ctx)
	started := make(chan struct{})
	return serve.RunParts(working, []serve.Part{
		{Name: "workers", Run: func(ctx context.Context) error { return process.Run(ctx, func() { close(started) }, roles...) }},
		{Name: "bench", Run: func(ctx context.Context) error {
			defer stop()
			select {
			case <-started:
			case <-ctx.Done():
				return ctx.Err()
			}
			return b.measure(ctx, url)
		}},
	})
}

func (b *benchmark) measure(ctx context.Context, url string) error {
	credentials, _ := b.settings.Credentials() // an error would have been reported with the other settings
	b.options.Connect = func(name string) (*nats.Conn, error) {
		nc, err := nats.Connect(url, append(credentials, nats.Name(name), nats.DontRandomize(), nats.CustomInboxPrefix(b.settings.InboxPrefix))...)
		if err != nil {
			return nil, natsconn.NoServer(url, err)
		}
		return nc, nil
	}
	report, err := bench.Measure(ctx, b.options)
	b.progress.clear()
	if report != nil {
		err = errors.Join(b.print(report), err)
	}
	return err
}

func (b *benchmark) print(r *bench.Report) error {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if b.file != "" {
		if err := os.WriteFile(b.file, append(body, '\n'), 0o600); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if b.json {
		_, err = fmt.Fprintf(b.out, "%s\n", body)
		return err
	}
	_, err = io.WriteString(b.out, bench.Text(r))
	return err
}

// progress is a status line that is overwritten in place.
type progress struct {
	w  io.Writer
	on bool
}

func (p progress) show(line string) {
	if p.on {
		_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s", line)
	}
}

func (p progress) clear() { p.show("") }

func newBenchCompare() *cobra.Command {
	return &cobra.Command{
		Use: "compare A.json B.json", Short: "Compare the reports of two runs", Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("compare takes two files, got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var both [2]*bench.Report
			for i, name := range args {
				data, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				if both[i], err = bench.ReadReport(data); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			_, err := io.WriteString(cmd.OutOrStdout(), bench.Compare(both[0], both[1]))
			return err
		},
	}
}
