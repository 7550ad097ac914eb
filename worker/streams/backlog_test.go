package streams_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// TestBacklog counts the pending messages and those in flight. The backlog is unknown without NATS, the stream or the consumer.
func TestBacklog(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	read := func(ctx context.Context, js jetstream.JetStream, stream, consumer string) (meter.Backlog, bool) {
		return streams.Backlog(ctx, js, stream, consumer)()
	}
	check := func(want meter.Backlog) {
		t.Helper()
		var got meter.Backlog
		var known bool
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
			// the server updates its counts shortly after it stores a message
			if got, known = read(t.Context(), s.JS, streams.StreamCommands, streams.ConsumerCoordinators); known && got == want {
				return
			}
		}
		t.Fatalf("the backlog is %+v, %v, want %+v", got, known, want)
	}
	check(meter.Backlog{})
	for _, callID := range []string{"c1", "c2", "c3"} {
		if _, err := s.JS.Publish(t.Context(), "ringline.demo.cmd."+callID+".ring", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	check(meter.Backlog{Waiting: 3})
	cons, err := s.JS.Consumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cons.Next(jetstream.FetchMaxWait(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	check(meter.Backlog{Waiting: 2, Unacknowledged: 1})
	if err := m.NakWithDelay(time.Hour); err != nil {
		t.Fatal(err)
	}
	check(meter.Backlog{Waiting: 2, Unacknowledged: 1}) // a nak'ed message still counts as unacknowledged

	nc := s.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx              context.Context
		stream, consumer string
	}{
		"no consumer":    {t.Context(), streams.StreamCommands, "none"},
		"no stream":      {t.Context(), "NOWHERE", streams.ConsumerCoordinators},
		"the worker end": {ended, streams.StreamCommands, streams.ConsumerCoordinators},
	} {
		if got, known := read(c.ctx, js, c.stream, c.consumer); known {
			t.Errorf("%s: %+v", name, got)
		}
	}
	nc.Close()
	if got, known := read(t.Context(), js, streams.StreamCommands, streams.ConsumerCoordinators); known {
		t.Errorf("without a connection: %+v", got)
	}
}
