package meter

import "github.com/prometheus/client_golang/prometheus"

// declarations registers metrics and lists them.
type declarations struct {
	registry *prometheus.Registry
	list     []Metric
}

func (d *declarations) counter(m Metric) *prometheus.CounterVec {
	m.Kind = Counter
	return register(d, m, prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.labels()))
}

func (d *declarations) histogram(m Metric) *prometheus.HistogramVec {
	m.Kind = Histogram
	return register(d, m, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: m.Buckets}, m.labels()))
}

func (d *declarations) gauge(m Metric) *prometheus.GaugeVec {
	m.Kind = Gauge
	return register(d, m, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, m.labels()))
}

// scraped declares a gauge that a collector registers later.
func (d *declarations) scraped(m Metric) Metric {
	m.Kind = Gauge
	d.list = append(d.list, m)
	return m
}

func register[C prometheus.Collector](d *declarations, m Metric, c C) C {
	d.list = append(d.list, m)
	d.registry.MustRegister(c)
	return c
}
