package presence

import (
	"testing"
	"time"
)

// An answer that is read after the last beat of an edge does not bring that edge back: the next questions would wait for it.
func TestStoppedEdgeIsNotAwaited(t *testing.T) {
	t.Parallel()
	p := newPeers()
	p.hear(beat{Edge: "b"}, 0)
	p.hear(beat{Edge: "b", Stopping: true}, time.Second)
	p.answered("b", 2*time.Second)
	if list := p.silent(nil); len(list) != 0 {
		t.Errorf("a question waits for %v", list)
	}
	p.lost(time.Minute, 20*time.Second)
	if len(p.stopped) != 0 {
		t.Errorf("it remembers %v for ever", p.stopped)
	}
	p.hear(beat{Edge: "c", Stopping: true}, time.Minute)
	p.hear(beat{Edge: "c"}, time.Minute)
	p.answered("c", time.Minute)
	if list := p.silent(nil); len(list) != 1 {
		t.Errorf("after a restart with the same id a question waits for %v", list)
	}
}
