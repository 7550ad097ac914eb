// Package check checks the recorded history of a fault run against the guarantees of Ringline.
//
// Rules of the package:
//
//  1. It reads only the history, so a saved history can be checked again.
//  2. A violation is something that a correct Ringline can't do, whatever faults occurred. What a fault may
//     have lost is exempt, and counted.
//  3. Every check reports how much it examined. A check that examined nothing proves nothing.
//  4. The oracle for decisions is the worker/call built into this program. Defects are planted in the
//     processes under test, never here. The guarantees that matter most to users are also checked without
//     worker/call, from CONTRACT alone: parting, attempts, fences, event_log, frames, admissions, slowed.
//
// All times come from one clock: harness, brokers and workers run on the same machine.
package check

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/tests/faults/record"
)

// Bounds are the time limits of the checks.
type Bounds struct {
	Ends     time.Duration // for a call to end, after its deadline
	Handled  time.Duration // for a command to be handled, after it is stored
	Notified time.Duration // for the last notification of an event, after the event is stored
	Settle   time.Duration // for the effects of a fault to end, after its repair
	Search   time.Duration // for the search for an order that explains the answers about one call
}

// DefaultBounds returns wide bounds. A correct Ringline never exceeds them.
func DefaultBounds() Bounds {
	return Bounds{
		Ends: 20 * time.Second, Handled: 15 * time.Second, Notified: time.Minute, Settle: 5 * time.Second, Search: 10 * time.Second,
	}
}

// Report lists the violations, and how much was examined.
type Report struct {
	Violations []Violation `json:"violations"`
	Figures    []Figure    `json:"figures"`
}

// Violation is a broken guarantee. App and CallID are empty if it concerns no app or no call.
type Violation struct {
	Check  string `json:"check"`
	App    string `json:"app,omitempty"`
	CallID string `json:"call_id,omitempty"`
	Text   string `json:"text"`
}

// Figure reports how much a check examined.
type Figure struct {
	Check      string `json:"check"`
	Looked     int    `json:"looked"` // items compared with the rule
	Exempt     int    `json:"exempt"` // items that could not, or need not, be compared
	Violations int    `json:"violations"`
	Parts      []Part `json:"parts,omitempty"` // details
}

// Part is one figure of a check. If it is not a count, its name contains the unit.
type Part struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// rule is one check.
type rule struct {
	name string
	hold func(*run, *verdict)
}

// rules lists the checks in the order of the report.
func rules() []rule {
	return []rule{
		{"record", sound},
		{"history", history},
		{"linearizable", linearizable},
		{"lost", lost},
		{"winner", winner},
		{"claims", claims},
		{"two_calls", twoCalls},
		{"deadlines", deadlines},
		{"lines", lines},
		{"timers", timers},
		{"notified", notified},
		{"same_answer", sameAnswer},
		{"prompt", prompt},
		// Written from CONTRACT, independent of worker/call.
		{"parting", parting},
		{"attempts", attempts},
		{"fences", fences},
		{"event_log", eventLog},
		{"frames", frames},
		{"admissions", admissions},
		{"slowed", slowed},
	}
}

// Names lists the names of the checks.
func Names() []string {
	var names []string
	for _, x := range rules() {
		names = append(names, x.name)
	}
	return names
}

// Check runs every check on the history.
func Check(h *record.History, b Bounds) Report {
	r := read(h, b)
	rep := Report{Violations: []Violation{}, Figures: []Figure{}}
	for _, x := range rules() {
		v := &verdict{run: r, figure: Figure{Check: x.name}}
		x.hold(r, v)
		v.figure.Violations = len(v.found)
		rep.Violations = append(rep.Violations, v.found...)
		rep.Figures = append(rep.Figures, v.figure)
	}
	return rep
}

// verdict collects the results of one check.
type verdict struct {
	run    *run
	figure Figure
	found  []Violation
}

// fail adds a violation of a call.
func (v *verdict) fail(s *story, format string, args ...any) {
	v.failApp(s.app, s.call, format, args...)
}

func (v *verdict) failApp(app, callID, format string, args ...any) {
	v.found = append(v.found, Violation{Check: v.figure.Check, App: app, CallID: callID, Text: fmt.Sprintf(format, args...)})
}

// looked counts an item that was compared with the rule.
func (v *verdict) looked() { v.figure.Looked++ }

// exempt counts an item that was not compared, by reason.
func (v *verdict) exempt(why string) {
	v.figure.Exempt++
	v.count("exempt: "+why, 1)
}

// count adds to a part.
func (v *verdict) count(name string, by int) {
	i := slices.IndexFunc(v.figure.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		i, v.figure.Parts = len(v.figure.Parts), append(v.figure.Parts, Part{Name: name})
	}
	v.figure.Parts[i].Value += int64(by)
}

// spread adds the quantiles of samples, in milliseconds.
func (v *verdict) spread(name string, ns []int64) {
	slices.Sort(ns)
	v.count(name, len(ns))
	if len(ns) == 0 {
		return
	}
	at := func(percent int) int { return int(ns[(len(ns)-1)*percent/100] / int64(time.Millisecond)) }
	for _, p := range []struct {
		name    string
		percent int
	}{{"p50", 50}, {"p99", 99}, {"max", 100}} {
		v.count(fmt.Sprintf("%s, %s ms", name, p.name), at(p.percent))
	}
}

// take adds the results of another verdict.
func (v *verdict) take(o *verdict) {
	v.figure.Looked += o.figure.Looked
	v.figure.Exempt += o.figure.Exempt
	for _, p := range o.figure.Parts {
		v.count(p.Name, int(p.Value))
	}
	v.found = append(v.found, o.found...)
}
