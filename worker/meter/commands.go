package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringline.io/ringline/events"
)

// Commands counts the outcomes of commands.
type Commands struct {
	outcomes  map[events.Verb]map[string]prometheus.Counter
	seconds   map[events.Verb]*Times
	rejected  map[events.Verb]prometheus.Counter
	steps     map[Step]*Times
	conflicts prometheus.Counter
}

// Commands returns the counters of a coordinator.
func (m *Meter) Commands() *Commands {
	if m == nil {
		return nil
	}
	c := &Commands{
		outcomes: map[events.Verb]map[string]prometheus.Counter{}, seconds: map[events.Verb]*Times{},
		rejected: map[events.Verb]prometheus.Counter{}, steps: map[Step]*Times{},
		conflicts: m.conflicts.WithLabelValues(),
	}
	for _, v := range verbs() {
		c.outcomes[v] = map[string]prometheus.Counter{}
		for _, o := range outcomes() {
			c.outcomes[v][o] = m.commands.WithLabelValues(string(v), o)
		}
		c.seconds[v] = &Times{m.commandSeconds.WithLabelValues(string(v))}
		c.rejected[v] = m.rejected.WithLabelValues(string(v))
	}
	for _, s := range Steps() {
		c.steps[s] = &Times{m.stepSeconds.WithLabelValues(string(s))}
	}
	return c
}

// OK counts a command that was carried out, that long after it was stored.
func (c *Commands) OK(v events.Verb, took time.Duration) { c.done(v, outcomeOK, took) }

// Refused counts a command that was refused with this code.
func (c *Commands) Refused(v events.Verb, code events.Code, took time.Duration) {
	c.done(v, string(code), took)
}

// Rejected counts a malformed command.
func (c *Commands) Rejected(v events.Verb, took time.Duration) {
	if c != nil {
		c.rejected[verbOf(v)].Inc()
	}
	c.done(v, outcomeRejected, took)
}

func (c *Commands) done(v events.Verb, outcome string, took time.Duration) {
	if c == nil {
		return
	}
	v = verbOf(v)
	count, known := c.outcomes[v][outcome]
	if !known {
		count = c.outcomes[v][string(events.CodeInternal)]
	}
	count.Inc()
	c.seconds[v].Took(took)
}

// Step records a step that took that long. A conflict is only counted.
func (c *Commands) Step(s Step, took time.Duration) {
	switch {
	case c == nil:
	case s == StepConflicted:
		c.conflicts.Inc()
	default:
		c.steps[s].Took(took)
	}
}
