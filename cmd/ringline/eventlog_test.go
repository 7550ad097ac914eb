package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/streams"
)

// logWorld is a server whose stream RINGLINE_CALLS can be reset to an older state.
type logWorld struct {
	*natsServer

	t     *testing.T
	js    jetstream.JetStream
	wrote int
	there map[string]bool // the bodies that RINGLINE_CALLS should contain
}

func newLogWorld(t *testing.T) *logWorld {
	t.Helper()
	w := &logWorld{natsServer: newNATS(t).start(t).setUp(t), t: t, there: map[string]bool{}}
	_, w.js = w.connect(t)
	return w
}

// write writes n transitions.
func (w *logWorld) write(n int) {
	w.t.Helper()
	for range n {
		w.wrote++
		body := fmt.Sprintf(`{"n":%d}`, w.wrote)
		if _, err := w.js.Publish(w.t.Context(), fmt.Sprintf("ringline.demo.call.c%d", w.wrote), []byte(body)); err != nil {
			w.t.Fatal(err)
		}
		w.there[body] = true
	}
}

// copied waits until the log has n messages.
func (w *logWorld) copied(n uint64) {
	w.t.Helper()
	poll(w.t, fmt.Sprintf("%d events", n), func() bool {
		st, err := w.js.Stream(w.t.Context(), streams.StreamEvents)
		return err == nil && st.CachedInfo().State.Msgs == n
	})
}

// loseTail writes n transitions, waits until they are copied, and restores RINGLINE_CALLS without them.
func (w *logWorld) loseTail(n int, events uint64) {
	w.t.Helper()
	w.stop()
	dir := filepath.Join(w.options.StoreDir, "jetstream", "$G", "streams", streams.StreamCalls)
	kept := filepath.Join(w.t.TempDir(), "kept")
	if err := os.CopyFS(kept, os.DirFS(dir)); err != nil {
		w.t.Fatal(err)
	}
	w.again()
	before := w.wrote
	w.write(n)
	for i := before + 1; i <= w.wrote; i++ {
		delete(w.there, fmt.Sprintf(`{"n":%d}`, i))
	}
	w.copied(events)
	w.stop()
	if err := os.RemoveAll(dir); err != nil {
		w.t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(kept)); err != nil {
		w.t.Fatal(err)
	}
	w.again()
}

func (w *logWorld) again() {
	w.t.Helper()
	w.start(w.t)
	_, w.js = w.connect(w.t)
}

// events counts each body in the log.
func (w *logWorld) events() map[string]int {
	w.t.Helper()
	st, err := w.js.Stream(w.t.Context(), streams.StreamEvents)
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]int{}
	for seq := st.CachedInfo().State.FirstSeq; seq <= st.CachedInfo().State.LastSeq; seq++ {
		m, err := st.GetMsg(w.t.Context(), seq)
		if err != nil {
			w.t.Fatal(err)
		}
		found[string(m.Data)]++
	}
	return found
}

// whole checks that the log has every transition, and that the given number of them is there twice.
func (w *logWorld) whole(twice int) {
	w.t.Helper()
	poll(w.t, "every transition in the log", func() bool {
		found := w.events()
		for body := range w.there {
			if found[body] == 0 {
				return false
			}
		}
		return true
	})
	for body, n := range w.events() {
		if n > 1 {
			twice--
		}
		if n > 2 {
			w.t.Errorf("%s is there %d times", body, n)
		}
	}
	if twice != 0 {
		w.t.Errorf("%d too few come twice", twice)
	}
}

