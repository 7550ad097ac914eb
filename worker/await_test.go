package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/natstest"
)

// Await reports each missing stream or bucket once.
func TestAwait(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	streams, buckets := []string{"RINGLINE_CALLS", "LATER"}, []string{"RINGLINE_APPS", "SOON"}
	requests := asked(t, s, "$JS.API.STREAM.INFO.>")
	told := make(chan error, 100)
	done := make(chan error, 1)
	go func() {
		done <- worker.Await(t.Context(), s.JS, func(err error) { told <- err }, streams, buckets)
	}()
	for range 5 { // RINGLINE_CALLS exists, so five requests include at least two for LATER
		<-requests
	}
	if _, err := s.JS.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LATER"}); err != nil {
		t.Fatal(err)
	}
	first, second := <-told, <-told
	if _, err := s.JS.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "SOON"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("all is there: %v", err)
	}
	for err, want := range map[error]string{
		first:  "worker: not set up: stream LATER is not there",
		second: "worker: not set up: bucket SOON is not there",
	} {
		if !errors.Is(err, worker.ErrNotSetUp) || err.Error() != want {
			t.Errorf("told %q, want %q", err, want)
		}
	}
	if len(told) > 0 {
		t.Errorf("told again: %v", <-told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := worker.Await(ctx, s.JS, func(err error) { told <- err }, []string{"NEVER"}, nil); !errors.Is(err, context.Canceled) || len(told) > 0 {
		t.Errorf("stopped: %v", err)
	}
}

// A consumer that can't be opened is reported once, not at every attempt.
func TestTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	requests := asked(t, s, "$JS.API.CONSUMER.INFO.NOWHERE.>")
	logged, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = worker.Runner{
			JS: s.JS, Log: zerolog.New(out), Stream: "NOWHERE", Consumer: "nobody", Parallel: 1, Drain: time.Second,
			Key:    func(subject string) string { return subject },
			Handle: func(context.Context, jetstream.Msg) worker.Exit { return worker.Ack() },
		}.Run(ctx)
		_ = out.Close()
	}()
	go func() {
		for range 3 {
			<-requests
		}
		cancel()
	}()
	n := 0
	for lines := json.NewDecoder(logged); ; n++ {
		var line struct {
			Message string `json:"message"`
		}
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil || line.Message != "can't consume, trying again" {
			t.Fatalf("%+v, %v", line, err)
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

// asked receives the requests to the JetStream API.
func asked(t *testing.T, s *natstest.Server, subject string) <-chan *nats.Msg {
	t.Helper()
	nc, requests := s.Connect(t), make(chan *nats.Msg, 1000)
	if _, err := nc.ChanSubscribe(subject, requests); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return requests
}
