package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/broker"
)

// Write returns the sequence or the stream's refusal. Without a stream it retries until ctx ends.
func TestWrite(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	message := func(expect string) *nats.Msg {
		m := nats.NewMsg("ringline.demo.call.c1")
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, expect)
		return m
	}
	for want := range uint64(2) {
		if got, err := broker.Write(t.Context(), s.NC, message(string(rune('0'+want)))); err != nil || got != want+1 {
			t.Fatalf("%d, %v, want %d", got, err, want+1)
		}
	}
	_, err := broker.Write(t.Context(), s.NC, message("1"))
	if api, ok := errors.AsType[*jetstream.APIError](err); !ok || api.ErrorCode != 10071 {
		t.Errorf("a write that does not expect the last one: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	begun := time.Now()
	if _, err := broker.Write(ctx, s.NC, nats.NewMsg("no.responder")); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("without a responder: %v", err)
	}
	if took := time.Since(begun); took < 1500*time.Millisecond || took > time.Minute {
		t.Errorf("it gave up after %v", took)
	}
	if _, err := broker.Write(ctx, s.NC, message("2")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the timeout: %v", err)
	}
}

// A request without a reply is retried.
func TestRequestIsRepeated(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	go func() {
		time.Sleep(250 * time.Millisecond)
		_, _ = s.NC.Subscribe("late", func(m *nats.Msg) { _ = m.Respond([]byte("here")) })
	}()
	m, err := broker.Request(t.Context(), s.NC, nats.NewMsg("late"))
	if err != nil || string(m.Data) != "here" {
		t.Errorf("%v, %v", m, err)
	}
}

// The error of an earlier try is kept if the last try had no time to receive one.
func TestRequestReturnsTheErrorOfTheBroker(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	nc := s.Connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	go func() {
		for nc.Stats().InMsgs == 0 && ctx.Err() == nil { // until the first "no responders" arrives
			time.Sleep(time.Millisecond)
		}
		_, _ = s.NC.Subscribe("quiet", func(*nats.Msg) {})
	}()
	_, err := broker.Request(ctx, nc, nats.NewMsg("quiet"))
	if !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("no responder was there, and then one that does not answer: %v", err)
	}
}
