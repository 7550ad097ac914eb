package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ringline.io/ringline/events"
)

// census is a stage that counts the broker operations of each command.
type census struct {
	stage    stage
	observer *observer
	dialect  dialect

	mu     sync.Mutex
	traces map[string]trace // the cheapest trace, by step name
	whose  map[string]step  // the step that produced that trace, by step name
	steps  map[string]step  // all steps seen, by step name
	missed map[string]error // why the last incomplete trace is incomplete, by step name
}

func newCensus(s stage, o *observer, d dialect) *census {
	return &census{stage: s, observer: o, dialect: d, traces: map[string]trace{}, whose: map[string]step{}, steps: map[string]step{}, missed: map[string]error{}}
}

func (c *census) send(ctx context.Context, s step) error {
	return c.count(s, func() error { return c.stage.send(ctx, s) })
}

func (c *census) await(ctx context.Context, s step, event events.Kind) (at time.Time, err error) {
	err = c.count(s, func() error {
		at, err = c.stage.await(ctx, s, event)
		return err
	})
	return at, err
}

func (c *census) count(s step, do func() error) error {
	seen, err := c.observer.during(c.dialect, do)
	if err != nil {
		return err
	}
	t, err := c.dialect.trace(seen)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps[s.name] = s
	if err != nil || !t.isWhole() {
		c.missed[s.name] = errors.Join(fmt.Errorf("bench: not all messages of step %s were seen", s.name), err)
		return nil
	}
	if best, ok := c.traces[s.name]; !ok || t.cheaper(best) {
		c.traces[s.name], c.whose[s.name] = t, s
	}
	return nil
}

// plans creates the plan of each step.
func (c *census) plans() (map[string]*plan, error) {
	plans := map[string]*plan{}
	for name := range c.steps {
		t, ok := c.traces[name]
		if !ok {
			return nil, c.missed[name]
		}
		p, err := newPlan(t, c.whose[name])
		if err != nil {
			return nil, err
		}
		plans[name] = p
	}
	return plans, nil
}

// Count is the traffic of a step on one stream or on one kind of subject.
type Count struct {
	Messages int `json:"messages"`
	Bytes    int `json:"bytes"`
	Waits    int `json:"waits"` // sequential waits for a reply
}

// Counted is the counts by step and place.
type Counted map[string]map[string]Count

// counted returns the counts of the cheapest command of each step.
func (c *census) counted() Counted {
	all := Counted{}
	for name, t := range c.traces {
		places := map[string]Count{}
		for _, o := range t.all {
			x := places[o.place]
			x.Messages++
			x.Bytes += o.bytes()
			if o.reply != nil {
				x.Messages++
			}
			places[o.place] = x
		}
		for place, levels := range t.waited() {
			x := places[place]
			x.Waits = len(levels)
			places[place] = x
		}
		all[name] = places
	}
	return all
}

// exceeds returns an error that names where the floor does more than Ringline.
func (c Counted) exceeds(product Counted) error {
	for step, places := range c {
		for place, x := range places {
			y := product[step][place]
			if x.Messages > y.Messages || x.Waits > y.Waits {
				return fmt.Errorf("bench: the floor does more than Ringline: %s, %s: %d messages and %d waits, against %d and %d",
					step, place, x.Messages, x.Waits, y.Messages, y.Waits)
			}
		}
	}
	return nil
}
