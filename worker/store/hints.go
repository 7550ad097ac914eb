package store

import (
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/nats-io/nats.go"
)

// hints are lines as this process has left them. A write goes through only where the line still is as its writer takes it to
// be, so a hint that is wrong costs a write that fails and harms nothing; one that is right saves a read.
//
// It holds on one connection only: a broker that comes back may have lost its last writes, and given their revisions to others.
type hints struct {
	nc    *nats.Conn
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

	at         time.Time
	reconnects uint64 // of the connection, by then
}

// mostHints bounds the memory that they take, some 20 MB.
const mostHints = 1 << 16

// The marker of a line that was released goes after this time, and the server puts one of its own in its place for as long
// again; only after that the line is as if it had never been.
const (
	markerTTL = 60 * time.Second
	forgotten = 2*markerTTL + 5*time.Second // the server looks for what is too old every second or so
)

func newHints(nc *nats.Conn) hints {
	lines, err := lru.New[string, hint](mostHints)
	if err != nil {
		panic(err) // the size is not above 0
	}
	h := hints{nc, lines, &track{}}
	h.track.score.Store(bestScore)
	return h
}

// left notes how a line was left.
func (h hints) left(key string, l line) {
	if len(l.entries) == 0 {
		l.entries = nil
	}
	h.lines.Add(key, hint{l, time.Now(), h.nc.Stats().Reconnects})
}

// forget drops a hint that was wrong.
func (h hints) forget(key string) { h.lines.Remove(key) }

// holds says whether nobody can have given its revision to others.
func (h hints) holds(x hint) bool { return x.reconnects == h.nc.Stats().Reconnects }

// recall gives how this process left the line, if it did.
func (h hints) recall(key string) (line, bool) {
	x, ok := h.lines.Get(key)
	return x.line, ok && h.holds(x)
}

// guess gives the revision by which the line is most likely empty; false where it most likely is not, or nobody can say.
func (h hints) guess(key string) (revision uint64, ok bool) {
	switch x, known := h.lines.Get(key); {
	case !known:
		return 0, true
	case !h.holds(x):
		return 0, false
	default:
		return x.empty(time.Since(x.at))
	}
}

// empty gives the revision by which a line that was left like this is empty after a while.
func (l line) empty(after time.Duration) (revision uint64, ok bool) {
	switch {
	case len(l.entries) > 0:
		return 0, false
	case after < markerTTL:
		return l.revision, true
	default:
		return 0, after > forgotten
	}
}
