package storage_test

import (
	"fmt"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

// TestSizing measures how much a call takes of each stream, for the table in docs/operations.md. Run it with:
//
//	go test -run Sizing -v ./worker/storage
func TestSizing(t *testing.T) {
	const calls = 100
	w := newWorld(t, func(*streams.Sizes) {})
	var before [4]float64
	names := [4]string{streams.StreamCalls, streams.StreamTimers, streams.BucketLines, streams.StreamEvents}
	took := func(what string) (per [4]float64) {
		t.Helper()
		w.copied()
		for i, name := range names {
			now := float64(w.state(name).Bytes)
			per[i] = (now - before[i]) / calls
			before[i] = now
		}
		t.Logf("%-40s RINGLINE_CALLS %.0f, RINGLINE_TIMERS %.0f, RINGLINE_LINES %.0f, RINGLINE_EVENTS %.0f bytes a call",
			what, per[0], per[1], per[2], per[3])
		return per
	}
	each := func(do func(callID string) events.Answer) {
		t.Helper()
		for i := range calls {
			w.ok(do(fmt.Sprintf("0123456789abcdef0123456789-%04d", i)))
		}
	}
	each(func(c string) events.Answer { return w.invite(c, 600, "") })
	ringing := took("invited")
	each(func(c string) events.Answer { return w.ask(c, events.VerbRing, "bob", events.Command{}) })
	took("and rings")
	each(func(c string) events.Answer { return w.ask(c, events.VerbAccept, "bob", events.Command{}) })
	took("and is accepted")
	each(func(c string) events.Answer { return w.ask(c, events.VerbLeave, "bob", events.Command{}) })
	left := took("and is left")
	for i := range left {
		left[i] = before[i] / calls
	}
	t.Logf("in all: %.0f", left)
	if ringing[1] > 1024 || ringing[0] > 2048 || left[0] > 8192 || left[1]*streams.CallsPerTimers > left[0] {
		t.Errorf("more than docs/operations.md says: ringing %v, left %v", ringing, left)
	}
}

// copied waits until the event log has every transition.
func (w *world) copied() {
	w.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		if w.state(streams.StreamEvents).Msgs == w.state(streams.StreamCalls).Msgs {
			return
		}
		if time.Now().After(deadline) {
			w.Fatal("the event log lags")
		}
	}
}
