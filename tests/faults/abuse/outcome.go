package abuse

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Phase is the measurement of the honest pairs in one step.
type Phase struct {
	Name  string
	Quiet bool
	Latencies
	Trips Latencies // round trips to NATS, which show how busy the machine was
}

// Row is the result of the attempts of one kind.
type Row struct {
	Kind   string
	Counts map[string]int
	Wrong  []string
}

// Outcome is the result of a run.
type Outcome struct {
	Rows   []Row
	Phases []Phase
	Failed map[string]int // failed honest calls, by reason

	Uncounted []string
}

// judge compares the outcomes with the allowed and the required ones.
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

// Quiet returns the latencies of the honest pairs in the phases without an attack.
func (o Outcome) Quiet() (l Latencies) {
	for _, p := range o.Phases {
		if p.Quiet {
			l = append(l, p.Latencies...)
		}
	}
	return l
}

// Limits of the p99 of honest pairs. A phase fails above both: gross times the quiet p99, and grossAtMost.
const (
	gross       = 10
	grossAtMost = 250 * time.Millisecond
)

// Err returns what failed, or nil.
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
