package streams_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// Setup extends RINGLINE_TIMERS of an earlier version, whose subjects have no kind of deadline. It keeps the deadlines.
func TestSetupOfEarlierDeadlines(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	st, err := s.JS.Stream(t.Context(), streams.StreamTimers)
	if err != nil {
		t.Fatal(err)
	}
	c := st.CachedInfo().Config
	c.Subjects = []string{"ringline.*.timer.*.*", "ringline.*.due.*.*"}
	cons, err := st.Consumer(t.Context(), streams.ConsumerTimeouts)
	if err != nil {
		t.Fatal(err)
	}
	earlier := cons.CachedInfo().Config
	earlier.FilterSubject = "ringline.*.due.*.*"
	if _, err := s.JS.UpdateConsumer(t.Context(), streams.StreamTimers, earlier); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JS.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JS.Publish(t.Context(), "ringline.demo.due.c1.1", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JS.Publish(t.Context(), "ringline.demo.due.c1.1.reach", nil); err == nil {
		t.Fatal("the earlier stream stores a reach deadline")
	}
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JS.Publish(t.Context(), "ringline.demo.due.c1.1.reach", nil); err != nil {
		t.Fatal(err)
	}
	if cons, err = st.Consumer(t.Context(), streams.ConsumerTimeouts); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ringline.demo.due.c1.1", "ringline.demo.due.c1.1.reach"} {
		m, err := cons.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil || m.Subject() != want {
			t.Fatalf("%v, %v, want %s", m, err, want)
		}
	}
}

// Setup may be repeated, and creates the streams with the documented configuration.
func TestSetup(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	config := func(name string) jetstream.StreamConfig {
		t.Helper()
		st, err := s.JS.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return st.CachedInfo().Config
	}
	c := config(streams.StreamCommands)
	if c.Retention != jetstream.WorkQueuePolicy || c.Discard != jetstream.DiscardNew || c.MaxAge != 0 || c.MaxMsgs != 1_000_000 ||
		c.MaxBytes != 1<<30 || c.MaxMsgSize != 256<<10 {
		t.Errorf("commands: %+v", c)
	}
	for _, name := range []string{streams.StreamCommands, streams.StreamCalls} {
		if c := config(name); !c.DenyDelete || !c.DenyPurge || c.AllowMsgSchedules || c.AllowMsgTTL || c.AllowRollup || c.AllowAtomicPublish {
			t.Errorf("%s is no plain stream: %+v", name, c)
		}
	}
	c = config(streams.StreamCalls)
	if c.MaxMsgsPerSubject != 1000 || c.DiscardNewPerSubject || !c.AllowDirect || c.Compression != jetstream.NoCompression || c.MaxAge != 24*time.Hour {
		t.Errorf("calls: %+v", c)
	}
	if c := config(streams.StreamTimers); c.MaxMsgsPerSubject != 1 || !c.AllowMsgSchedules || !c.AllowMsgTTL {
		t.Errorf("timers: %+v", c)
	}
	if c := config(streams.StreamEvents); c.Compression != jetstream.NoCompression || len(c.Subjects) != 0 || len(c.Sources) != 1 {
		t.Errorf("events: %+v", c)
	}
	for _, name := range []string{
		streams.StreamCommands, streams.StreamCalls, streams.StreamTimers, streams.StreamEvents, streams.StreamCDRs,
		streams.StreamRejected, streams.StreamSessions,
	} {
		if c := config(name); c.Duplicates != 100*time.Millisecond {
			t.Errorf("%s: duplicate window %v", name, c.Duplicates)
		}
	}
	const mib, gib = 1 << 20, 1 << 30
	sum := int64(0)
	for name, want := range map[string]struct {
		bytes   int64
		discard jetstream.DiscardPolicy
	}{
		streams.StreamCommands: {gib, jetstream.DiscardNew}, streams.StreamCalls: {16 * gib, jetstream.DiscardNew},
		streams.StreamTimers: {2 * gib, jetstream.DiscardOld}, streams.StreamEvents: {8 * gib, jetstream.DiscardOld},
		streams.StreamCDRs: {gib, jetstream.DiscardOld}, streams.StreamRejected: {gib, jetstream.DiscardOld},
		streams.StreamSessions: {gib, jetstream.DiscardOld}, "KV_" + streams.BucketLines: {gib, jetstream.DiscardNew},
		"KV_" + streams.BucketApps:    {64 * mib, jetstream.DiscardNew},
		"KV_" + streams.BucketSecrets: {16 * mib, jetstream.DiscardNew},
	} {
		if c := config(name); c.MaxBytes != want.bytes || c.Discard != want.discard {
			t.Errorf("%s: at most %d bytes, then discard %v", name, c.MaxBytes, c.Discard)
		}
		sum += want.bytes
	}
	if total := streams.DefaultSizes().Total(); total != sum || total > 32*gib {
		t.Errorf("the limits add up to %d, want %d, below 32 GiB", total, sum)
	}
	cons, err := s.JS.Consumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators)
	if err != nil {
		t.Fatal(err)
	}
	if c := cons.CachedInfo().Config; c.AckWait != 3*time.Second || c.MaxDeliver != -1 || c.MaxAckPending != 20_000 {
		t.Errorf("coordinators: %+v", c)
	}
}

func TestContradictingSettings(t *testing.T) {
	const longest = 12 * time.Hour
	if err := streams.DefaultSettings().Check(longest); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for name, change := range map[string]func(*streams.Settings){
		"deadlines without room":      func(s *streams.Settings) { s.MaxBytes.Timers = s.MaxBytes.Calls/8 - 1 },
		"lines go before their call":  func(s *streams.Settings) { s.LinesTTL = longest },
		"calls go before their lines": func(s *streams.Settings) { s.CallsMaxAge = s.LinesTTL - 1 },
		"two replicas":                func(s *streams.Settings) { s.Replicas = 2 },
		"timers go before the lines":  func(s *streams.Settings) { s.TimersMaxAge = s.LinesTTL - 1 },
	} {
		s := streams.DefaultSettings()
		change(&s)
		if s.Check(longest) == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// Setup turns off the compression that an earlier version configured for the event log. The events stay.
func TestSetupTurnsCompressionOff(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	log, err := s.JS.Stream(t.Context(), streams.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	before := log.CachedInfo().Config
	before.Compression = jetstream.S2Compression
	if _, err := s.JS.UpdateStream(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	info, err := log.Info(t.Context())
	if err != nil || info.Config.Compression != jetstream.NoCompression {
		t.Errorf("the log: %+v, %v", info.Config, err)
	}
}
