package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/natstest"
)

// TestBacklog counts the pending messages and those in flight. The backlog is unknown without NATS, the stream or the consumer.
func TestBacklog(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	read := func(ctx context.Context, js jetstream.JetStream, stream, consumer string) (meter.Backlog, bool) {
		return worker.Backlog(ctx, js, stream, consumer)()
	}
	check := func(want meter.Backlog) {
		t.Helper()
		eventually(t, fmt.Sprintf("the backlog is %+v", want), func() bool { // the server updates its counts shortly after it stores a message
			got, known := read(t.Context(), s.JS, worker.StreamCommands, worker.ConsumerCoordinators)
			return known && got == want
		})
	}
	check(meter.Backlog{})
	for _, callID := range []string{"c1", "c2", "c3"} {
		publish(t, s, callID, "x")
	}
	check(meter.Backlog{Waiting: 3})
	cons, err := s.JS.Consumer(t.Context(), worker.StreamCommands, worker.ConsumerCoordinators)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cons.Next(jetstream.FetchMaxWait(within))
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
		"no consumer":    {t.Context(), worker.StreamCommands, "nobody"},
		"no stream":      {t.Context(), "NOWHERE", worker.ConsumerCoordinators},
		"the worker end": {ended, worker.StreamCommands, worker.ConsumerCoordinators},
	} {
		if got, known := read(c.ctx, js, c.stream, c.consumer); known {
			t.Errorf("%s: %+v", name, got)
		}
	}
	nc.Close()
	if got, known := read(t.Context(), js, worker.StreamCommands, worker.ConsumerCoordinators); known {
		t.Errorf("without a connection: %+v", got)
	}
}
