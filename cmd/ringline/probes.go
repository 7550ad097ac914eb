package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// readiness says whether commands are handled, or why not.
type readiness struct {
	phase atomic.Pointer[string] // why not; nil once everything runs
	conns atomic.Pointer[[]*connection]
}

func (r *readiness) set(phase string) { r.phase.Store(&phase) }

func (r *readiness) running(conns []*connection) {
	r.conns.Store(&conns)
	r.phase.Store(nil)
}

// reason is empty when ready.
func (r *readiness) reason() string {
	if phase := r.phase.Load(); phase != nil {
		return *phase
	}
	for _, c := range *r.conns.Load() {
		if s := c.Status(); s != nats.CONNECTED {
			return fmt.Sprintf("the NATS connection %q is %s", c.Opts.Name, s)
		}
	}
	return ""
}

// probes is the HTTP server that tells how this process is.
type probes struct {
	server *http.Server
	failed chan error
}

// serveProbes serves on l; with nil it serves nothing.
func serveProbes(l net.Listener, ready *readiness) *probes {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("/readyz", ready.serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not found: there are /healthz and /readyz; calls are made over NATS", http.StatusNotFound)
	})
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

func (r *readiness) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	reason := r.reason()
	if reason != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(struct {
		Ready  bool   `json:"ready"`
		Reason string `json:"reason,omitempty"`
	}{reason == "", reason}); err != nil {
		return // who asked has gone
	}
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
