package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
)

// freePort is natstest.FreePort as text, for addresses and flags.
func freePort(t *testing.T) string { t.Helper(); return strconv.Itoa(natstest.FreePort(t)) }

// receipts is the received notifications: their ids by user, call and event.
type receipts struct {
	mu  sync.Mutex
	ids map[string][]string
}

func (l *receipts) record(m *nats.Msg) {
	var n struct {
		Event  string `json:"event"`
		ID     string `json:"id"`
		CallID string `json:"call_id"`
	}
	if err := json.Unmarshal(m.Data, &n); err != nil {
		n.ID = err.Error()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := m.Subject + " " + n.CallID + " " + n.Event
	if !slices.Contains(l.ids[key], n.ID) { // the same id is a redelivery
		l.ids[key] = append(l.ids[key], n.ID)
	}
}

func (l *receipts) get(user, call, event string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ids["ringline.demo.user."+user+" "+call+" "+event]
}

// TestKilledWhileItRings kills dev while two calls ring, and restarts it on the same folder. The first call still rings
// and can be answered. The second, whose deadline has passed, times out at once.
func TestKilledWhileItRings(t *testing.T) {
	t.Parallel()
	args := []string{"--data", filepath.Join(t.TempDir(), "data"), "--port", freePort(t)}
	d := startDev(t, args...)
	received := &receipts{ids: map[string][]string{}}
	nc, err := nats.Connect(d.nats, nats.Timeout(within), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if _, err := nc.Subscribe("ringline.demo.user.*", received.record); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	watch := start(t, program("ringline", "watch", "--user", "ann", "--nats-url", d.nats))
	watch.wait(&watch.stderr, `^watching the notifications of ann`)

	long := d.ok(t, "invite", "bob", "--user", "ann", "--call", "long", "--timeout", "600s")
	short := d.ok(t, "invite", "eve", "--user", "joe", "--call", "short", "--timeout", "3s")
	poll(t, "ringing of both", func() bool {
		return received.get("bob", "long", "incoming_call_received") != nil && received.get("eve", "short", "incoming_call_received") != nil
	})
	d.kill()
	waitUntil(t, deadline(t, short))

	again := startDev(t, args...)
	began := time.Now()
	poll(t, "timeout of the second call", func() bool { return again.ok(t, "get", "short")["state"] == "ended" })
	if took := time.Since(began); took > within {
		t.Errorf("the second call timed out only %v after dev was ready", took)
	}
	if c := again.ok(t, "get", "short"); c["end_reason"] != "timed_out" || c["seq"] != 2.0 {
		t.Errorf("the second call is %v", c)
	}
	if c := again.ok(t, "get", "long"); c["state"] != "ringing" || !deadline(t, c).Equal(deadline(t, long)) {
		t.Errorf("the first call is %v, was %v", c, long)
	}
	watch.wait(&watch.stderr, `^connected again`)
	if c := again.ok(t, "accept", "long", "--user", "bob"); c["state"] != "active" {
		t.Errorf("the first call was answered and is %v", c)
	}
	watch.wait(&watch.stdout, `ann +outgoing_call_accepted +long-2-0 +bob`)

	checkLog(t, nc, []string{"long-1 invited", "long-2 accepted", "short-1 invited", "short-2 timed_out"})
	received.mu.Lock()
	for what, ids := range received.ids {
		if len(ids) > 1 {
			t.Errorf("notified twice: %s, %v", what, ids)
		}
	}
	received.mu.Unlock()
	watch.end(syscall.SIGINT)
	again.end(syscall.SIGTERM)
}

func deadline(t *testing.T, call map[string]any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(call["callees"].([]any)[0].(map[string]any)["ring_deadline"]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// waitUntil waits until 100 ms after at.
func waitUntil(t *testing.T, at time.Time) {
	t.Helper()
	poll(t, "end of the ringing", func() bool { return time.Now().After(at.Add(100 * time.Millisecond)) })
}

// checkLog requires each of these transitions once in RINGLINE_EVENTS, and no others.
func checkLog(t *testing.T, nc *nats.Conn, want []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	poll(t, "event log that has caught up", func() bool {
		got = readLog(ctx, t, js)
		return len(got) >= len(want)
	})
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the event log has %v, want %v", got, want)
	}
}

func readLog(ctx context.Context, t *testing.T, js jetstream.JetStream) (list []string) {
	t.Helper()
	cons, err := js.OrderedConsumer(ctx, "RINGLINE_EVENTS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := cons.FetchNoWait(100)
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		var event struct { // a CloudEvent
			ID string `json:"id"`
		}
		if err := json.Unmarshal(m.Data(), &event); err != nil {
			t.Fatal(err)
		}
		list = append(list, event.ID+" "+m.Headers().Get("Ringline-Event"))
	}
	return list
}
