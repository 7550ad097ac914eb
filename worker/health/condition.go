package health

import "time"

// Condition is one thing that a process needs, or that degrades it.
type Condition struct {
	of     *Health
	name   Name
	needed bool
	hold   time.Duration
	first  chan struct{} // of what is needed: closed by the first OK
	looks  bool          // it is known only when it is reported

	works bool // as reported last
	since time.Time
	why   string // it does not, or did not when it failed last
	shown bool   // that it works
}

// Sampled says that reports come from looks with time between them: a state holds as long as each look finds it again, and one
// bad look is never shown.
func (c *Condition) Sampled() *Condition {
	if c == nil {
		return nil
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.looks = true
	return c
}

// OK reports that all is well.
func (c *Condition) OK() {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.report(true)
	if c.needed && !c.begun() {
		c.shown = true
		close(c.first)
	}
}

// Fail reports that it is not, and why.
func (c *Condition) Fail(why string) {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.report(false)
	c.why = why
}

func (c *Condition) report(works bool) {
	now := c.of.now()
	if !c.looks || c.works == works {
		c.settle(now)
	}
	if c.works != works {
		c.works, c.since = works, now
	}
}

// settle shows what has held for long enough.
func (c *Condition) settle(now time.Time) {
	hold := Hold
	if !c.works {
		hold = c.hold
	}
	if c.works != c.shown && now.Sub(c.since) >= hold {
		c.shown = c.works
	}
}

func (c *Condition) begun() bool {
	select {
	case <-c.first:
		return true
	default:
		return false
	}
}
