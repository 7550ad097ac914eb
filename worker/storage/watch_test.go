package storage

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/streams"
)

// A level around the mark keeps the process degraded, until it is well below the mark.
func TestLevelAroundTheThresholdIsShown(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	h := health.New(func() time.Time { return at })
	w := New(nil, zerolog.Nop(), h.Degrades(health.Storage))
	for _, x := range []struct {
		levels [2]int64 // alternating, one per second
		shown  int
	}{
		{[2]int64{79, 79}, 0}, {[2]int64{80, 79}, 1}, {[2]int64{78, 79}, 1}, {[2]int64{77, 76}, 0}, {[2]int64{78, 79}, 0},
	} {
		for i := range 2 * int(health.Hold/time.Second) {
			at = at.Add(time.Second)
			w.levels[streams.StreamCalls] = level{bytes: x.levels[i%2], maxBytes: 100}
			w.logChange()
		}
		if got := h.State().Degraded; len(got) != x.shown {
			t.Errorf("after levels of %v %%: %v", x.levels, got)
		}
	}
}
