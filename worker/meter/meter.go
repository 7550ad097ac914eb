package meter

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Meter holds the metrics of a process.
type Meter struct {
	registry   *prometheus.Registry
	counters   map[string]*prometheus.CounterVec
	histograms map[string]*prometheus.HistogramVec
	gauges     map[string]*prometheus.GaugeVec
}

// New makes a meter for a process of this version.
func New(version string) *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),
		counters: map[string]*prometheus.CounterVec{}, histograms: map[string]*prometheus.HistogramVec{},
		gauges: map[string]*prometheus.GaugeVec{},
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), built(version))
	for _, d := range Metrics() {
		switch d.Kind {
		case Counter:
			m.counters[d.Name] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.labels())
			m.registry.MustRegister(m.counters[d.Name])
		case Histogram:
			m.histograms[d.Name] = prometheus.NewHistogramVec(
				prometheus.HistogramOpts{Name: d.Name, Help: d.Help, Buckets: d.Buckets}, d.labels())
			m.registry.MustRegister(m.histograms[d.Name])
		case Gauge: // most gauges are made by their collectors
			if d.Name == sessionsOpen || d.Name == setupProblem {
				m.gauges[d.Name] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.labels())
				m.registry.MustRegister(m.gauges[d.Name])
			}
		}
	}
	return m
}

func built(version string) prometheus.Collector {
	d := declared(buildInfo)
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.labels())
	g.WithLabelValues(version).Set(1)
	return g
}

// Gatherer returns the gatherer of the metrics.
func (m *Meter) Gatherer() prometheus.Gatherer { return m.registry }

func (m *Meter) counter(name string, values ...string) prometheus.Counter {
	return m.counters[name].WithLabelValues(values...)
}

func (m *Meter) gauge(name string, values ...string) prometheus.Gauge {
	return m.gauges[name].WithLabelValues(values...)
}

func (m *Meter) histogram(name string, values ...string) prometheus.Observer {
	return m.histograms[name].WithLabelValues(values...)
}

// Apart returns a registry that is never read, for a library that needs one. Its metrics are not part of Ringline's.
func Apart() *prometheus.Registry { return prometheus.NewRegistry() }
