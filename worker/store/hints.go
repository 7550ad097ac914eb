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

// The marker of a line that was released goes after this time, and the server puts one of its own in its place for as long
// again; only after that the line is as if it had never been.
const (
	markerTTL = 60 * time.Second
	forgotten = 2*markerTTL + 5*time.Second // the server looks for what is too old every second or so
)

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

// recall gives how this process left the line, if it did.
func (h hints) recall(key string) (line, bool) {
	x, ok := h.lines.Get(key)
	return x.line, ok
}

// guess gives the revision by which the line is most likely empty; false where it most likely is not, or nobody can say.
func (h hints) guess(key string) (revision uint64, ok bool) {
	x, known := h.lines.Get(key)
	switch age := time.Since(x.at); {
	case !known:
		return 0, true
	case len(x.entries) > 0:
		return 0, false
	case age < markerTTL:
		return x.revision, true
	default:
		return 0, age > forgotten
	}
}
