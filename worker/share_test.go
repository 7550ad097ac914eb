package worker

import (
	"testing"
	"time"
)

// fill adds n messages of a share.
func fill(t *turns, share string, n int, now time.Time) {
	for range n {
		t.arrived(share, now)
		t.add(&inFlightMsg{share: share}, now)
	}
}

// begin takes all messages that may start now.
func begin(t *turns, now time.Time) (begun []*inFlightMsg) {
	for msg := t.next(now); msg != nil; msg = t.next(now) {
		begun = append(begun, msg)
	}
	return begun
}

// One share may use all handlers only if the other shares have had no work for presentFor.
func TestHandlersOfAShare(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	ts := newTurns(8, 128)
	fill(&ts, "busy", 20, now)
	if n := len(begin(&ts, now)); n != 20 {
		t.Errorf("alone it has %d handlers, want as many as it has messages", n)
	}
	ts = newTurns(8, 128)
	fill(&ts, "quiet", 1, now)
	quiet := begin(&ts, now)
	fill(&ts, "busy", 20, now)
	busy := begin(&ts, now)
	if len(busy) != 7 {
		t.Errorf("while the other has work it has %d handlers, want 7", len(busy))
	}
	ts.done(quiet[0], now)
	now = now.Add(presentFor - 1)
	if ts.done(busy[0], now); len(begin(&ts, now)) != 1 {
		t.Error("shortly after the other's work it has not the handlers that it had")
	}
	now = now.Add(1)
	if ts.done(busy[1], now); len(begin(&ts, now)) != 12 {
		t.Error("long after the other's work it has not all handlers")
	}
	fill(&ts, "quiet", 1, now)
	ts.done(busy[2], now)
	if begun := begin(&ts, now); len(begun) != 1 || begun[0].share != "quiet" {
		t.Errorf("%d messages have a turn when the other is back, want that of the other", len(begun))
	}
}
