package storage

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/health"
)

// A level that hovers at the mark degrades the process, until it is well below.
func TestHoveringLevelIsShown(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	h := health.New(func() time.Time { return at })
	w := New(nil, zerolog.Nop(), h.Degrades(health.Storage))
	for _, x := range []struct {
		levels [2]int64 // by turns, one a second
		shown  int
	}{
		{[2]int64{79, 79}, 0}, {[2]int64{80, 79}, 1}, {[2]int64{78, 79}, 1}, {[2]int64{77, 76}, 0}, {[2]int64{78, 79}, 0},
	} {
		for i := range 2 * int(health.Hold/time.Second) {
			at = at.Add(time.Second)
			w.levels[worker.StreamCalls] = level{bytes: x.levels[i%2], maxBytes: 100}
			w.tell()
		}
		if got := h.State().Degraded; len(got) != x.shown {
			t.Errorf("after levels of %v %%: %v", x.levels, got)
		}
	}
}
