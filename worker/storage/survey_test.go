package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/storage"
	"ringline.io/ringline/worker/streams"
)

// Messages that the event log deletes before a consumer has read them are counted. A consumer that never read is
// ignored.
func TestLostEventsAreCounted(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	small := streams.DefaultSettings()
	small.MaxBytes.Events = 64 << 10
	if err := streams.Setup(t.Context(), s.JS, small); err != nil {
		t.Fatal(err)
	}
	log, err := s.JS.Stream(t.Context(), streams.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	write := func(n int) (first uint64) {
		t.Helper()
		info, err := log.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		last := info.State.LastSeq + uint64(n)
		for range n {
			if _, err := s.JS.Publish(t.Context(), "ringline.demo.call.c1", make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		for info.State.LastSeq < last {
			if info, err = log.Info(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return info.State.FirstSeq
	}
	w := storage.New(s.JS, zerolog.Nop(), nil)
	levels := func() meter.Levels {
		t.Helper()
		if err := w.Survey(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := w.Levels()
		if len(l.Streams) != len(streams.StreamNames()) || l.Account == nil || l.Missing == nil {
			t.Fatalf("%+v", l)
		}
		return l
	}
	write(100)
	if l := levels(); l.Lost[streams.StreamEvents] != 0 {
		t.Errorf("%v lost to a consumer that was never read", l.Lost)
	}
	reader, err := s.JS.Consumer(t.Context(), streams.StreamEvents, streams.ConsumerAnalytics)
	if err != nil {
		t.Fatal(err)
	}
	read := func(n int) (last uint64) {
		t.Helper()
		batch, err := reader.Fetch(n)
		if err != nil {
			t.Fatal(err)
		}
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil || m.DoubleAck(t.Context()) != nil {
				t.Fatalf("%v", err)
			}
			last = meta.Sequence.Stream
		}
		return last
	}
	acked := read(10)
	if l := levels(); l.Lost[streams.StreamEvents] != 0 {
		t.Errorf("%v lost to a consumer that reads", l.Lost)
	}
	first := write(100)
	l := levels()
	if want := first - 1 - acked; l.Lost[streams.StreamEvents] != want || want == 0 {
		t.Errorf("%v lost, want %d: acknowledged up to %d, and the log begins at %d", l.Lost, want, acked, first)
	}
	for _, x := range l.Streams {
		if x.Stream == streams.StreamEvents && (x.Limit != 64<<10 || x.Bytes == 0 || x.Bytes > x.Limit || x.Messages == 0) {
			t.Errorf("%+v", x)
		}
	}
}

// A stream that is deleted or has no leader hides no other value, and neither does a failed account request.
func TestSurveyAfterAFailure(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	if err := s.JS.DeleteStream(t.Context(), streams.StreamSessions); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.NewWithAPIPrefix(s.Connect(t), "PART.API")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.NC.Subscribe("PART.API.>", func(m *nats.Msg) {
		switch m.Subject = "$JS.API" + strings.TrimPrefix(m.Subject, "PART.API"); m.Subject {
		case "$JS.API.STREAM.INFO.RINGLINE_COMMANDS": // it has no leader
		case "$JS.API.INFO":
			_ = m.Respond([]byte(`{"error":{"code":503,"err_code":10076,"description":"not now"}}`))
		default:
			_ = s.NC.PublishMsg(m)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.NC.Flush(); err != nil {
		t.Fatal(err)
	}
	w := storage.New(js, zerolog.Nop(), nil)
	err = w.Survey(t.Context())
	for _, want := range []string{"inspect RINGLINE_COMMANDS", "inspect RINGLINE_SESSIONS", "ask for the account"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	l := w.Levels()
	var seen []string
	for _, x := range l.Streams {
		seen = append(seen, x.Stream)
	}
	want := slices.DeleteFunc(streams.StreamNames(), func(name string) bool { return name == streams.StreamCommands || name == streams.StreamSessions })
	if !slices.Equal(seen, want) || l.Account != nil || l.Missing == nil || len(l.Lost) != 2 {
		t.Errorf("seen are %v, want %v: %+v", seen, want, l)
	}
}

// A gap is reported until a repair records its end, or until the event log is recreated.
func TestGapIsReportedUntilRepaired(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	w := storage.New(s.JS, zerolog.Nop(), nil)
	missing := func(want uint64, when string) {
		t.Helper()
		if err := w.Survey(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l := w.Levels(); l.Missing == nil || *l.Missing != want {
			t.Errorf("%s: %+v, want %d missing", when, l, want)
		}
	}
	missing(0, "at first")
	w.LostTail(7)
	missing(7, "after a lost tail")
	if err := streams.NoteWhole(t.Context(), s.JS); err != nil {
		t.Fatal(err)
	}
	missing(0, "after a repair that found nothing")
	w.LostTail(8)
	missing(8, "after another")
	if err := s.JS.DeleteStream(t.Context(), streams.StreamEvents); err != nil {
		t.Fatal(err)
	}
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	missing(0, "with a log that is new")
}
