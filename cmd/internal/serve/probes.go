package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

// Probes is the HTTP server for health, metrics and profiles.
type Probes struct {
	server *http.Server
	failed chan error
}

// Paths, as text for humans.
const (
	probePaths   = "/healthz, /livez, /readyz, /metrics"
	profilesPath = "/debug/pprof/"
)

// ProbePaths lists the paths that a process with these settings serves.
func ProbePaths(s settings.Settings) string {
	if s.Pprof {
		return probePaths + ", " + profilesPath
	}
	return probePaths
}

// Route is an additional path at the same address.
type Route struct {
	Pattern string
	Handler http.Handler
}

// StartProbes serves on l. It serves nothing if l is nil.
func StartProbes(l net.Listener, s settings.Settings, h *health.Health, metrics http.Handler, more ...Route) *Probes {
	mux := http.NewServeMux()
	for _, r := range more {
		mux.Handle(r.Pattern, r.Handler)
	}
	for _, path := range []string{"/livez", "/healthz"} { // synonyms: the process serves HTTP
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	}
	mux.Handle("/readyz", readyz{h})
	mux.Handle("/metrics", metrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not found: there are "+ProbePaths(s)+"; calls are made over NATS", http.StatusNotFound)
	})
	if s.Pprof {
		serveProfiles(mux)
	}
	p := &Probes{
		server: &http.Server{
			Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
			IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		},
		failed: make(chan error, 1),
	}
	if l == nil {
		return p
	}
	go func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	}()
	return p
}

// serveProfiles leaves out /cmdline, because a command line may contain a password.
func serveProfiles(mux *http.ServeMux) {
	mux.HandleFunc(profilesPath, pprof.Index)
	mux.HandleFunc(profilesPath+"profile", pprof.Profile)
	mux.HandleFunc(profilesPath+"symbol", pprof.Symbol)
	mux.HandleFunc(profilesPath+"trace", pprof.Trace)
}

// MetricsHandler returns the handler of /metrics. Concurrent scrapes share one result.
func MetricsHandler(m *meter.Meter, log zerolog.Logger) http.Handler {
	return promhttp.HandlerFor(m.Gatherer(), promhttp.HandlerOpts{
		ErrorLog: scrapeLog{m.Log(log, meter.HTTP)}, ErrorHandling: promhttp.ContinueOnError, CoalesceGather: true,
	})
}

// scrapeLog sends errors of scrapes to our log.
type scrapeLog struct{ zerolog.Logger }

// Println implements promhttp.Logger. A client that has disconnected is not an error.
func (l scrapeLog) Println(v ...any) {
	level := zerolog.ErrorLevel
	for _, x := range v {
		if err, ok := x.(error); ok && gone(err) {
			level = zerolog.DebugLevel
		}
	}
	l.WithLevel(level).Msg(strings.TrimSpace(fmt.Sprintln(v...)))
}

// gone reports whether the answer could not be written because the client has disconnected.
func gone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "write"
}

// Run returns nil when ctx ends, or an error when the HTTP server fails. HTTP is served until Stop.
func (p *Probes) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.failed:
		return err
	}
}

// Stop closes the server. Requests in flight have 2 s to end.
func (p *Probes) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := p.server.Shutdown(ctx); err != nil {
		return errors.Join(err, p.server.Close())
	}
	return nil
}

// Listen listens on the address of the probes. It returns nil if HTTP is off.
func Listen(ctx context.Context, http settings.HTTPAddress) (net.Listener, error) {
	if http.Addr == settings.HTTPOff {
		return nil, nil //nolint:nilnil // none was asked for
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", http.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program listens on %s; stop it, or start with --http ADDR (such as --http 127.0.0.1:0, any free port)", http.Addr)
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", http.From, http.Addr, err)
	}
	return l, nil
}

// NewMeter creates the meter of this process.
func NewMeter() *meter.Meter { return meter.New(cli.Version()) }

// AddHTTPFlag adds the flag that settings.HTTPAddress reads, with its default.
func AddHTTPFlag(cmd *cobra.Command, addr string) {
	cmd.Flags().String("http", addr, "address of "+probePaths+", or off ($RINGLINE_HTTP)")
}
