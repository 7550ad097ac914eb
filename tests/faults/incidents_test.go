//go:build linux

package main

import (
	"testing"
	"time"
)

// Requests may be lost for 15 s after a coordinator stopped. A loss before the stop does not count.
func TestLateRequestLossFails(t *testing.T) {
	stopped := time.Now()
	a := &asking{}
	for _, after := range []time.Duration{-time.Minute, 0, lostFor, time.Minute} {
		a.sent = append(a.sent, stopped.Add(after))
	}
	a.lost = []time.Time{stopped.Add(-time.Minute), stopped.Add(lostFor)}
	if l := a.since(stopped); l != (losses{sent: 3, lost: 1, last: lostFor}) || l.tooLate() != nil {
		t.Errorf("%+v, %v", l, l.tooLate())
	}
	a.lost = append(a.lost, stopped.Add(lostFor+time.Millisecond))
	if l := a.since(stopped); l.tooLate() == nil {
		t.Errorf("%+v is no error", l)
	}
}
