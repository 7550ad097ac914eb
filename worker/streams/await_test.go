package streams_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// Await reports each missing stream or bucket once.
func TestAwait(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	names, buckets := []string{"RINGLINE_CALLS", "LATER"}, []string{"RINGLINE_APPS", "SOON"}
	requests := s.Requests(t, "$JS.API.STREAM.INFO.>")
	reports := make(chan error, 100)
	done := make(chan error, 1)
	go func() {
		done <- streams.Await(t.Context(), s.JS, func(err error) { reports <- err }, names, buckets)
	}()
	for range 5 { // RINGLINE_CALLS exists, so five requests include at least two for LATER
		<-requests
	}
	if _, err := s.JS.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LATER"}); err != nil {
		t.Fatal(err)
	}
	first, second := <-reports, <-reports
	if _, err := s.JS.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "SOON"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("all is there: %v", err)
	}
	for err, want := range map[error]string{
		first:  "streams: not set up: stream LATER is missing",
		second: "streams: not set up: bucket SOON is missing",
	} {
		if !errors.Is(err, streams.ErrNotSetUp) || err.Error() != want {
			t.Errorf("logged %q, want %q", err, want)
		}
	}
	if len(reports) > 0 {
		t.Errorf("logged again: %v", <-reports)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := streams.Await(ctx, s.JS, func(err error) { reports <- err }, []string{"NEVER"}, nil); !errors.Is(err, context.Canceled) || len(reports) > 0 {
		t.Errorf("stopped: %v", err)
	}
}
