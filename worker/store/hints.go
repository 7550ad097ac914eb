package store

import (
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/nats-io/nats.go"
)

// hints are the lines as this process last wrote them. A write succeeds only with the current revision of the line. So a
// right hint saves a read, and a wrong hint costs one failed write and does no harm (ADR 0012).
//
// A hint is valid on one connection only: a server that restarts may have lost its last writes, and assigned their revisions
// to others.
type hints struct {
	nc    *nats.Conn
	lines *lru.Cache[string, hint]
	track *track
}

// track scores recent guesses. A wrong guess costs a write, and a right one saves a read. While most guesses are wrong, lines
// are read, with a guess now and then. That happens where many coordinators share users who call again and again.
type track struct{ score, asked atomic.Int32 }

const (
	bestScore  = 16 // the score goes up with each right guess and down with each wrong one, between -bestScore and bestScore
	nowAndThen = 32 // while the score is negative, one of so many claims guesses
)

// pays reports whether to guess.
func (t *track) pays() bool { return t.score.Load() >= 0 || t.asked.Add(1)%nowAndThen == 0 }

func (t *track) went(right bool) {
	if right {
		t.score.Store(min(t.score.Load()+1, bestScore))
	} else {
		t.score.Store(max(t.score.Load()-1, -bestScore))
	}
}

type hint struct {
	Line

	at         time.Time
	reconnects uint64 // number of reconnects at that time
}

// mostHints limits the memory of the hints to some 20 MB.
const mostHints = 1 << 16

// The delete marker of a released line expires after markerTTL. The server then writes a marker of its own, which expires after
// the same time. Only after that has the subject no message, and the expected revision is 0.
const (
	markerTTL = 60 * time.Second
	forgotten = 2*markerTTL + 5*time.Second // with a margin: the server looks for expired messages about once a second
)

func newHints(nc *nats.Conn) hints {
	lines, err := lru.New[string, hint](mostHints)
	if err != nil {
		panic(err) // only if the size is not above 0
	}
	h := hints{nc, lines, &track{}}
	h.track.score.Store(bestScore)
	return h
}

// left stores a line as this process wrote it.
func (h hints) left(key string, l Line) {
	if len(l.Entries) == 0 {
		l.Entries = nil
	}
	h.lines.Add(key, hint{l, time.Now(), h.nc.Stats().Reconnects})
}

// forget removes a wrong hint.
func (h hints) forget(key string) { h.lines.Remove(key) }

// holds reports whether the hint is from the current connection.
func (h hints) holds(x hint) bool { return x.reconnects == h.nc.Stats().Reconnects }

// recall returns the line as this process last wrote it, if a valid hint exists.
func (h hints) recall(key string) (Line, bool) {
	x, ok := h.lines.Get(key)
	return x.Line, ok && h.holds(x)
}

// guess returns the revision that the line most likely has if it is empty. It returns false if the line is most likely not
// empty, or if the revision is unknown.
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

// empty returns the revision of the line, some time after this process wrote it, if the line was empty then and its revision
// is known.
func (l Line) empty(after time.Duration) (revision uint64, ok bool) {
	switch {
	case len(l.Entries) > 0:
		return 0, false
	case after < markerTTL:
		return l.revision, true
	default:
		return 0, after > forgotten
	}
}
