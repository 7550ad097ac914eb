package health

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Hold is how long a state lasts before it is shown.
const Hold = 5 * time.Second

// Health holds the conditions of a process.
type Health struct {
	now func() time.Time

	mu         sync.Mutex
	phase      string
	conditions []*Condition
}

// New makes a health that uses this clock. Its phase is "starting".
func New(now func() time.Time) *Health { return &Health{now: now, phase: "starting"} }

// Needs creates a condition that the process needs to be ready. A failure is shown once it has lasted for hold.
func (h *Health) Needs(name Name, hold time.Duration) *Condition {
	return h.add(&Condition{name: name, needed: true, hold: hold, why: "starting", first: make(chan struct{})})
}

// Degrades creates a condition that does not affect readiness. It is OK until it fails.
func (h *Health) Degrades(name Name) *Condition {
	return h.add(&Condition{name: name, hold: Hold, works: true, shown: true})
}

func (h *Health) add(c *Condition) *Condition {
	if h == nil {
		return nil
	}
	c.of = h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conditions = append(h.conditions, c)
	return c
}

// Phase makes the process unready at once, for a reason outside the conditions: it starts, waits or stops.
func (h *Health) Phase(why string) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.phase = why
}

// Running ends the given phase, if it is the current one. From then on only the conditions count.
func (h *Health) Running(phase string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.phase == phase {
		h.phase = ""
	}
}

// Started waits until every condition that the process needs has been OK once, or ctx ends.
func (h *Health) Started(ctx context.Context) error {
	h.mu.Lock()
	all := slices.Clone(h.conditions)
	h.mu.Unlock()
	for _, c := range all {
		if !c.needed {
			continue
		}
		select {
		case <-c.first:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// State is the shown health.
type State struct {
	Phase    string   // why the process is unready regardless of its conditions; empty while it runs
	Failing  []Reason // the other reasons why it is unready
	Degraded []Reason
}

// Ready reports whether the process is ready.
func (s State) Ready() bool { return s.Phase == "" && len(s.Failing) == 0 }

// Reason is a condition that fails, with the reason.
type Reason struct {
	Name Name
	Why  string

	of *Condition
}

func (r Reason) String() string { return string(r.Name) + ": " + r.Why }

// State returns the health that is shown now.
func (h *Health) State() State {
	if h == nil {
		return State{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := State{Phase: h.phase}
	now := h.now()
	for _, c := range h.conditions {
		if !c.looks {
			c.settle(now)
		}
		switch r := (Reason{c.name, c.why, c}); {
		case c.shown:
		case c.needed:
			s.Failing = append(s.Failing, r)
		default:
			s.Degraded = append(s.Degraded, r)
		}
	}
	return s
}

// Began lists the failures in now that are not in before.
func Began(before, now State) []Reason { return without(now.reasons(), before.reasons()) }

// Ended lists the failures in before that are not in now.
func Ended(before, now State) []Reason { return without(before.reasons(), now.reasons()) }

func (s State) reasons() []Reason { return slices.Concat(s.Failing, s.Degraded) }

func without(list, others []Reason) []Reason {
	return slices.DeleteFunc(list, func(r Reason) bool {
		return slices.ContainsFunc(others, func(o Reason) bool { return o.of == r.of })
	})
}
