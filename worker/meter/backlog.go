package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Backlog counts the messages of a consumer that are waiting or not acked.
type Backlog struct{ Waiting, Unacknowledged uint64 }

// Backlog exports a consumer's backlog. Each scrape calls read, which must return soon and reports whether it knows the
// values.
func (m *Meter) Backlog(consumer string, read func() (Backlog, bool)) {
	if m == nil {
		return
	}
	desc := func(of Metric) *prometheus.Desc {
		return prometheus.NewDesc(of.Name, of.Help, nil, prometheus.Labels{of.Labels[0].Name: consumer})
	}
	m.registry.MustRegister(&backlog{read: read, waiting: desc(m.backlogMessages), unacked: desc(m.backlogUnacked)})
}

type backlog struct {
	read             func() (Backlog, bool)
	waiting, unacked *prometheus.Desc
}

// Oldest exports the age of the oldest command that is not done. Each scrape calls read, which must return soon and
// reports whether it knows the value.
func (m *Meter) Oldest(read func() (time.Duration, bool)) {
	if m != nil {
		m.registry.MustRegister(newSeconds(m.backlogOldest, read))
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.waiting
	ch <- b.unacked
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	now, known := b.read()
	if !known {
		return
	}
	ch <- prometheus.MustNewConstMetric(b.waiting, prometheus.GaugeValue, float64(now.Waiting))
	ch <- prometheus.MustNewConstMetric(b.unacked, prometheus.GaugeValue, float64(now.Unacknowledged))
}
