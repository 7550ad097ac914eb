package streams_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// logWorld is a server with RINGLINE_CALLS and the event log.
type logWorld struct {
	*testing.T
	*natstest.Server

	wrote int
}

func newLogWorld(t *testing.T) *logWorld {
	t.Helper()
	t.Parallel()
	return &logWorld{T: t, Server: natstest.Start(t)}
}

func (w *logWorld) write(n int) {
	w.Helper()
	for range n {
		w.wrote++
		if _, err := w.JS.PublishAsync(fmt.Sprintf("ringline.demo.call.c%d", w.wrote), fmt.Appendf(nil, `{"n":%d}`, w.wrote)); err != nil {
			w.Fatal(err)
		}
	}
	<-w.JS.PublishAsyncComplete()
}

func (w *logWorld) stream(name string) jetstream.Stream {
	w.Helper()
	st, err := w.JS.Stream(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	return st
}

// logged waits until the log has n messages.
func (w *logWorld) logged(n uint64) {
	w.Helper()
	w.until(fmt.Sprintf("%d events", n), func() bool { return w.stream(streams.StreamEvents).CachedInfo().State.Msgs == n })
}

func (w *logWorld) until(what string, so func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("no %s", what)
		}
	}
}

// recreate deletes a stream and runs setup.
func (w *logWorld) recreate(stream string) {
	w.Helper()
	if err := w.JS.DeleteStream(w.Context(), stream); err != nil {
		w.Fatal(err)
	}
	if err := streams.Setup(w.Context(), w.JS, streams.DefaultSettings()); err != nil {
		w.Fatal(err)
	}
}

// dropOldest purges the log up to the given sequence, as its age or size limit would.
func (w *logWorld) dropOldest(first uint64) {
	w.Helper()
	if err := w.stream(streams.StreamEvents).Purge(w.Context(), jetstream.WithPurgeSequence(first)); err != nil {
		w.Fatal(err)
	}
}

func (w *logWorld) compare(want streams.Gap) {
	w.Helper()
	if g, err := streams.CompareEvents(w.Context(), w.JS); err != nil || g != want {
		w.Fatalf("found %+v, %v, want %+v", g, err, want)
	}
	g, all, err := streams.CompareNewestEvents(w.Context(), w.JS, 1000)
	if err != nil || g != want || !all {
		w.Fatalf("of the newest 1000, all of them %v, found %+v, %v, want %+v", all, g, err, want)
	}
}

// A recreated RINGLINE_CALLS assigns sequences far below those of the remaining copies.
func TestRepairAfterCallsWereDeleted(t *testing.T) {
	w := newLogWorld(t)
	w.write(40)
	w.logged(40)
	w.dropOldest(21)
	w.recreate(streams.StreamCalls)
	w.compare(streams.Gap{Coming: 40, From: 1})
	w.write(10)
	gap := streams.Gap{Missing: 10, Coming: 30, From: 1}
	w.compare(gap)
	if err := streams.RepairEvents(t.Context(), w.JS, gap, time.Minute); err != nil {
		t.Fatal(err)
	}
	w.write(5)
	w.logged(20 + 15)
	w.compare(streams.Gap{})
	w.dropOldest(52) // this sequence is in the second half of the copies
	w.compare(streams.Gap{})
}

// A repair of a new, empty RINGLINE_CALLS leaves no future gap.
func TestRepairOfFutureTransitions(t *testing.T) {
	w := newLogWorld(t)
	w.write(40)
	w.logged(40)
	w.recreate(streams.StreamCalls)
	gap := streams.Gap{Coming: 40, From: 1}
	w.compare(gap)
	if err := streams.RepairEvents(t.Context(), w.JS, gap, time.Minute); err != nil {
		t.Fatal(err)
	}
	w.compare(streams.Gap{})
	if err := streams.NoteWhole(t.Context(), w.JS); err != nil {
		t.Fatal(err)
	}
	w.compare(streams.Gap{})
	w.write(5)
	w.logged(45)
	w.compare(streams.Gap{})
}

// Events that the log has dropped by its limits are not missing. A newer event that it lacks is.
func TestCompareRemainingTransitions(t *testing.T) {
	w := newLogWorld(t)
	w.write(40)
	w.logged(40)
	w.dropOldest(21)
	w.compare(streams.Gap{})
	if err := w.stream(streams.StreamEvents).DeleteMsg(t.Context(), 31); err != nil {
		t.Fatal(err)
	}
	w.compare(streams.Gap{Missing: 1, From: 31})
	for most, want := range map[uint64]streams.Gap{5: {}, 10: {}, 15: {Missing: 1, From: 31}, 30: {Missing: 1, From: 31}} {
		g, all, err := streams.CompareNewestEvents(t.Context(), w.JS, most)
		if err != nil || g != want || all != (most == 30) {
			t.Errorf("of the newest %d, all of them %v, found %+v, %v, want %+v", most, all, g, err, want)
		}
	}
}

// A read that times out on a slow broker is an error, not the end of the log. Otherwise a repair would copy all unread
// transitions again.
func TestCompareOnASlowBroker(t *testing.T) {
	w := newLogWorld(t)
	w.write(1500)
	w.logged(1500)
	nc := w.Connect(t)
	js, err := jetstream.NewWithAPIPrefix(nc, "SLOW.API")
	if err != nil {
		t.Fatal(err)
	}
	var reads atomic.Int32
	slow := atomic.Bool{}
	slow.Store(true)
	_, err = w.NC.Subscribe("SLOW.API.>", func(m *nats.Msg) {
		if strings.Contains(m.Subject, ".CONSUMER.MSG.NEXT.RINGLINE_EVENTS.") && reads.Add(1) > 1 && slow.Load() {
			return
		}
		m.Subject = "$JS.API" + strings.TrimPrefix(m.Subject, "SLOW.API")
		_ = w.NC.PublishMsg(m)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.NC.Flush(); err != nil {
		t.Fatal(err)
	}
	if g, err := streams.CompareEvents(t.Context(), js); err == nil {
		t.Errorf("found %+v of unread messages", g)
	} else if !strings.Contains(err.Error(), "read RINGLINE_EVENTS: ") {
		t.Error(err)
	}
	slow.Store(false)
	if g, err := streams.CompareEvents(t.Context(), js); err != nil || g != (streams.Gap{}) {
		t.Errorf("found %+v, %v", g, err)
	}
}
