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

// orderly is how far apart times may be that come in the wrong order. Beyond that the broker's clock was set back.
const orderly = 10 * time.Second

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
	case b.at.Sub(now) < orderly:
		return
	}
	b.at = now
}

// hasOne says whether the bucket holds one more. It must be filled.
func (b *bucket) hasOne() bool { return b.left >= 1 }

// spares says whether the bucket holds what an invitation takes, and the reserve besides. What is more than it can hold needs all
// of it.
func (b *bucket) spares(s speed, cost float64) bool {
	keep := s.burst * reserve
	return b.left >= min(cost, s.burst-keep)+keep
}

// take takes so much, and may leave a debt; less than 0 is given back.
func (b *bucket) take(at time.Time, s speed, cost float64) {
	b.fill(at, s)
	b.left = min(s.burst, b.left-cost)
}
