package abuse

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Phase is what was measured of the honest pairs while something went on.
type Phase struct {
	Name  string
	Quiet bool
	Latencies
	Trips Latencies // to NATS and back: how busy the machine was
}

// Row is what became of the attempts of one kind.
type Row struct {
	Kind   string
	Counts map[string]int
	Wrong  []string
}

// Outcome is what came of it.
type Outcome struct {
	Rows   []Row
	Phases []Phase
	Failed map[string]int // honest calls, by why

	Uncounted []string
}

// judge says what should not have been.
func (k kind) judge(counts map[string]int) Row {
	r := Row{Kind: k.name, Counts: counts}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(k.may, what) && !slices.Contains(k.must, what) {
			r.Wrong = append(r.Wrong, fmt.Sprintf("%d times: %s", counts[what], what))
		}
	}
	for _, what := range k.must {
		if counts[what] == 0 {
			r.Wrong = append(r.Wrong, "never: "+what)
		}
	}
	return r
}

// Quiet is what honest pairs waited while nobody misbehaved, before and after.
func (o Outcome) Quiet() (l Latencies) {
	for _, p := range o.Phases {
		if p.Quiet {
			l = append(l, p.Latencies...)
		}
	}
	return l
}

// How much longer an honest pair may wait while others misbehave, and how long in any case.
const (
	gross       = 10
	grossAtMost = 250 * time.Millisecond
)

// Err says what was wrong.
func (o Outcome) Err() error {
	var errs []error
	for _, r := range o.Rows {
		for _, w := range r.Wrong {
			errs = append(errs, fmt.Errorf("%s: %s", r.Kind, w))
		}
	}
	for _, what := range o.Uncounted {
		errs = append(errs, errors.New(what))
	}
	for what, n := range o.Failed {
		errs = append(errs, fmt.Errorf("honest calls failed %d times: %s", n, what))
	}
	quiet := o.Quiet().At(0.99)
	for _, p := range o.Phases {
		if p99 := p.At(0.99); len(p.Latencies) == 0 || p99 > gross*quiet && p99 > grossAtMost {
			errs = append(errs, fmt.Errorf("%s: honest pairs waited %v at p99 of %d", p.Name, p99, len(p.Latencies)))
		}
	}
	return errors.Join(errs...)
}
