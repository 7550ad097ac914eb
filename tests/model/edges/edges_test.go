package main

import "testing"

// models returns the models that are searched: two faults, and three without those of the broker's nodes.
func models() []model { return []model{{}, {more: 1}} }

func TestNoDeviceIsLostFalselyOrForgotten(t *testing.T) {
	for _, m := range models() {
		if r := m.search(); r.violation != "" || r.states < 1000 {
			t.Errorf("%d states, %s: %q", r.states, r.violation, r.trace)
		}
	}
}

// Every rule is needed: without it a device is lost falsely, or forgotten.
func TestEveryRuleIsNeeded(t *testing.T) {
	for i, name := range ruleNames {
		violations := 0
		for _, m := range models() {
			m.off[i] = true
			if m.search().violation != "" {
				violations++
				break
			}
		}
		if violations == 0 {
			t.Errorf("without %s there is no violation", name)
		}
	}
}
