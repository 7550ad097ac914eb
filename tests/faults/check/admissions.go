package check

import (
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/tests/faults/record"
)

// storeFaults lists the faults that fill a store, so that a coordinator may report it as full.
func storeFaults() []string {
	return []string{"store-full", "commands-full", "lines-full", "timers-full", "disk-full"}
}

// looksLate is the maximum delay until a coordinator notices that a store has room again.
const looksLate = 5 * time.Second

// maySayFull reports whether a coordinator may refuse with exhausted at some time in this interval: while a store is full, and
// until all coordinators have looked again. A coordinator that is paused or cut off when the store gets room looks once it is back.
func (r *run) maySayFull(from, to int64) bool {
	return slices.ContainsFunc(r.Faults, func(f record.Fault) bool {
		return slices.Contains(storeFaults(), f.Kind) && f.From <= to && from <= r.looked(f.To)
	})
}

// looked returns when all coordinators have looked again after this time.
func (r *run) looked(at int64) int64 {
	back := at
	for _, f := range r.Faults {
		if strings.HasPrefix(f.Target, "coordinator-") && f.From <= at+int64(looksLate) && f.To > back {
			back = f.To
		}
	}
	return back + int64(looksLate)
}

// admissions checks that exhausted refuses only invite and add, and only while a store is full. Other
// commands for existing calls must not be refused. It is written from CONTRACT, section 8. The apps of a run
// are unlimited and no fault floods, so no answer may be rate_limited.
func admissions(r *run, v *verdict) {
	for _, m := range r.messages {
		for _, a := range m.said() {
			v.looked()
			switch a.outcome() {
			case "exhausted":
				v.count("exhausted", 1)
				exhausted(r, v, m, a)
			case "rate_limited":
				v.failApp(m.App, m.CallID, "%s was %s, but its app is unlimited", r.describeSent(m), r.describeAnswer(a))
			}
		}
	}
}

func exhausted(r *run, v *verdict, m *message, a *answer) {
	if !m.invites() {
		v.failApp(m.App, m.CallID, "%s was %s; an existing call continues when stores are full", r.describeSent(m), r.describeAnswer(a))
	} else if !r.maySayFull(m.At, a.at) {
		v.failApp(m.App, m.CallID, "%s was %s, but no store was full", r.describeSent(m), r.describeAnswer(a))
	}
}
