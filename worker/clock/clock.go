package clock

import (
	"sync"
	"time"
)

// Local returns the wall clock of this machine, with its monotonic reading.
func Local() time.Time { return time.Now() }

// Clock estimates broker time. A nil *Clock is the local clock, so tests need none.
type Clock struct {
	local func() time.Time
	base  time.Time // the local time at the start

	mu    sync.Mutex
	known bool
	low   time.Duration // lower bound of broker time minus local time
	high  time.Duration // upper bound of broker time minus local time
	at    time.Duration // when the bounds were set, since base
}

// New returns a clock without any bounds on broker time. It returns the local time until the leader has answered.
func New(local func() time.Time) *Clock { return &Clock{local: local, base: local()} }

// drift is how far two clocks may diverge over that time. Crystals differ by about 0.0001, and NTP adds up to 0.0005.
func drift(over time.Duration) time.Duration { return over / 1000 }

// Now returns broker time.
func (c *Clock) Now() time.Time {
	if c == nil {
		return Local()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	run := c.run()
	return c.at0(run).Add(c.offset(run))
}

// run is the time since the start, by the monotonic reading.
func (c *Clock) run() time.Duration { return c.local().Sub(c.base) }

// at0 is the local time at that run time, without any step of the wall clock since the start.
func (c *Clock) at0(run time.Duration) time.Time { return c.base.Add(run).Round(0).UTC() }

// offset is the middle of the bounds.
func (c *Clock) offset(run time.Duration) time.Duration {
	low, high := c.bounds(run)
	return low + (high-low)/2
}

// bounds returns the bounds at that run time. They have widened by the drift since they were set.
func (c *Clock) bounds(run time.Duration) (low, high time.Duration) {
	d := drift(run - c.at)
	return c.low - d, c.high + d
}

// Observe records the timestamp of a received message.
func (c *Clock) Observe(stamp time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return // the message may be old, so its timestamp says nothing yet
	}
	run := c.run()
	least := stamp.Sub(c.at0(run))
	low, high := c.bounds(run)
	switch {
	case least <= low:
	case least <= high:
		c.low, c.high, c.at = least, high, run
	default: // the bounds keep their distance
		c.low, c.high, c.at = least, least+high-low, run
	}
}

// answered records the leader's time, read between two local times.
func (c *Clock) answered(stamp time.Time, asked, received time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	low, high := stamp.Sub(c.at0(received)), stamp.Sub(c.at0(asked))
	if c.known {
		before, after := c.bounds(received)
		if low <= after && before <= high {
			low, high = max(low, before), min(high, after)
		}
	}
	c.known, c.low, c.high, c.at = true, low, high, received
}

// Known reports whether the leader has answered at least once.
func (c *Clock) Known() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// Skew returns how far the local wall clock is ahead of broker time. It is negative if the local clock is behind. It
// returns false while broker time is unknown.
func (c *Clock) Skew() (time.Duration, bool) {
	if c == nil || !c.Known() {
		return 0, false
	}
	return c.local().Round(0).Sub(c.Now()), true
}
