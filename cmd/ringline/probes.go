package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

// probes is the HTTP server that tells how this process is.
type probes struct {
	server *http.Server
	failed chan error
}

// What it serves, for people.
const (
	probePaths   = "/healthz, /livez, /readyz, /metrics"
	profilesPath = "/debug/pprof/"
)

func (s settings) probePaths() string {
	if s.Pprof {
		return probePaths + ", " + profilesPath
	}
	return probePaths
}

// route is something else that is served at the same address.
type route struct {
	pattern string
	handler http.Handler
}

// serveProbes serves on l; with nil it serves nothing.
func serveProbes(l net.Listener, s settings, h *health.Health, metrics http.Handler, more ...route) *probes {
	mux := http.NewServeMux()
	for _, r := range more {
		mux.Handle(r.pattern, r.handler)
	}
	for _, path := range []string{"/livez", "/healthz"} { // the same: that this process serves
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	}
	mux.Handle("/readyz", readyz{h})
	mux.Handle("/metrics", metrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not found: there are "+s.probePaths()+"; calls are made over NATS", http.StatusNotFound)
	})
	if s.Pprof {
		serveProfiles(mux)
	}
	p := &probes{
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

// serveProfiles leaves out the command line, in which a password may stand.
func serveProfiles(mux *http.ServeMux) {
	mux.HandleFunc(profilesPath, pprof.Index)
	mux.HandleFunc(profilesPath+"profile", pprof.Profile)
	mux.HandleFunc(profilesPath+"symbol", pprof.Symbol)
	mux.HandleFunc(profilesPath+"trace", pprof.Trace)
}

// serveMetrics gives what stands on /metrics. One who scrapes at the same time as another gets the same.
func serveMetrics(m *meter.Meter, log zerolog.Logger) http.Handler {
	return promhttp.HandlerFor(m.Gatherer(), promhttp.HandlerOpts{
		ErrorLog: scrapeLog{m.Log(log, meter.HTTP)}, ErrorHandling: promhttp.ContinueOnError, CoalesceGather: true,
	})
}

// scrapeLog lets what goes wrong with a scrape into our log.
type scrapeLog struct{ zerolog.Logger }

// Println is promhttp.Logger's. That who asked has gone is nobody's error.
func (l scrapeLog) Println(v ...any) {
	level := zerolog.ErrorLevel
	for _, x := range v {
		if err, ok := x.(error); ok && gone(err) {
			level = zerolog.DebugLevel
		}
	}
	l.WithLevel(level).Msg(strings.TrimSpace(fmt.Sprintln(v...)))
}

// gone says whether an answer could not be sent to who asked for it.
func gone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "write"
}

// Run ends with ctx, or with an error when HTTP is no longer served. HTTP goes on until stop.
func (p *probes) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.failed:
		return err
	}
}

func (p *probes) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := p.server.Shutdown(ctx); err != nil {
		return errors.Join(err, p.server.Close())
	}
	return nil
}
