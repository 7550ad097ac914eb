package storage_test

import (
	"testing"

	"github.com/rs/zerolog"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/natstest"
	"ringline.io/ringline/worker/storage"
)

// What the event log deletes before its reader has read it is counted, and of a reader that never read nothing.
func TestLostEventsAreCounted(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	small := worker.DefaultSettings()
	small.MaxBytes.Events = 64 << 10
	if err := worker.Setup(t.Context(), s.JS, small); err != nil {
		t.Fatal(err)
	}
	log, err := s.JS.Stream(t.Context(), worker.StreamEvents)
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
		l, known := w.Levels()
		if !known || len(l.Streams) != len(worker.StreamNames()) {
			t.Fatalf("%+v, known: %v", l, known)
		}
		return l
	}
	write(100)
	if l := levels(); l.Lost[worker.StreamEvents] != 0 {
		t.Errorf("%v lost to a consumer that was never read", l.Lost)
	}
	reader, err := s.JS.Consumer(t.Context(), worker.StreamEvents, worker.ConsumerAnalytics)
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
	if l := levels(); l.Lost[worker.StreamEvents] != 0 {
		t.Errorf("%v lost to a consumer that reads", l.Lost)
	}
	first := write(100)
	l := levels()
	if want := first - 1 - acked; l.Lost[worker.StreamEvents] != want || want == 0 {
		t.Errorf("%v lost, want %d: acknowledged up to %d, and the log begins at %d", l.Lost, want, acked, first)
	}
	for _, x := range l.Streams {
		if x.Stream == worker.StreamEvents && (x.Limit != 64<<10 || x.Bytes == 0 || x.Bytes > x.Limit || x.Messages == 0) {
			t.Errorf("%+v", x)
		}
	}
}
