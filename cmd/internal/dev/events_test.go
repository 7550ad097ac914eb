package dev

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// readEvents reads the events of url. Once it returns, no later event is missed.
func readEvents(t *testing.T, url string) <-chan pageEvent {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != ": ready" {
		t.Fatalf("%s, %q, %v", resp.Status, lines.Text(), lines.Err())
	}
	got := make(chan pageEvent)
	go func() {
		defer close(got)
		for lines.Scan() {
			var e pageEvent
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); !ok {
				continue
			} else if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Errorf("%q: %v", data, err)
			}
			select {
			case got <- e:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return got
}

// The event stream outlives the read and write deadlines of the HTTP server.
func TestDevEventsStayOpen(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	nc := server.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := streams.Setup(t.Context(), js, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	d := eventFeed{app: "demo", inboxPrefix: "_INBOX", log: zerolog.Nop()}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx, server.URL()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for d.source.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	const deadline = 50 * time.Millisecond
	h := httptest.NewUnstartedServer(&d)
	h.Config.ReadTimeout, h.Config.WriteTimeout = deadline, deadline
	h.Start()
	t.Cleanup(h.Close)
	t.Cleanup(stop) // before the server, which waits for its open requests
	got := readEvents(t, h.URL)
	for range 5 { // longer than the deadlines
		time.Sleep(deadline)
		if err := nc.Publish("ringline.demo.user.bob", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Publish("ringline.other.user.bob", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("ringline.demo.user.eve", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	count := 0
	for e := range got {
		count++
		if e.Kind == "notification" && e.Subject == "ringline.demo.user.eve" {
			break
		}
	}
	if count != 6 {
		t.Errorf("%d events, want the 6 of this app", count)
	}
}

func TestDevEventsRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*http.Request)
		open   int32
		status int
	}{
		"another machine": {func(r *http.Request) { r.RemoteAddr = "192.0.2.1:40000" }, 0, http.StatusForbidden},
		"rebound DNS":     {func(r *http.Request) { r.Host = "evil.example:8080" }, 0, http.StatusForbidden},
		"another page":    {origin("http://evil.example"), 0, http.StatusForbidden},
		"nginx' defaults": {withoutKey, 0, http.StatusForbidden},
		"not ready":       {origin("http://127.0.0.1:8080"), 0, http.StatusServiceUnavailable},
		"too many":        {origin("http://127.0.0.1:8080"), maxPages, http.StatusTooManyRequests},
	} {
		s := siteOn(t, t.TempDir())
		d := &s.events
		if c.open > 0 {
			d.source.Store(&feedSource{})
			d.open.Store(c.open)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/dev/events?key="+s.urlKey(), nil)
		r.RemoteAddr = "127.0.0.1:40000"
		c.change(r)
		w := httptest.NewRecorder()
		s.access(d).ServeHTTP(w, r)
		if w.Code != c.status || d.open.Load() != c.open {
			t.Errorf("%s: %d %s, want %d; %d open", name, w.Code, w.Body, c.status, d.open.Load())
		}
	}
}
