package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Backlog is what is left of a consumer's messages.
type Backlog struct{ Waiting, Unacknowledged uint64 }

// Backlog shows a consumer's backlog, which is read whenever somebody asks for the metrics. Read must soon give up, and
// says whether it knows.
func (m *Meter) Backlog(consumer string, read func() (Backlog, bool)) {
	if m == nil {
		return
	}
	desc := func(name string) *prometheus.Desc {
		d := declared(name)
		return prometheus.NewDesc(d.Name, d.Help, nil, prometheus.Labels{d.Labels[0].Name: consumer})
	}
	m.registry.MustRegister(&backlog{read: read, waiting: desc(backlogMessages), unacked: desc(backlogUnacked)})
}

type backlog struct {
	read             func() (Backlog, bool)
	waiting, unacked *prometheus.Desc
}

// Oldest shows the age of the oldest command that is not done. Read says whether it knows, and must soon give up.
func (m *Meter) Oldest(read func() (time.Duration, bool)) {
	if m != nil {
		m.registry.MustRegister(newSeconds(backlogOldest, read))
	}
}

// Describe is prometheus.Collector's.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.waiting
	ch <- b.unacked
}

// Collect is prometheus.Collector's.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	now, known := b.read()
	if !known {
		return
	}
	ch <- prometheus.MustNewConstMetric(b.waiting, prometheus.GaugeValue, float64(now.Waiting))
	ch <- prometheus.MustNewConstMetric(b.unacked, prometheus.GaugeValue, float64(now.Unacknowledged))
}