// If RINGLINE_CALLS loses its newest messages, the server treats as many later messages as already copied. setup finds
// the gap and repairs it with one command, repeatedly.
func TestRepairEvents(t *testing.T) {
	t.Parallel()
	w := newLogWorld(t)
	w.write(40)
	w.loseTail(30, 70)
	w.write(10)
	r := w.ringline(t, nil, "setup", "--check")
	if r.code != exitFailed || !strings.Contains(r.stderr, "lacks 10 transitions, and 20 of those to come: RINGLINE_CALLS lost its newest messages") {
		t.Errorf("--check: %+v", r)
	}
	r = w.ringline(t, nil, "setup", "--check", "--repair-events")
	if r.code != exitFailed || !strings.Contains(r.stderr, "RINGLINE_EVENTS lacks 10 transitions, and 20 of those to come") {
		t.Errorf("--check --repair-events: %+v", r)
	}
	if r = w.ringline(t, nil, "setup"); r.code != 0 || !strings.Contains(r.stdout, "\nRINGLINE_EVENTS lacks 10 transitions") {
		t.Errorf("setup: %+v", r)
	}
	c := w.startWorker(t, "coordinator").running(t)
	missing := func(want float64) {
		t.Helper()
		poll(t, fmt.Sprintf("%v missing events in the metrics", want), func() bool {
			return c.scrape(t)["ringline_event_log_missing_messages"] == want
		}, &c.stderr)
	}
	missing(20)
	if n := len(w.events()); n != 70 {
		t.Errorf("%d events before the repair: a check copied some, or the server none too few", n)
	}
	if r = w.ringline(t, nil, "setup", "--repair-events"); r.code != 0 || !strings.Contains(r.stdout, "copied again from sequence 41") {
		t.Fatalf("--repair-events: %+v", r)
	}
	w.write(30)
	w.whole(0)
	missing(0)
	c.end(syscall.SIGTERM) // keeps it from reconnecting during a restart of the server
	if r = w.ringline(t, nil, "setup", "--check"); r.code != 0 {
		t.Errorf("--check after the repair: %+v", r)
	}
	if r = w.ringline(t, nil, "setup", "--repair-events"); r.code != 0 || !strings.Contains(r.stdout, "has every transition") {
		t.Errorf("--repair-events of a complete log: %+v", r)
	}

	w.copied(110)
	w.loseTail(30, 140) // again, found later this time
	w.write(40)
	w.copied(150)
	if r = w.ringline(t, nil, "setup", "--repair-events"); r.code != 0 || !strings.Contains(r.stdout, "lacks 30 transitions, and 0 of those to come; copied again from sequence") {
		t.Fatalf("--repair-events after a while: %+v", r)
	}
	w.whole(10)
	if r = w.ringline(t, nil, "setup"); r.code != 0 || strings.Contains(r.stdout, "changed") {
		t.Errorf("setup undoes the repair: %+v", r)
	}
	w.write(10)
	w.whole(10)
}

// setup reports a log that was restored next to an empty RINGLINE_CALLS. The repair works even if the limits do not
// fit.
func TestRepairAfterRestore(t *testing.T) {
	t.Parallel()
	w := newLogWorld(t)
	w.write(40)
	w.copied(40)
	if err := w.js.DeleteStream(t.Context(), streams.StreamCalls); err != nil {
		t.Fatal(err)
	}
	r := w.ringline(t, nil, "setup")
	const found = "RINGLINE_EVENTS lacks 0 transitions, and 40 of those to come: RINGLINE_CALLS lost its newest messages, or was recreated"
	if r.code != 0 || !strings.Contains(r.stdout, found+"; `ringline setup --repair-events` copies them") {
		t.Errorf("setup: %+v", r)
	}
	tooMuch := []string{"RINGLINE_EVENTS_MAX_BYTES=1TiB"}
	w.allow(t, 32<<30)
	if r = w.ringline(t, tooMuch, "setup", "--repair-events"); r.code != 0 || !strings.Contains(r.stdout, found+"; copied again from sequence 1") {
		t.Fatalf("--repair-events: %+v", r)
	}
	w.write(10)
	w.copied(50)
}

// A repair returns an error if the server copies nothing, for example because it cannot read the source.
func TestRepairDoesNotHang(t *testing.T) {
	t.Parallel()
	w := newLogWorld(t)
	w.write(10)
	w.copied(10)
	if err := w.js.DeleteStream(t.Context(), streams.StreamCalls); err != nil {
		t.Fatal(err)
	}
	if r := w.ringline(t, nil, "setup"); r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	w.write(5)
	change(t, w.js, streams.StreamEvents, func(c *jetstream.StreamConfig) { c.Discard, c.MaxMsgs = jetstream.DiscardNew, 10 })
	r := w.ringline(t, nil, "setup", "--repair-events", "--wait", "1s")
	if r.code != exitFailed || !strings.Contains(r.stderr, "the server has copied nothing for 1s, 0 transitions in all") {
		t.Errorf("--repair-events: %+v", r)
	}
}
