package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/natstest"
)

// eventsOf reads the event stream of url into lines. Once it returns, no later event is missed.
func eventsOf(t *testing.T, url string) *lines {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %v", resp.Status, resp.Header)
	}
	body := bufio.NewReader(resp.Body)
	if first, err := body.ReadString('\n'); err != nil || first != ": ready\n" {
		t.Fatalf("%q, %v", first, err)
	}
	var got lines
	go got.read(body)
	return &got
}

// named decodes the events in lines, by kind and subject.
func named(t *testing.T, got *lines) map[string]devEvent {
	t.Helper()
	all := map[string]devEvent{}
	for _, line := range got.list() {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e devEvent
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all[e.Kind+" "+e.Subject] = e
	}
	return all
}

func TestDevEvents(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	got := eventsOf(t, d.http+"/dev/events")
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c1")
	const transition, notification = "transition ringline.demo.events", "notification ringline.demo.user.bob"
	poll(t, "both", func() bool { return len(named(t, got)) == 2 })
	all := named(t, got)
	var event struct {
		Data events.Transition `json:"data"`
	}
	if err := json.Unmarshal(all[transition].Message, &event); err != nil || event.Data.Call.CallID != "c1" || event.Data.Seq != 1 {
		t.Errorf("%v: %v", all, err)
	}
	var told events.Notification
	if err := json.Unmarshal(all[notification].Message, &told); err != nil || told.CallID != "c1" || told.Call.Caller.UserID != "ann" {
		t.Errorf("%v: %v", all, err)
	}
	d.end(syscall.SIGTERM) // despite the listening page
}

// The event stream outlives the read and write deadlines of the HTTP server.
func TestDevEventsLast(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	nc := server.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Setup(t.Context(), js, worker.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	d := devEvents{app: "demo", inboxPrefix: "_INBOX", log: zerolog.Nop()}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx, server.URL()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	poll(t, "a source", func() bool { return d.source.Load() != nil })
	const deadline = 50 * time.Millisecond
	h := httptest.NewUnstartedServer(&d)
	h.Config.ReadTimeout, h.Config.WriteTimeout = deadline, deadline
	h.Start()
	t.Cleanup(h.Close)
	t.Cleanup(stop) // before the server, which waits for its open requests
	got := eventsOf(t, h.URL)
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
	poll(t, "the last", func() bool { _, ok := named(t, got)["notification ringline.demo.user.eve"]; return ok })
	if told := strings.Count(strings.Join(got.list(), "\n"), "data: "); told != 6 {
		t.Errorf("%d events, want the 6 of this app", told)
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
		"not ready":       {origin("http://127.0.0.1:8080"), 0, http.StatusServiceUnavailable},
		"too many":        {origin("http://127.0.0.1:8080"), devEventPages, http.StatusTooManyRequests},
	} {
		var d devEvents
		if c.open > 0 {
			d.source.Store(&devEventSource{})
			d.open.Store(c.open)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/dev/events", nil)
		r.RemoteAddr = "127.0.0.1:40000"
		c.change(r)
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != c.status || d.open.Load() != c.open {
			t.Errorf("%s: %d %s, want %d; %d open", name, w.Code, w.Body, c.status, d.open.Load())
		}
	}
}
