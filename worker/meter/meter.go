package meter

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Meter holds the metrics of a process.
type Meter struct {
	metrics

	registry *prometheus.Registry
	library  *prometheus.Registry // of the session library
}

// New makes a meter for a process of this version.
func New(version string) *Meter {
	d := declarations{registry: prometheus.NewRegistry()}
	d.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &Meter{metrics: d.declare(), registry: d.registry, library: prometheus.NewRegistry()}
	m.buildInfo.WithLabelValues(version).Set(1)
	return m
}

// Gatherer returns the gatherer of the metrics.
func (m *Meter) Gatherer() prometheus.Gatherer { return prometheus.Gatherers{m.registry, m.library} }

// Library returns the registry for the metrics of the session library. They are exported as the library declares them. They count
// what only the library sees, such as the WebSocket connections that it closes because of a malformed frame.
func (m *Meter) Library() *prometheus.Registry {
	if m == nil {
		return prometheus.NewRegistry()
	}
	return m.library
}
