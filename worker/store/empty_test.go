package store

import (
	"testing"
	"time"

	"ringline.io/ringline/events"
)

// The delete marker of a released line stays for 60 s, and then a marker of the server's for another 60 s. The revision of the
// second one is unknown.
func TestRevisionOfAnEmptiedLine(t *testing.T) {
	const unknownRevision = 1 << 32
	for _, x := range []struct {
		after time.Duration
		want  uint64
	}{{0, 7}, {59 * time.Second, 7}, {61 * time.Second, unknownRevision}, {121 * time.Second, unknownRevision}, {126 * time.Second, 0}, {time.Hour, 0}} {
		got, ok := Line{revision: 7}.empty(x.after)
		if ok != (x.want != unknownRevision) || ok && got != x.want {
			t.Errorf("after %v it expects %d, %v", x.after, got, ok)
		}
		if got, ok := (Line{revision: 7, Entries: []events.Entry{{CallID: "c1"}}}).empty(x.after); ok {
			t.Errorf("a line that holds a call is empty after %v, at %d", x.after, got)
		}
	}
}
