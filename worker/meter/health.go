package meter

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"ringline.io/ringline/worker/health"
)

// Health exports the health of a process at each scrape.
func (m *Meter) Health(h *health.Health) {
	if m == nil {
		return
	}
	m.registry.MustRegister(&healthGauges{of: h, ready: m.readyState.desc(), failing: m.notReadyFor.desc(), degraded: m.degradedBy.desc()})
}

type healthGauges struct {
	of                       *health.Health
	ready, failing, degraded *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *healthGauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- g.ready
	ch <- g.failing
	ch <- g.degraded
}

// Collect implements prometheus.Collector.
func (g *healthGauges) Collect(ch chan<- prometheus.Metric) {
	s := g.of.State()
	ch <- prometheus.MustNewConstMetric(g.ready, prometheus.GaugeValue, number(s.Ready()))
	for _, name := range health.Names() {
		about := func(r health.Reason) bool { return r.Name == name }
		ch <- prometheus.MustNewConstMetric(g.failing, prometheus.GaugeValue, number(slices.ContainsFunc(s.Failing, about)), string(name))
		ch <- prometheus.MustNewConstMetric(g.degraded, prometheus.GaugeValue, number(slices.ContainsFunc(s.Degraded, about)), string(name))
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// SetUp sets the problem of a stream, bucket or consumer. An empty problem means that there is none.
func (m *Meter) SetUp(part string, is Problem) {
	if m == nil || !slices.Contains(Parts(), part) {
		return
	}
	for _, p := range Problems() {
		m.setupProblem.WithLabelValues(part, string(p)).Set(number(p == is))
	}
}
