package streams_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// look returns the faults, in the order of the parts.
func look(t *testing.T, s *natstest.Server, settings streams.Settings) (wrong []string) {
	t.Helper()
	for _, f := range streams.Look(t.Context(), s.JS, settings, nil) {
		if f.Err != nil {
			t.Errorf("%v: %v", f.Part, f.Err)
		}
		if w := f.Wrong(); w != "" {
			wrong = append(wrong, w)
		}
	}
	return wrong
}

// Look names each part that was deleted or altered since the last setup, with the field. A setup repairs it. Where setup has
// left its note, the reader's own settings don't matter.
func TestLook(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	others := streams.DefaultSettings()
	others.CallsMaxAge, others.Storage, others.Replicas = 48*time.Hour, jetstream.MemoryStorage, 3
	check := func(what string, want ...string) {
		t.Helper()
		if got := look(t, s, others); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("after a setup with other settings")

	change := func(name string, change func(*jetstream.StreamConfig)) {
		t.Helper()
		st, err := s.JS.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := st.CachedInfo().Config
		change(&c)
		if _, err := s.JS.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	change(streams.StreamCommands, func(c *jetstream.StreamConfig) { c.Description = "mine" })
	check("another description changes nothing")
	change(streams.StreamCommands, func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 })
	change("KV_"+streams.BucketLines, func(c *jetstream.StreamConfig) { c.MaxAge = 20 * time.Hour })
	until := time.Now().Add(time.Hour)
	if _, err := s.JS.PauseConsumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators, until); err != nil {
		t.Fatal(err)
	}
	if err := s.JS.DeleteStream(t.Context(), streams.StreamTimers); err != nil {
		t.Fatal(err)
	}
	if err := s.JS.DeleteConsumer(t.Context(), streams.StreamCDRs, streams.ConsumerAnalytics); err != nil {
		t.Fatal(err)
	}
	got := look(t, s, others)
	want := []string{
		"stream RINGLINE_COMMANDS was altered: max_msgs: want 1000000, got 10; run `ringline setup`",
		"stream RINGLINE_TIMERS is missing; run `ringline setup`",
		"bucket RINGLINE_LINES was altered: max_age: want 18h0m0s, got 20h0m0s; run `ringline setup`",
		"consumer coordinators of RINGLINE_COMMANDS was altered: pause_until: want none, got " + until.UTC().String() + "; run `ringline setup`",
		"consumer timeouts of RINGLINE_TIMERS is missing; run `ringline setup`",
		"consumer analytics of RINGLINE_CDRS is missing; run `ringline setup`",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	check("after setup")
}

// Without the note of setup, the settings define what is wanted.
func TestLookWithoutNote(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	st, err := s.JS.Stream(t.Context(), streams.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	c := st.CachedInfo().Config
	c.Metadata, c.MaxMsgsPerSubject = nil, 7
	if _, err := s.JS.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := []string{"stream RINGLINE_CALLS was altered: max_msgs_per_subject: want 1000, got 7; run `ringline setup`"}
	if got := look(t, s, streams.DefaultSettings()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// If JetStream does not answer, the streams are unknown, not missing.
func TestLookWithoutAnswer(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, f := range streams.Look(ctx, s.JS, streams.DefaultSettings(), nil) {
		if f.Err == nil || f.Missing || f.Wrong() != "" {
			t.Errorf("%v: %+v", f.Part, f)
		}
	}
}

// The metrics have a label for every part.
func TestPartsAreMetered(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	var names []string
	for _, f := range streams.Look(t.Context(), s.JS, streams.DefaultSettings(), nil) {
		names = append(names, f.Label())
	}
	if want := meter.Parts(); !slices.Equal(names, want) {
		t.Errorf("the parts are %q, those of the metrics %q", names, want)
	}
}

// Connections to separate servers return different times. Connections to one server return the same time.
func TestCreated(t *testing.T) {
	t.Parallel()
	one, other := natstest.Start(t), natstest.Start(t)
	created := func(s *natstest.Server) time.Time {
		t.Helper()
		at, err := streams.Created(t.Context(), s.JS)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := created(one)
	if first.IsZero() || !first.Equal(created(one)) || first.Equal(created(other)) {
		t.Errorf("%v, %v, the other one %v", first, created(one), created(other))
	}
	if err := one.JS.DeleteStream(t.Context(), streams.StreamCommands); err != nil {
		t.Fatal(err)
	}
	if at := created(one); !at.IsZero() {
		t.Errorf("without the stream %v", at)
	}
}
