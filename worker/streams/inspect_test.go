package streams_test

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

func inspect(t *testing.T, s *natstest.Server, settings streams.Settings) map[string]streams.Part {
	t.Helper()
	parts, err := streams.Inspect(t.Context(), s.JS, settings)
	if err != nil {
		t.Fatal(err)
	}
	off := map[string]streams.Part{}
	for _, p := range parts {
		if !p.AsWanted() {
			off[p.Name] = p
		}
	}
	if want := 14; len(parts) != want {
		t.Errorf("%d parts, want %d: %v", len(parts), want, parts)
	}
	return off
}

// Defaults that the server fills in are no difference, whatever the settings.
func TestInspectFindsNothingAfterSetup(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	if off := inspect(t, s, streams.DefaultSettings()); len(off) > 0 {
		t.Errorf("differences after setup: %v", off)
	}
	changed := streams.DefaultSettings()
	changed.CallsMaxAge, changed.TimersMaxAge, changed.LinesTTL = 48*time.Hour, 72*time.Hour, 30*time.Hour
	changed.MaxBytes.Calls, changed.EventsMaxAge = 1<<30, 24*time.Hour
	want := []string{"RINGLINE_CALLS", "RINGLINE_CDRS", "RINGLINE_EVENTS", "RINGLINE_LINES", "RINGLINE_TIMERS"}
	off := inspect(t, s, changed)
	var names []string
	for name := range off {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("other ages differ in %v, want %v", names, want)
	}
	if got, want := off["RINGLINE_CALLS"].Differences, []streams.Difference{
		{Field: "max_bytes", Wanted: "1073741824", Found: "17179869184"}, {Field: "max_age", Wanted: "48h0m0s", Found: "24h0m0s"},
	}; !slices.Equal(got, want) {
		t.Errorf("RINGLINE_CALLS: %v, want %v", got, want)
	}
	if err := streams.Setup(t.Context(), s.JS, changed); err != nil {
		t.Fatal(err)
	}
	if off := inspect(t, s, changed); len(off) > 0 {
		t.Errorf("differences after setup with other ages: %v", off)
	}
}

// Inspect finds every manual change and deletion, also in fields that the settings leave empty.
func TestInspectFindsChanges(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
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
	change("RINGLINE_COMMANDS", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })
	change("RINGLINE_SESSIONS", func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "other.>") })
	change("RINGLINE_CDRS", func(c *jetstream.StreamConfig) { c.Metadata["owner"] = "ops" })
	change("KV_RINGLINE_APPS", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 })
	cons, err := s.JS.Consumer(t.Context(), "RINGLINE_COMMANDS", "coordinators")
	if err != nil {
		t.Fatal(err)
	}
	c := cons.CachedInfo().Config
	c.MaxAckPending = 7
	if _, err := s.JS.UpdateConsumer(t.Context(), "RINGLINE_COMMANDS", c); err != nil {
		t.Fatal(err)
	}
	if err := s.JS.DeleteConsumer(t.Context(), "RINGLINE_TIMERS", "timeouts"); err != nil {
		t.Fatal(err)
	}
	if err := s.JS.DeleteStream(t.Context(), "RINGLINE_EVENTS"); err != nil {
		t.Fatal(err)
	}

	off := inspect(t, s, streams.DefaultSettings())
	for name, want := range map[string]streams.Difference{
		"RINGLINE_COMMANDS": {Field: "max_age", Wanted: "0s", Found: "1h0m0s"},
		"RINGLINE_SESSIONS": {Field: "subjects", Wanted: `["ringline.*.session.*"]`, Found: `["ringline.*.session.*" "other.>"]`},
		"RINGLINE_CDRS":     {Field: "metadata", Wanted: "none", Found: "{owner:ops}"},
		"RINGLINE_APPS":     {Field: "max_msgs_per_subject", Wanted: "1", Found: "5"},

		"coordinators of RINGLINE_COMMANDS": {Field: "max_ack_pending", Wanted: "20000", Found: "7"},
	} {
		if got := off[name].Differences; !slices.Equal(got, []streams.Difference{want}) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		delete(off, name)
	}
	for _, name := range []string{"timeouts of RINGLINE_TIMERS", "RINGLINE_EVENTS", "analytics of RINGLINE_EVENTS"} {
		if !off[name].Missing {
			t.Errorf("%s is not said to be missing", name)
		}
		delete(off, name)
	}
	if len(off) > 0 {
		t.Errorf("%v was not changed", off)
	}
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	if off := inspect(t, s, streams.DefaultSettings()); len(off) > 0 {
		t.Errorf("setup left differences: %v", off)
	}
}
