//go:build linux

package main

import (
	"reflect"
	"testing"
	"time"
)

func long(seed uint64) trial {
	return trial{seed: seed, duration: time.Hour, every: time.Second, nodes: 3}
}

// The same seed yields the same plan, and another seed yields a different plan.
func TestPlanFollowsFromTheSeed(t *testing.T) {
	a, b, c := plan(long(7), true), plan(long(7), true), plan(long(8), true)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gives two plans")
	}
	if reflect.DeepEqual(a, c) {
		t.Error("two seeds give the same plan")
	}
}

// A long plan has every kind of fault, all within its duration. Faults of brokers do not overlap.
func TestPlanHasEveryKind(t *testing.T) {
	count := map[kind]int{}
	over := time.Duration(0)
	ofBrokers := map[kind]bool{}
	for _, w := range brokerKinds(3, true) {
		ofBrokers[w.kind] = true
	}
	for _, f := range plan(long(7), true) {
		count[f.kind]++
		if f.at < calmBeginning || f.at >= time.Hour {
			t.Errorf("%s at %v", f.kind, f.at)
		}
		if !ofBrokers[f.kind] {
			continue
		}
		if f.at < over {
			t.Errorf("%s at %v, before the one before is over", f.kind, f.at)
		}
		over = f.at + f.long
	}
	for _, w := range append(workerKinds(), brokerKinds(3, true)...) {
		if w.kind == wrongClock { // runs only if named
			continue
		}
		if count[w.kind] < 3 {
			t.Errorf("%s comes %d times", w.kind, count[w.kind])
		}
	}
}

// With one broker there is no route to cut, and without disks no disk is filled. A plan contains only the
// requested kinds.
func TestPlanLeavesOut(t *testing.T) {
	one := long(7)
	one.nodes = 1
	for _, f := range plan(one, false) {
		switch f.kind { //nolint:exhaustive // the others may come
		case cutRoute, cutRouteOne, slowRoute, resetRoute, killNodes, killLeader, fillDisk:
			t.Errorf("%s with one broker and without a disk of its own", f.kind)
		}
	}
	one.only = []string{string(killAt)}
	faults := plan(one, true)
	if len(faults) == 0 {
		t.Error("nothing is planned")
	}
	for _, f := range faults {
		if f.kind != killAt {
			t.Errorf("%s was not asked for", f.kind)
		}
	}
}
