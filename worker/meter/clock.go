package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Skew shows how far the clock of this machine is ahead of broker time. Read says whether it knows.
func (m *Meter) Skew(read func() (time.Duration, bool)) {
	if m != nil {
		m.registry.MustRegister(newSeconds(clockSkew, read))
	}
}

// seconds is a gauge that is read when it is asked for.
type seconds struct {
	read func() (time.Duration, bool)
	desc *prometheus.Desc
}

func newSeconds(name string, read func() (time.Duration, bool)) *seconds {
	d := declared(name)
	return &seconds{read, prometheus.NewDesc(d.Name, d.Help, nil, nil)}
}

// Describe is prometheus.Collector's.
func (s *seconds) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc }

// Collect is prometheus.Collector's.
func (s *seconds) Collect(ch chan<- prometheus.Metric) {
	if now, known := s.read(); known {
		ch <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, now.Seconds())
	}
}
