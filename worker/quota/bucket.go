package quota

import "time"

// speed is how fast a bucket fills, and its capacity.
type speed struct{ perSecond, burst float64 }

// reserve is the part of a bucket that invitations and adds must leave.
const reserve = 0.2

// bucket is a token bucket that may go into debt, because the bytes that a command stores are known only after its admission.
type bucket struct {
	left  float64
	burst float64   // capacity, as of at
	at    time.Time // when left was updated; zero: the bucket is full
}

// orderly is how far back a time may lie that arrives out of order. If it is earlier, the broker's clock was set back.
const orderly = 10 * time.Second

// fill updates the bucket to the time now. If the capacity has changed, for example by a setting, the bucket keeps its fill
// ratio. Otherwise an app with a raised setting would wait until the much larger bucket holds the reserve.
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

// hasOne reports whether the bucket holds at least one token. Call fill first.
func (b *bucket) hasOne() bool { return b.left >= 1 }

// spares reports whether the bucket holds the cost of an invitation plus the reserve. A cost above the capacity without the
// reserve needs a full bucket.
func (b *bucket) spares(s speed, cost float64) bool {
	keep := s.burst * reserve
	return b.left >= min(cost, s.burst-keep)+keep
}

// take takes cost tokens and may leave a debt. A negative cost gives tokens back.
func (b *bucket) take(at time.Time, s speed, cost float64) {
	b.fill(at, s)
	b.left = min(s.burst, b.left-cost)
}
