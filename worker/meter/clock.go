package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Skew exports how far the clock of this machine is ahead of broker time. Read reports whether it knows the value.
func (m *Meter) Skew(read func() (time.Duration, bool)) {
	if m != nil {
		m.registry.MustRegister(newSeconds(m.clockSkew, read))
	}
}

// seconds is a gauge that is read at each scrape.
type seconds struct {
	read func() (time.Duration, bool)
	desc *prometheus.Desc
}

func newSeconds(of Metric, read func() (time.Duration, bool)) *seconds {
	return &seconds{read, of.desc()}
}

// Describe implements prometheus.Collector.
func (s *seconds) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc }

// Collect implements prometheus.Collector.
func (s *seconds) Collect(ch chan<- prometheus.Metric) {
	if now, known := s.read(); known {
		ch <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, now.Seconds())
	}
}
