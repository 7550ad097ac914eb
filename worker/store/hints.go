package store

import (
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// hints are lines as this process has left them. A write goes through only where the line still is as its writer takes it to
// be, so a hint that is wrong costs a write that fails and harms nothing; one that is right saves a read.
type hints struct {
	lines *lru.Cache[string, hint]
	track *track
}

// track is how guesses went of late. One that is wrong costs a write, one that is right saves a read: as long as they are mostly
// wrong, as where many coordinators share users who call again and again, lines are read, and only now and then guessed.
type track struct{ score, asked atomic.Int32 }

// The score goes up with each guess that was right and down with each that was not, within these bounds.
const (
	bestScore  = 16
	nowAndThen = 32
)

// pays says whether to guess.
func (t *track) pays() bool { return t.score.Load() >= 0 || t.asked.Add(1)%nowAndThen == 0 }

func (t *track) went(right bool) {
	if right {
		t.score.Store(min(t.score.Load()+1, bestScore))
	} else {
		t.score.Store(max(t.score.Load()-1, -bestScore))
	}
}

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
	h := hints{lines, &track{}}
	h.track.score.Store(bestScore)
	return h
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
