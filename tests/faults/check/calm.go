package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/record"
)

// span is a closed time interval.
type span struct{ from, to int64 }

func (x span) meets(from, to int64) bool { return x.from <= to && x.to >= from }

// readTimes reads the gaps of the watchers and the intervals of the faults. Each fault lasts until the Settle
// bound after its repair.
func (r *run) readTimes() {
	r.gaps = make([][]span, r.Run.Watchers)
	for _, g := range r.Gaps {
		if g.Watcher >= 0 && g.Watcher < len(r.gaps) {
			r.gaps[g.Watcher] = append(r.gaps[g.Watcher], span{g.From, g.To})
		}
	}
	for _, f := range r.Faults {
		r.faults = append(r.faults, span{f.From, f.To + int64(r.bounds.Settle)})
	}
	slices.SortFunc(r.faults, func(a, b span) int { return cmp.Compare(a.from, b.from) })
}

// missed reports whether the watcher may have missed a notification in this interval.
func (r *run) missed(watcher int, from, to int64) bool {
	return slices.ContainsFunc(r.gaps[watcher], func(g span) bool { return g.meets(from, to) })
}

// calm reports whether no fault, including its settle time, was active in this interval.
func (r *run) calm(from, to int64) bool {
	return !slices.ContainsFunc(r.faults, func(f span) bool { return f.meets(from, to) })
}

// due returns the deadline of work that takes at most takes. It counts from begun, or from the repair of the
// last fault if a fault was active meanwhile.
func (r *run) due(begun int64, takes time.Duration) int64 {
	if r.calm(begun, begun+int64(takes)) {
		return begun + int64(takes)
	}
	return max(begun, r.Run.Healed) + int64(takes)
}

// quiet returns the beginning of the first interval of this length, at or after from, without faults.
func (r *run) quiet(from int64, length time.Duration) int64 {
	for _, f := range r.faults {
		if f.meets(from, from+int64(length)) {
			from = f.to + 1
		}
	}
	return from
}

// broken describes the faults that were active in this interval.
func (r *run) broken(from, to int64) string {
	var list []string
	for _, f := range r.Faults {
		if f.From <= to && f.To+int64(r.bounds.Settle) >= from {
			list = append(list, r.describeFault(f))
		}
	}
	const most = 4
	switch {
	case len(list) == 0:
		return "nothing was broken then"
	case len(list) > most:
		list = append(list[:most], fmt.Sprintf("%d more", len(list)-most))
	}
	return "broken around then: " + strings.Join(list, "; ")
}

func (r *run) describeFault(f record.Fault) string {
	return fmt.Sprintf("%s of %s from %s to %s", f.Kind, f.Target, r.when(f.From), r.when(f.To))
}
