package store

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// hints are lines as this process has left them. A write goes through only where the line still is as its writer takes it to
// be, so a hint that is wrong costs a write that fails and harms nothing; one that is right saves a read.
type hints struct{ lines *lru.Cache[string, hint] }

type hint struct {
	line

	at time.Time
}

// mostHints bounds the memory that they take, some 10 MB.
const mostHints = 1 << 16

// markerTTL is how long the marker of a line that was released stays; without it the line is as if it had never been.
const markerTTL = 60 * time.Second

func newHints() hints {
	lines, err := lru.New[string, hint](mostHints)
	if err != nil {
		panic(err) // the size is not above 0
	}
	return hints{lines}
}

// left notes how a line was left.
func (h hints) left(key string, l line) { h.lines.Add(key, hint{l, time.Now()}) }

// forget drops a hint that was wrong.
func (h hints) forget(key string) { h.lines.Remove(key) }

// recall gives how the line was left, if this process left it.
func (h hints) recall(key string) (line, bool) {
	x, ok := h.lines.Get(key)
	if !ok || len(x.entries) == 0 && time.Since(x.at) > markerTTL {
		return line{}, false
	}
	return x.line, true
}
