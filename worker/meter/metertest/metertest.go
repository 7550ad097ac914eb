// Package metertest reads the values of a meter in tests.
package metertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/worker/meter"
)

// Values returns every series of Ringline that is not 0, in the notation of Prometheus, such as
// ringline_commands_total{outcome="ok",verb="invite"}. For a histogram it returns the count, with _count after the
// name.
func Values(tb testing.TB, m *meter.Meter) map[string]float64 {
	tb.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		tb.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "ringline_") {
			continue
		}
		for _, x := range f.GetMetric() {
			var labels []string
			for _, l := range x.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name, value := f.GetName(), x.GetCounter().GetValue()+x.GetGauge().GetValue()
			if h := x.GetHistogram(); h != nil {
				name, value = name+"_count", float64(h.GetSampleCount())
			}
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			if value != 0 {
				values[name] = value
			}
		}
	}
	return values
}

// Closes returns how many WebSocket connections the edge closed, by close code, as its session library counts them.
func Closes(tb testing.TB, m *meter.Meter) map[string]float64 {
	tb.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		tb.Fatal(err)
	}
	closes := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "centrifuge_transport_outgoing_close_count" {
			continue
		}
		for _, x := range f.GetMetric() {
			for _, l := range x.GetLabel() {
				if l.GetName() == "code" {
					closes[l.GetValue()] += x.GetCounter().GetValue()
				}
			}
		}
	}
	return closes
}

// Check compares the values with want, for the metrics of these names. Without names it compares all metrics.
func Check(tb testing.TB, m *meter.Meter, want map[string]float64, names ...string) {
	tb.Helper()
	for _, d := range Differences(tb, m, want, names...) {
		tb.Error(d)
	}
}

// Eventually is Check for values that change only after a test has seen the effect, such as an answer. It waits until
// there is no difference.
func Eventually(tb testing.TB, m *meter.Meter, want map[string]float64, names ...string) {
	tb.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if len(Differences(tb, m, want, names...)) == 0 {
			return
		}
	}
	Check(tb, m, want, names...)
}

// Differences lists the differences that Check reports.
func Differences(tb testing.TB, m *meter.Meter, want map[string]float64, names ...string) (list []string) {
	tb.Helper()
	got := Values(tb, m)
	about := func(series string) bool {
		name, _, _ := strings.Cut(series, "{")
		return len(names) == 0 || slices.Contains(names, strings.TrimSuffix(name, "_count"))
	}
	for series, v := range want {
		if got[series] != v {
			list = append(list, fmt.Sprintf("%s is %v, want %v", series, got[series], v))
		}
	}
	for series, v := range got {
		if _, wanted := want[series]; !wanted && about(series) {
			list = append(list, fmt.Sprintf("%s is %v, and should not be there", series, v))
		}
	}
	return list
}
