package presence

import "time"

// The drop guard.
const (
	guardAhead   = 10 * time.Second // how far it looks ahead
	guardPercent = 20               // of the watched devices
	guardLeast   = 10               // fewer devices are never held
	guardMost    = 10 * time.Minute // how long drops are held
)

// guard holds drops while too many devices would be dropped at once.
type guard struct {
	holding bool
	since   time.Duration
}

// holds decides whether drops are held. due devices may be dropped within guardAhead, and inCall devices have a session.
func (g *guard) holds(now time.Duration, due, inCall int) bool {
	tooMany := due >= guardLeast && due*100 > guardPercent*(due+inCall)
	if tooMany && !g.holding {
		g.since = now
	}
	g.holding = tooMany
	return tooMany && now-g.since < guardMost
}
