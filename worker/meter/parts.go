package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Consumer counts the messages of one consumer.
type Consumer struct {
	redeliveries prometheus.Counter
	naks         map[Reason]prometheus.Counter
}

// Consumer returns the counters of a consumer.
func (m *Meter) Consumer(name string) *Consumer {
	if m == nil {
		return nil
	}
	c := &Consumer{redeliveries: m.redeliveries.WithLabelValues(name), naks: map[Reason]prometheus.Counter{}}
	for _, r := range Reasons() {
		c.naks[r] = m.naks.WithLabelValues(name, string(r))
	}
	return c
}

// Delivered counts a message that was delivered for the nth time.
func (c *Consumer) Delivered(n uint64) {
	if c != nil && n > 1 {
		c.redeliveries.Inc()
	}
}

// Nak counts a message that is nak'ed with a delay, or abandoned (LeaseLost).
func (c *Consumer) Nak(why Reason) {
	if c == nil {
		return
	}
	if count, known := c.naks[why]; known {
		count.Inc()
		return
	}
	c.naks[Defect].Inc() // a handler without a reason
}

// Count is a counter.
type Count struct{ counter prometheus.Counter }

// Inc adds one.
func (c *Count) Inc() {
	if c != nil {
		c.counter.Inc()
	}
}

func countOf(of *prometheus.CounterVec, values ...string) *Count {
	return &Count{of.WithLabelValues(values...)}
}

// Malformed counts the malformed entries that are ignored at this place.
func (m *Meter) Malformed(where Place) *Count {
	if m == nil {
		return nil
	}
	return countOf(m.malformed, string(where))
}

// Takeovers counts stale claims in flight whose call a worker moved on, so that the claim can no longer be committed.
func (m *Meter) Takeovers() *Count {
	if m == nil {
		return nil
	}
	return countOf(m.takeovers)
}

// Overdue counts the deadlines that the sweep finds.
func (m *Meter) Overdue() *Count {
	if m == nil {
		return nil
	}
	return countOf(m.overdue)
}

// Times is a histogram of durations.
type Times struct{ seconds prometheus.Observer }

// Lateness measures how long after their deadlines expire commands are stored.
func (m *Meter) Lateness() *Times {
	if m == nil {
		return nil
	}
	return &Times{m.latenessSeconds.WithLabelValues()}
}

// Took records a duration. A negative one counts as 0, because the clocks of NATS and of this machine may differ.
func (t *Times) Took(d time.Duration) {
	if t != nil {
		t.seconds.Observe(max(0, d.Seconds()))
	}
}

// Log returns the logger of a component. It counts the errors that are logged with it.
func (m *Meter) Log(log zerolog.Logger, c Component) zerolog.Logger {
	log = log.With().Str("component", string(c)).Logger()
	if m == nil {
		return log
	}
	errors := countOf(m.errors, string(c))
	return log.Hook(zerolog.HookFunc(func(_ *zerolog.Event, level zerolog.Level, _ string) {
		if level >= zerolog.ErrorLevel && level < zerolog.NoLevel {
			errors.Inc()
		}
	}))
}
