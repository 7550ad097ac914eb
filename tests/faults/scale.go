//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/tests/faults/rig"
)

// scale measures the complete calls per second for different numbers of coordinators.
type scale struct {
	trial    trial
	parallel int // number of concurrent calls
	long     time.Duration
}

// pace counts the calls completed in a measured interval.
type pace struct {
	calls   atomic.Int64
	mu      sync.Mutex
	answers []time.Duration // latency from invitation to answer
}

func (p *pace) take() (calls int64, answers []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls, answers = p.calls.Swap(0), p.answers
	p.answers = nil
	return calls, answers
}

func (x scale) start(ctx context.Context, dir string, nodes, n int) (*rig.Rig, []*play.Client, error) {
	r, err := rig.New(ctx, rig.Config{
		Dir: dir, Source: x.trial.source, Nodes: nodes, Coordinators: n, Timeouts: 1,
	})
	if err != nil {
		return nil, nil, err
	}
	var clients []*play.Client
	for i := range clientsOf {
		c, err := play.Connect(fmt.Sprintf("client-%d", i), r.URLs(), &record.Recorder{})
		if err != nil {
			r.Close()
			return nil, nil, err
		}
		clients = append(clients, c)
	}
	return r, clients, nil
}

// load plays complete calls concurrently until ctx ends.
func (x scale) load(ctx context.Context, clients []*play.Client, p *pace) *sync.WaitGroup {
	var wg sync.WaitGroup
	for i := range x.parallel {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				took, ok := clients[i%len(clients)].Complete(context.WithoutCancel(ctx), fmt.Sprintf("s%d-%d", i, n))
				if !ok {
					continue
				}
				p.calls.Add(1)
				p.mu.Lock()
				p.answers = append(p.answers, took)
				p.mu.Unlock()
			}
		})
	}
	return &wg
}

// steps measures 1, 2 and 4 coordinators on one broker and on three.
func (x scale) steps(ctx context.Context) error {
	for _, nodes := range []int{1, 3} {
		for _, n := range []int{1, 2, 4} {
			if err := x.step(ctx, nodes, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x scale) step(ctx context.Context, nodes, n int) error {
	r, clients, err := x.start(ctx, x.trial.path(fmt.Sprintf("scale-%d-%d", nodes, n)), nodes, n)
	if err != nil {
		return err
	}
	defer r.Close()
	loading, stop := context.WithCancel(ctx)
	defer stop()
	p := &pace{}
	done := x.load(loading, clients, p)
	play.Sleep(ctx, 3*time.Second) // warm up
	p.take()
	used, begun := r.Used(), time.Now()
	play.Sleep(ctx, x.long)
	calls, answers := p.take()
	took := time.Since(begun)
	busy := r.Used().Since(used, took)
	stop()
	done.Wait()
	x.trial.say("%d broker(s), %d coordinator(s): %.0f calls/s; invitation to answer %s; of one core: %s", nodes, n,
		float64(calls)/took.Seconds(), quantiles(answers), busy)
	return nil
}

// inAndOut adds a coordinator and removes another under load, and reports the redeliveries.
func (x scale) inAndOut(ctx context.Context, rate float64) error {
	r, clients, err := x.start(ctx, x.trial.path("scale-in-out"), 1, 2)
	if err != nil {
		return err
	}
	defer r.Close()
	p := &pace{}
	playing, stop := context.WithCancel(ctx)
	defer stop()
	done := x.open(playing, clients, p, rate)
	measure := func(phase string) {
		play.Sleep(ctx, x.long)
		calls, answers := p.take()
		x.trial.say("%s: %.0f calls/s, invitation to answer %s", phase, float64(calls)/x.long.Seconds(), quantiles(answers))
	}
	measure("two coordinators (warming up)")
	measure("two coordinators")
	if err := r.AddCoordinator(ctx); err != nil {
		return err
	}
	measure("while and after a third was added")
	gone := r.Coordinators[0]
	r.Count(ctx)
	took, _ := gone.Stop(drains)
	measure(fmt.Sprintf("while and after the first was stopped by SIGTERM, which took %v", took.Round(time.Millisecond)))
	stop()
	done.Wait()
	r.Count(ctx)
	x.trial.say("redelivered: %.0f; nak'ed: %.0f", r.Counts()["ringline_redeliveries_total"], r.Counts()["ringline_naks_total"])
	return r.Errors()
}

// open starts calls at a fixed rate, independent of the completion of others.
func (x scale) open(ctx context.Context, clients []*play.Client, p *pace, rate float64) *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		begun := time.Now()
		for n := 0; play.Sleep(ctx, time.Until(begun.Add(time.Duration(float64(n)/rate*float64(time.Second))))); n++ {
			wg.Go(func() {
				if took, ok := clients[n%len(clients)].Complete(context.WithoutCancel(ctx), fmt.Sprintf("o%d", n)); ok {
					p.calls.Add(1)
					p.mu.Lock()
					p.answers = append(p.answers, took)
					p.mu.Unlock()
				}
			})
		}
	})
	return &wg
}
