package clock

import (
	"sync"
	"time"
)

// Local is the wall clock of this machine, with its monotonic reading.
func Local() time.Time { return time.Now() }

// Clock tells broker time. One that is nil is the local clock: tests need none.
type Clock struct {
	local func() time.Time
	base  time.Time // on the local clock

	mu    sync.Mutex
	known bool
	low   time.Duration // broker time is at least the local time and this
	high  time.Duration // and at most the local time and this
	at    time.Duration // since base, when the bounds were
}

// New makes a clock that knows nothing of broker time yet. It tells the local time until it has learnt something.
func New(local func() time.Time) *Clock { return &Clock{local: local, base: local()} }

// drift is how much faster or slower one clock may run than another: crystals some 0.0001, and NTP adds up to 0.0005.
func drift(over time.Duration) time.Duration { return over / 1000 }

// Now is broker time.
func (c *Clock) Now() time.Time {
	if c == nil {
		return Local()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	run := c.run()
	return c.at0(run).Add(c.offset(run))
}

// run is how long the clock has run, by the monotonic reading.
func (c *Clock) run() time.Duration { return c.local().Sub(c.base) }

// at0 is the local time after it has run so long, without any step of the wall clock since the start.
func (c *Clock) at0(run time.Duration) time.Time { return c.base.Add(run).Round(0).UTC() }

// offset is in the middle of the bounds.
func (c *Clock) offset(run time.Duration) time.Duration {
	low, high := c.bounds(run)
	return low + (high-low)/2
}

// bounds are what is left of them now.
func (c *Clock) bounds(run time.Duration) (low, high time.Duration) {
	d := drift(run - c.at)
	return c.low - d, c.high + d
}

// Heard is told the timestamp of a message that has come.
func (c *Clock) Heard(stamp time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return // an old message says nothing, and its age is not known yet
	}
	run := c.run()
	least := stamp.Sub(c.at0(run))
	low, high := c.bounds(run)
	switch {
	case least <= low:
	case least <= high:
		c.low, c.high, c.at = least, high, run
	default: // as far apart as before
		c.low, c.high, c.at = least, least+high-low, run
	}
}

// answered is told what the leader said its time was, between two local times.
func (c *Clock) answered(stamp time.Time, asked, heard time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	low, high := stamp.Sub(c.at0(heard)), stamp.Sub(c.at0(asked))
	if c.known {
		before, after := c.bounds(heard)
		if low <= after && before <= high {
			low, high = max(low, before), min(high, after)
		}
	}
	c.known, c.low, c.high, c.at = true, low, high, heard
}

// Known says whether the leader has told its time at least once.
func (c *Clock) Known() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// Skew is how far the local wall clock is ahead of broker time, negative where it is behind; false while that is not known.
func (c *Clock) Skew() (time.Duration, bool) {
	if c == nil || !c.Known() {
		return 0, false
	}
	return c.local().Round(0).Sub(c.Now()), true
}
