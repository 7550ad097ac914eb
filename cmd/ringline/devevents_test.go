package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"ringline.io/ringline/events"
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

// pageEvent is one event of the stream.
type pageEvent struct {
	Kind    string          `json:"kind"`
	Subject string          `json:"subject"`
	Message json.RawMessage `json:"message"`
}

// named decodes the events in lines, by kind and subject.
func named(t *testing.T, got *lines) map[string]pageEvent {
	t.Helper()
	all := map[string]pageEvent{}
	for _, line := range got.list() {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e pageEvent
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
	got := eventsOf(t, d.http+"/dev/events?key="+d.key)
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
	var notified events.Notification
	if err := json.Unmarshal(all[notification].Message, &notified); err != nil || notified.CallID != "c1" || notified.Call.Caller.UserID != "ann" {
		t.Errorf("%v: %v", all, err)
	}
	d.end(syscall.SIGTERM) // despite the listening page
}
