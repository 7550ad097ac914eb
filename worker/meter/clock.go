package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Skew shows how far the clock of this machine is ahead of broker time. Read says whether it knows.
func (m *Meter) Skew(read func() (time.Duration, bool)) {
	if m != nil {
		d := declared(clockSkew)
		m.registry.MustRegister(&skew{read, prometheus.NewDesc(d.Name, d.Help, nil, nil)})
	}
}

type skew struct {
	read func() (time.Duration, bool)
	desc *prometheus.Desc
}

// Describe is prometheus.Collector's.
func (s *skew) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc }

// Collect is prometheus.Collector's.
func (s *skew) Collect(ch chan<- prometheus.Metric) {
	if ahead, known := s.read(); known {
		ch <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, ahead.Seconds())
	}
}
