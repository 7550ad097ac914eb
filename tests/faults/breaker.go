//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/streams"
)

// breaker injects the faults of a plan.
type breaker struct {
	rig     *rig.Rig
	js      jetstream.JetStream // bypasses all links
	rec     *record.Recorder
	clients [][]*wire.Link // of clients and watchers, each to every broker
	failed  func(error)

	brokers sync.Mutex                  // serializes faults of the brokers
	busy    map[*rig.Worker]*sync.Mutex // serializes faults of one worker
}

// act injects a fault and repairs it. The target is empty if nothing was broken, because another fault was
// already active or the fault was not possible.
type act func(ctx context.Context, f fault) (target, note string, err error)

func (b *breaker) acts() map[kind]act {
	return map[kind]act{
		killWorker:    b.onWorker(b.kill),
		killAt:        b.onWorker(b.killAt),
		killAll:       b.killAll,
		pauseWorker:   b.onWorker(b.pause),
		pauseAt:       b.onWorker(b.pauseAt),
		restartWorker: b.onWorker(b.restart),
		cutLink:       b.onWorker(spoilt(cut)),
		cutUp:         b.onWorker(spoilt(cutUpOnly)),
		cutDown:       b.onWorker(spoilt(cutDownOnly)),
		slowLink:      b.onWorker(spoilt(slow)),
		cutAt:         b.onWorker(b.cutAt),
		resetLink:     b.onWorker(b.reset),

		resetClient:    b.resetClient,
		cutClient:      b.cutClient,
		deleteConsumer: b.deleteConsumer,
		wrongClock:     b.onWorker(b.wrongClock),
		fillCommands:   b.onBroker(b.fill(streams.StreamCommands)),

		killNode:    b.onBroker(b.killNode),
		killLeader:  b.onBroker(b.killLeader),
		killNodes:   b.onBroker(b.killEveryNode),
		restartNode: b.onBroker(b.restartNode),
		pauseNode:   b.onBroker(b.pauseNode),
		fillDisk:    b.onBroker(b.fillDisk),
		fillStore:   b.onBroker(b.fill(streams.StreamCalls)),
		fillEvents:  b.onBroker(b.fill(streams.StreamEvents)),
		fillLines:   b.onBroker(b.fill(streams.StreamOf(streams.BucketLines))),
		fillTimers:  b.onBroker(b.fillTimers()),
		slowBroker:  b.onBroker(b.slowDown),
		staleClaims: b.onBroker(b.staleClaims),
		cutRoute:    b.onBroker(b.onRoute(cut, cut)),
		cutRouteOne: b.onBroker(b.onRoute(cutUpOnly, cutDownOnly)),
		slowRoute:   b.onBroker(b.onRoute(slow, slow)),
		resetRoute:  b.onBroker(b.onRoute(tear, tear)),
	}
}

// run injects the faults of the plan and returns when everything is repaired. When ctx ends, it repairs all
// active faults immediately.
func (b *breaker) run(ctx context.Context, faults []fault) {
	b.busy = map[*rig.Worker]*sync.Mutex{}
	for _, w := range b.rig.Workers() {
		b.busy[w] = &sync.Mutex{}
	}
	acts := b.acts()
	var wg sync.WaitGroup
	defer wg.Wait()
	begun := time.Now()
	for _, f := range faults {
		if !play.Sleep(ctx, time.Until(begun.Add(f.at))) {
			return
		}
		wg.Go(func() { b.carryOut(ctx, f, acts[f.kind]) })
	}
}

// carryOut injects and repairs one fault, and records it.
func (b *breaker) carryOut(ctx context.Context, f fault, do act) {
	if f.kind.ofBrokers() {
		b.brokers.Lock()
		defer b.brokers.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
	r := record.Fault{Kind: string(f.kind), From: record.Now()}
	target, note, err := do(ctx, f)
	r.Target, r.Note, r.To = target, note, record.Now()
	switch {
	case err != nil:
		b.failed(fmt.Errorf("%s of %s: %w", f.kind, target, err))
	case target != "":
		b.rec.Fault(r)
	}
}

// spoil degrades a link until the link is repaired.
type spoil func(f fault, l *wire.Link)

func cut(_ fault, l *wire.Link)         { l.Cut(wire.Up); l.Cut(wire.Down) }
func cutUpOnly(_ fault, l *wire.Link)   { l.Cut(wire.Up) }
func cutDownOnly(_ fault, l *wire.Link) { l.Cut(wire.Down) }
func slow(f fault, l *wire.Link)        { l.Delay(wire.Up, f.by); l.Delay(wire.Down, f.by) }
func tear(_ fault, l *wire.Link)        { l.Reset() }

func (b *breaker) resetClient(_ context.Context, f fault) (target, note string, err error) {
	links := b.clients[f.target%len(b.clients)]
	for _, l := range links {
		l.Reset()
	}
	return links[0].Name, "", nil
}

func (b *breaker) cutClient(ctx context.Context, f fault) (target, note string, err error) {
	links := b.clients[f.target%len(b.clients)]
	for _, l := range links {
		defer l.Mend()
		cut(f, l)
	}
	play.Sleep(ctx, f.long)
	return links[0].Name, "", nil
}

// ringline returns a matcher for Ringline subjects of this kind. begins returns a matcher for subjects with
// this prefix.
func ringline(kind string) func(string) bool {
	return func(subject string) bool {
		parts := strings.SplitN(subject, ".", 4)
		return len(parts) == 4 && parts[0] == "ringline" && parts[2] == kind
	}
}

func begins(prefix string) func(string) bool {
	return func(subject string) bool { return strings.HasPrefix(subject, prefix) }
}
