package session_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/store"
)

// within is the timeout for things that should take some milliseconds.
const within = time.Minute

// world is a NATS server with workers.
type world struct {
	*natstest.Server

	presence *presence.Times // of the edges; nil: they check no presence
}

func newWorld(tb testing.TB) world {
	tb.Helper()
	w := world{Server: natstest.Start(tb)}
	w.work(tb)
	return w
}

// work runs a coordinator and a timeouts worker.
func (w world) work(tb testing.TB) {
	tb.Helper()
	nc := w.Connect(tb)
	js := stream(tb, nc)
	apps := newApps(js)
	run(tb, apps.Run)
	run(tb, coordinator.New(nc, js, zerolog.Nop(), coordinator.Config{Parallel: 64, Limits: apps.Limits}).Run)
	run(tb, timeouts.New(stream(tb, w.Connect(tb)), nil, zerolog.Nop(), timeouts.DefaultSweep(), nil).Run)
}

// run runs f until the test ends, and waits until it returns.
func run(tb testing.TB, f func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("ended with %v", err)
		}
	})
}

func stream(tb testing.TB, nc *nats.Conn) jetstream.JetStream {
	tb.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	return js
}

func newApps(js jetstream.JetStream) *store.Apps {
	return store.NewApps(js, zerolog.Nop(), call.DefaultLimits(), 17*time.Hour, nil)
}

// edge is a running edge behind an HTTP server.
type edge struct {
	*session.Edge

	url     string
	nc      *nats.Conn // its connection for notifications
	meter   *meter.Meter
	dial    dial
	stop    context.CancelFunc
	stopped chan struct{}
}

// Dial implements edgetest.Edge.
func (e *edge) Dial(t *testing.T, c edgetest.Client) edgetest.Conn {
	t.Helper()
	return e.dial(t, e.url, c, "")
}

// Stop implements edgetest.Edge.
func (e *edge) Stop() { e.stop() }

// Stopped implements edgetest.Edge.
func (e *edge) Stopped() <-chan struct{} { return e.stopped }

// start starts an edge with a changed configuration, and waits until it accepts clients.
func (w world) start(tb testing.TB, change ...func(*session.Config)) *edge {
	tb.Helper()
	askNC := w.Connect(tb)
	js := stream(tb, askNC)
	asker, err := ask.New(askNC, js, within/3, nil)
	if err != nil {
		tb.Fatal(err)
	}
	apps, calls := newApps(js), store.NewCalls(askNC, zerolog.Nop(), nil)
	run(tb, apps.Run)
	e := &edge{meter: meter.New("test"), stopped: make(chan struct{}), dial: dialWebsocket}
	cfg := session.Config{
		Asker: asker, Calls: calls, Lines: store.NewLines(askNC, js, calls, zerolog.Nop(), nil), Apps: apps,
		Secrets: store.NewSecrets(askNC, js, zerolog.Nop()), Via: true,
		Tokens: token.New(apps.Settings, ""), Limits: session.DefaultLimits(), Log: zerolog.Nop(), Meter: e.meter,
	}
	cfg.Limits.Revoked, cfg.Limits.Renewal, cfg.Limits.CloseOver = 20*time.Millisecond, 500*time.Millisecond, 50*time.Millisecond
	for _, f := range change {
		f(&cfg)
	}
	if cfg.NC == nil {
		cfg.NC = w.Connect(tb)
	}
	e.nc = cfg.NC
	if e.Edge, err = session.New(cfg); err != nil {
		tb.Fatal(err)
	}
	if w.presence != nil {
		e.watch(tb, *w.presence, apps)
	}
	e.url = serve(tb, e)
	e.run(tb)
	return e
}

// watch checks the presence of devices with these times.
func (e *edge) watch(tb testing.TB, times presence.Times, apps *store.Apps) {
	tb.Helper()
	js, calls := stream(tb, e.nc), store.NewCalls(e.nc, zerolog.Nop(), nil)
	checker, err := presence.New(presence.Config{
		ID: e.ID(), NC: e.nc, JS: js, Local: e, Calls: calls, Lines: store.NewLines(e.nc, js, calls, zerolog.Nop(), nil), Times: times, Log: zerolog.Nop(),
		Apps: func(ctx context.Context, app string) (events.AppSettings, error) {
			s, _, err := apps.Settings(ctx, app)
			return s, err
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	e.Presence = checker
	run(tb, checker.Run)
}

func (e *edge) run(tb testing.TB) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	go func() {
		defer close(e.stopped)
		if err := e.Run(ctx); err != nil {
			tb.Errorf("an edge ended with %v", err)
		}
	}()
	tb.Cleanup(func() { stop(); <-e.stopped })
	eventually(tb, "the edge is ready", func() bool {
		r := httptest.NewRequestWithContext(tb.Context(), http.MethodOptions, session.PathEmulation, http.NoBody)
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, r)
		return answer.Code != http.StatusServiceUnavailable
	})
}

// serve serves h over HTTP. Its sockets have small write buffers, so that a client that does not read is noticed soon.
func serve(tb testing.TB, h http.Handler) (url string) {
	tb.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Listener = smallBuffers{srv.Listener}
	srv.Start()
	tb.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

type smallBuffers struct{ net.Listener }

// Accept implements net.Listener.
func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetWriteBuffer(64 << 10)
	}
	return conn, err
}

// eventually waits until so returns true.
func eventually(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v", what, within)
		}
	}
}
