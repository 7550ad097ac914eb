//go:build linux

package main

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// forgetful updates a stream, and loses the response to the first update.
type forgetful struct {
	jetstream.JetStream

	asked int
}

func (f *forgetful) UpdateStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	st, err := f.JetStream.UpdateStream(ctx, cfg)
	if f.asked++; f.asked == 1 && err == nil {
		return nil, errors.New("no answer")
	}
	return st, err
}

// If an update was applied but its response was lost, it counts as a fault, and the limit is restored.
func TestFillReleasesWhatItAllocated(t *testing.T) {
	s := natstest.Start(t)
	b := &breaker{js: &forgetful{JetStream: s.JS}}
	target, note, err := b.fill(streams.StreamCalls)(t.Context(), fault{}, nil)
	if target != streams.StreamCalls || note != unsure || err != nil {
		t.Errorf("%q, %q, %v", target, note, err)
	}
	st, err := s.JS.Stream(t.Context(), streams.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := st.CachedInfo().Config.MaxBytes, streams.DefaultSettings().MaxBytes.Calls; got != want {
		t.Errorf("RINGLINE_CALLS may take %d bytes, want %d", got, want)
	}
}
