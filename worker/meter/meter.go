package meter

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Meter holds the metrics of a process.
type Meter struct {
	metrics

	registry *prometheus.Registry
}

// New makes a meter for a process of this version.
func New(version string) *Meter {
	d := declarations{registry: prometheus.NewRegistry()}
	d.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &Meter{metrics: d.declare(), registry: d.registry}
	m.buildInfo.WithLabelValues(version).Set(1)
	return m
}

// Gatherer returns the gatherer of the metrics.
func (m *Meter) Gatherer() prometheus.Gatherer { return m.registry }

// Apart returns a registry that is never read, for a library that needs one. Its metrics are not part of Ringline's.
func Apart() *prometheus.Registry { return prometheus.NewRegistry() }
