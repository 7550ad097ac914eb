package health

import "time"

// Condition is something that a process needs, or that degrades it.
type Condition struct {
	of     *Health
	name   Name
	needed bool
	hold   time.Duration
	first  chan struct{} // closed by the first OK, if the condition is needed
	looks  bool          // sampled: the state is known only at a report

	works bool // as in the latest report
	since time.Time
	why   string // the reason of the latest failure
	shown bool   // whether the shown state is OK
}

// Sampled marks a condition whose reports are periodic samples. A state holds as long as every sample finds it, and a
// single bad sample is never shown.
func (c *Condition) Sampled() *Condition {
	if c == nil {
		return nil
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.looks = true
	return c
}

// OK reports that the condition is OK.
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

// Fail reports that the condition fails, and why.
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

// settle shows a state that has held for long enough.
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
