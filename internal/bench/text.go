package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/guptarohit/asciigraph"
)

// Text is a report for humans.
func Text(r *Report) string {
	var b strings.Builder
	o := r.Options
	_, _ = fmt.Fprintf(&b, "%s calls over %s, %d run(s) of %.3g s a phase, on %d cores (%s/%s, %s)\n\n",
		o.Mix, o.Over, len(r.Runs), o.Seconds, r.Machine.Cores, r.Machine.OS, r.Machine.Arch, r.Machine.Go)
	r.countedText(&b)
	r.phases(&b)
	r.plot(&b)
	if r.Ratio != nil {
		_, _ = fmt.Fprintf(&b, "\nidle ring p50 %.2f × floor, p99 %.2f × floor; calls a second %.2f × floor\n",
			r.Ratio.RingP50, r.Ratio.RingP99, r.Ratio.CallsPerSecond)
	}
	return b.String()
}

// countedText shows the census, which defines the floor.
func (r *Report) countedText(b *strings.Builder) {
	if len(r.Counted) == 0 {
		return
	}
	_, _ = fmt.Fprintln(b, "Messages of a command on the broker, as counted (in brackets: the floor).")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "  step\tplace\tmessages\tbytes\twaits")
	for _, step := range slices.Sorted(maps.Keys(r.Counted)) {
		name := step
		for _, place := range slices.Sorted(maps.Keys(r.Counted[step])) {
			x, y := r.Counted[step][place], r.FloorCounted[step][place]
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%d (%d)\t%d (%d)\t%d (%d)\n", name, place, x.Messages, y.Messages, x.Bytes, y.Bytes, x.Waits, y.Waits)
			name = ""
		}
	}
	_ = w.Flush() // a strings.Builder never fails
	_, _ = fmt.Fprintln(b)
}

// phases is the table of the medians over the runs.
func (r *Report) phases(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "  µs\tphase\tcalls/s\tring p50\tp90\tp99\tp99.9\tmax\tfailed")
	row := func(name, phase string, of func(Run) *Phase) {
		m := func(x func(*Phase) float64) float64 {
			return median(r.Runs, func(run Run) float64 { return x(of(run)) })
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\n", name, phase,
			m(func(p *Phase) float64 { return p.CallsPerSecond }), m(func(p *Phase) float64 { return float64(p.Ring.P50) }),
			m(func(p *Phase) float64 { return float64(p.Ring.P90) }), m(func(p *Phase) float64 { return float64(p.Ring.P99) }),
			m(func(p *Phase) float64 { return float64(p.Ring.P999) }), m(func(p *Phase) float64 { return float64(p.Ring.Max) }),
			m(func(p *Phase) float64 { return float64(p.Failed) }))
	}
	for _, phase := range []struct {
		name string
		of   func(Side) *Phase
	}{
		{"idle", func(s Side) *Phase { return s.Idle }},
		{"most", func(s Side) *Phase { return s.Most }},
		{"loaded", func(s Side) *Phase { return s.Loaded }},
	} {
		row("Ringline", phase.name, func(x Run) *Phase { return phase.of(x.Ringline) })
		if r.Floor != nil {
			row("floor", phase.name, func(x Run) *Phase { return phase.of(*x.Floor) })
		}
	}
	_ = w.Flush() // a strings.Builder never fails
}

// plot draws the quantiles of the idle ring times of the last run.
func (r *Report) plot(b *strings.Builder) {
	run := r.Runs[len(r.Runs)-1]
	sides := []Side{run.Ringline}
	names := []string{"Ringline"}
	if run.Floor != nil {
		sides, names = append(sides, *run.Floor), append(names, "floor (dots)")
	}
	lines := make([][]float64, len(sides))
	for i, s := range sides {
		if s.Idle.Ring == nil || s.Idle.Ring.h == nil {
			return
		}
		for q := 1; q < 100; q++ {
			lines[i] = append(lines[i], s.Idle.Ring.at(float64(q)))
		}
	}
	_, _ = fmt.Fprintf(b, "\n%s\n", asciigraph.PlotMany(lines, asciigraph.Height(10), asciigraph.Width(66), asciigraph.LowerBound(0),
		asciigraph.Precision(0), asciigraph.SeriesChars(asciigraph.DefaultCharSet, asciigraph.CreateCharSet("·")),
		asciigraph.Caption(strings.Join(names, " and ")+", idle, from an invitation to the callee's notification, µs, by quantile from 1 to 99 %")))
}

// ReadReport decodes a Report from JSON.
func ReadReport(data []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("bench: not a report: %w", err)
	}
	if len(r.Runs) == 0 {
		return nil, errors.New("bench: not a report: it has no runs")
	}
	for i, run := range r.Runs {
		if !run.Ringline.whole() || run.Floor != nil && !run.Floor.whole() || (run.Floor == nil) != (r.Runs[0].Floor == nil) {
			return nil, fmt.Errorf("bench: not a report: run %d lacks a phase, or its ring times", i+1)
		}
	}
	return &r, nil
}

// whole reports whether all phases and their ring times are present.
func (s Side) whole() bool {
	for _, p := range []*Phase{s.Idle, s.Most, s.Loaded} {
		if p == nil || p.Ring == nil {
			return false
		}
	}
	return true
}

// Compare shows two reports side by side.
func Compare(x, y *Report) string {
	var b strings.Builder
	if x.Options != y.Options || x.Machine != y.Machine {
		_, _ = fmt.Fprintf(&b, "Measured differently: only ratios to the floor can be compared.\n  A: %+v %+v\n  B: %+v %+v\n\n",
			x.Options, x.Machine, y.Options, y.Machine)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "  \tA\tB\tB/A\t")
	row := func(name, format string, one, other float64, note string) {
		_, _ = fmt.Fprintf(w, "  %s\t"+format+"\t"+format+"\t%.2f\t%s\n", name, one, other, other/one, note)
	}
	figures := func(name, format string, of func(Run) float64) {
		note := ""
		if len(x.Runs) > 1 && len(y.Runs) > 1 && overlap(x, y, of) {
			note = "within the spread of the runs"
		}
		row(name, format, median(x.Runs, of), median(y.Runs, of), note)
	}
	figures("idle ring p50, µs", "%.0f", func(r Run) float64 { return float64(r.Ringline.Idle.Ring.P50) })
	figures("idle ring p99, µs", "%.0f", func(r Run) float64 { return float64(r.Ringline.Idle.Ring.P99) })
	figures("loaded ring p99, µs", "%.0f", func(r Run) float64 { return float64(r.Ringline.Loaded.Ring.P99) })
	figures("calls a second", "%.0f", func(r Run) float64 { return r.Ringline.Most.CallsPerSecond })
	if x.Ratio != nil && y.Ratio != nil {
		figures("idle ring p50 × floor", "%.2f", func(r Run) float64 { return float64(r.Ringline.Idle.Ring.P50) / float64(r.Floor.Idle.Ring.P50) })
		figures("calls a second × floor", "%.2f", func(r Run) float64 { return r.Ringline.Most.CallsPerSecond / r.Floor.Most.CallsPerSecond })
	}
	_ = w.Flush() // a strings.Builder never fails
	return b.String()
}

// overlap reports whether the ranges of the runs of x and y overlap, so that their difference is not significant.
func overlap(x, y *Report, of func(Run) float64) bool {
	span := func(runs []Run) (least, most float64) {
		values := make([]float64, len(runs))
		for i, r := range runs {
			values[i] = of(r)
		}
		return slices.Min(values), slices.Max(values)
	}
	a, b := span(x.Runs)
	c, d := span(y.Runs)
	return a <= d && c <= b
}
