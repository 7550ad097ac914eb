package main

import "testing"

func TestNoDeviceIsLostFalselyOrForgotten(t *testing.T) {
	var m model
	if r := m.search(); r.violation != "" || r.states < 1000 {
		t.Errorf("%d states, %s: %q", r.states, r.violation, r.trace)
	}
}

// Every rule is needed: without it a device is lost falsely, or forgotten.
func TestEveryRuleIsNeeded(t *testing.T) {
	for i, name := range ruleNames {
		var m model
		m.off[i] = true
		if r := m.search(); r.violation == "" {
			t.Errorf("without %s, %d states have no violation", name, r.states)
		}
	}
}
