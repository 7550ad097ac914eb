// Package check holds the record of a run of the fault harness against what Ringline promises.
//
// What it promises:
//
//  1. It reads the record and nothing else, so a record that was kept can be checked again.
//  2. A violation is something that a right Ringline can't have done, whatever was broken meanwhile. What may have been
//     lost to a fault is exempt, and counted.
//  3. Every check says how much it looked at. One that looked at nothing proves nothing.
//  4. What worker/call decides is taken from worker/call as it was built into this program. Defects are planted in the
//     processes that are checked, never here. What matters most to a user is checked by hand besides, from CONTRACT and
//     not from worker/call: parting, attempts, fences, event_log, frames, admissions,
//     slowed.
//
// One clock is supposed: that of the machine on which harness, brokers and workers run.
package check

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/cmd/faults/record"
)

// Bounds are how long things may take.
type Bounds struct {
	Ends    time.Duration // a call, past its deadline
	Handled time.Duration // a command, once it is stored
	Told    time.Duration // what happened, from when it is stored to the last time that it may be told
	Settle  time.Duration // what a fault leaves behind, after it was mended
	Search  time.Duration // for an order that explains the answers about one call
}

// DefaultBounds are wide: whoever breaks them is broken.
func DefaultBounds() Bounds {
	return Bounds{
		Ends: 20 * time.Second, Handled: 15 * time.Second, Told: time.Minute, Settle: 5 * time.Second, Search: 10 * time.Second,
	}
}

// Report is what was found, and how much was looked at.
type Report struct {
	Violations []Violation `json:"violations"`
	Figures    []Figure    `json:"figures"`
}

// Violation is a broken promise. App and CallID are unset where it is about none.
type Violation struct {
	Check  string `json:"check"`
	App    string `json:"app,omitempty"`
	CallID string `json:"call_id,omitempty"`
	Text   string `json:"text"`
}

// Figure says how much a check looked at.
type Figure struct {
	Check      string `json:"check"`
	Looked     int    `json:"looked"` // what it held against its rule
	Exempt     int    `json:"exempt"` // what it could not, or need not
	Violations int    `json:"violations"`
	Parts      []Part `json:"parts,omitempty"` // in detail
}

// Part is one figure of a check; its name says the unit, where it counts nothing.
type Part struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// rule is one of the checks.
type rule struct {
	name string
	hold func(*run, *verdict)
}

// rules are the checks, in the order in which they are reported.
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
		{"told", told},
		{"same_answer", sameAnswer},
		{"prompt", prompt},
		// By hand, from CONTRACT and not from worker/call.
		{"parting", parting},
		{"attempts", attempts},
		{"fences", fences},
		{"event_log", eventLog},
		{"frames", frames},
		{"admissions", admissions},
		{"slowed", slowed},
	}
}

// Names lists the checks.
func Names() []string {
	var names []string
	for _, x := range rules() {
		names = append(names, x.name)
	}
	return names
}

// Check holds the record against every rule.
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

// verdict collects what one check finds.
type verdict struct {
	run    *run
	figure Figure
	found  []Violation
}

// fail says what was expected of a call and what was found.
func (v *verdict) fail(s *story, format string, args ...any) {
	v.failApp(s.app, s.call, format, args...)
}

func (v *verdict) failApp(app, callID, format string, args ...any) {
	v.found = append(v.found, Violation{Check: v.figure.Check, App: app, CallID: callID, Text: fmt.Sprintf(format, args...)})
}

// looked counts what was held against the rule.
func (v *verdict) looked() { v.figure.Looked++ }

// exempt counts what was not, by its reason.
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

// spread tells of samples in milliseconds.
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

// take adds what another found.
func (v *verdict) take(o *verdict) {
	v.figure.Looked += o.figure.Looked
	v.figure.Exempt += o.figure.Exempt
	for _, p := range o.figure.Parts {
		v.count(p.Name, int(p.Value))
	}
	v.found = append(v.found, o.found...)
}
