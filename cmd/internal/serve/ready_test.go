package serve

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/storage"
	"ringline.io/ringline/worker/streams"
)

var soak = flag.Bool("soak", false, "many times as many rounds")

// working is workers in this process.
type working struct {
	*Process

	ready chan struct{} // closed once the workers report their start
	stop  func()
}

// work runs workers until stop. The clock of their conditions runs twenty times as fast.
func work(t *testing.T, url string, sessions *LazyHandler, roles ...Role) *working {
	t.Helper()
	s, err := settings.Read()
	if err != nil {
		t.Fatal(err)
	}
	const faster = 20
	begun := time.Now()
	h := health.New(func() time.Time { return begun.Add(faster * time.Since(begun)) })
	m := NewMeter()
	m.Health(h)
	w := &working{Process: NewProcess(s, zerolog.Nop(), m, h, sessions, url, nil), ready: make(chan struct{})}
	w.inspectEvery, w.surveyEvery = inspectEvery/faster, storage.SurveyEvery/faster
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() { close(w.ready) }, roles...) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the workers: %v", err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

// started runs workers until stop, and returns once they report their start.
func started(t *testing.T, url string, sessions *LazyHandler, roles ...Role) *working {
	t.Helper()
	w := work(t, url, sessions, roles...)
	select {
	case <-w.ready:
	case <-time.After(within):
		t.Fatalf("not started within %v: %+v", within, w.health.State())
	}
	return w
}

// The first request after a start is answered. A subscriber on all subjects would otherwise hide a missing responder.
func TestFirstRequestIsAnswered(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	if _, err := s.Connect(t).Subscribe(">", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	asks := s.Connect(t)
	rounds := 5
	if *soak {
		rounds = 200
	}
	for n := range rounds {
		w := started(t, s.URL(), &LazyHandler{}, CoordinatorRole())
		m, err := asks.Request(events.APISubject("demo", "get"), []byte(`{"call_id":"c1"}`), within)
		if err != nil {
			t.Errorf("start %d: %v", n, err)
		} else if a, err := events.ReadAnswer(m.Data); err != nil || a.Error == nil || a.Error.Code != events.CodeNotFound {
			t.Errorf("start %d: %s, %v", n, m.Data, err)
		}
		if st := w.health.State(); !st.Ready() {
			t.Errorf("start %d: %+v", n, st)
		}
		w.stop()
		if st := w.health.State(); st.Ready() || st.Phase != phaseStopping {
			t.Errorf("stop %d: %+v", n, st)
		}
	}
}

// When a worker reports its start, it has a pull request open or accepts sessions.
func TestStartedMeansConsuming(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	pulls := func(stream, consumer string) int {
		c, err := s.JS.Consumer(t.Context(), stream, consumer)
		if err != nil {
			t.Fatal(err)
		}
		return c.CachedInfo().NumWaiting
	}
	for _, x := range []struct {
		role             Role
		stream, consumer string
	}{
		{CoordinatorRole(), streams.StreamCommands, streams.ConsumerCoordinators},
		{TimeoutsRole(), streams.StreamTimers, streams.ConsumerTimeouts},
	} {
		w := started(t, s.URL(), &LazyHandler{}, x.role)
		poll(t, "pull of "+x.consumer, func() bool { return pulls(x.stream, x.consumer) > 0 }) // there is none between two pulls
		w.stop()
	}
	sessions := &LazyHandler{}
	started(t, s.URL(), sessions, EdgeRole())
	w := httptest.NewRecorder()
	sessions.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, session.Paths()[0], nil))
	if w.Code == http.StatusServiceUnavailable {
		t.Errorf("the edge accepts no client: %d %s", w.Code, w.Body)
	}
}

// Workers without their stream are not ready, and do not report their start.
func TestNotStartedWithoutConsumer(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	h := health.New(time.Now)
	consumes := h.Needs(health.Timeouts, health.Hold)
	h.Running(phaseStarting)
	if err := s.JS.DeleteStream(t.Context(), streams.StreamTimers); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- worker.Runner{
			JS: s.JS, Log: zerolog.Nop(), Health: consumes, Stream: streams.StreamTimers, Consumer: streams.ConsumerTimeouts, Parallel: 1,
			Key: func(string) string { return "" }, Handle: func(context.Context, worker.Msg) worker.Exit { return worker.Ack() },
		}.Run(ctx)
	}()
	poll(t, "reason that names the stream", func() bool {
		st := h.State()
		return len(st.Failing) == 1 && st.Failing[0].Why != phaseStarting
	})
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	poll(t, "consumer", func() bool { return h.State().Ready() })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
