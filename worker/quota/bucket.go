package quota

import "time"

// speed is how fast a bucket fills, and how much it holds.
type speed struct{ perSecond, burst float64 }

// reserve is the part of a bucket that invitations and adds must leave.
const reserve = 0.2

// bucket is a token bucket that may be in debt: what a command has stored is known only after it was let in.
type bucket struct {
	left  float64
	burst float64   // what it holds at most, as of at
	at    time.Time // when left was true; zero: the bucket is full
}

// fill brings the bucket to this moment. If the size has changed, as with a setting, the bucket stays as full as it was: an
// app whose setting is raised does not wait until a much larger bucket holds the reserve.
func (b *bucket) fill(now time.Time, s speed) {
	if b.left > 0 && b.burst > 0 && b.burst != s.burst {
		b.left *= s.burst / b.burst
	}
	b.burst = s.burst
	switch {
	case b.at.IsZero():
		b.left = s.burst
	case now.After(b.at):
		b.left = min(s.burst, b.left+s.perSecond*now.Sub(b.at).Seconds())
	default:
		return
	}
	b.at = now
}

// has says whether the bucket holds one more, and for an invitation the reserve besides. It must be filled.
func (b *bucket) has(s speed, invites bool) bool {
	if invites {
		return b.left >= 1+s.burst*reserve
	}
	return b.left >= 1
}
