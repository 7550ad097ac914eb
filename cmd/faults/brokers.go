//go:build linux

package main

import (
	"context"
	"time"

	"ringline.io/ringline/cmd/faults/play"
	"ringline.io/ringline/cmd/faults/rig"
	"ringline.io/ringline/cmd/faults/wire"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/storage"
)

// onBroker does something to one of the brokers.
func (b *breaker) onBroker(do func(ctx context.Context, f fault, n *rig.Node) (target, note string, err error)) act {
	return func(ctx context.Context, f fault) (target, note string, err error) {
		return do(ctx, f, b.rig.Nodes[f.target%len(b.rig.Nodes)])
	}
}

func (b *breaker) killNode(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	return n.Name, "", b.killThem(ctx, f, n)
}

func (b *breaker) killEveryNode(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
	return "all", "", b.killThem(ctx, f, b.rig.Nodes...)
}

// killLeader kills the leader of the stream of calls, or the given broker where nobody says who that is.
func (b *breaker) killLeader(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	ask, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if s, err := b.js.Stream(ask, worker.StreamCalls); err == nil && s.CachedInfo().Cluster != nil {
		for _, x := range b.rig.Nodes {
			if x.Name == s.CachedInfo().Cluster.Leader {
				n = x
			}
		}
	}
	return n.Name, "", b.killThem(ctx, f, n)
}

func (b *breaker) killThem(ctx context.Context, f fault, nodes ...*rig.Node) error {
	for _, n := range nodes {
		n.Kill()
	}
	play.Sleep(ctx, f.long)
	return start(ctx, nodes...)
}

// comesBack is how long a broker may take to read what it has.
const comesBack = time.Minute

// start starts brokers and waits until they are there, also where the time for faults is over.
func start(ctx context.Context, nodes ...*rig.Node) error {
	for _, n := range nodes {
		if err := n.Start(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), comesBack)
	defer cancel()
	for _, n := range nodes {
		if err := n.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *breaker) restartNode(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	n.Stop(20 * time.Second) // with streams to hand over it may take longer, and is killed
	play.Sleep(ctx, f.long)
	return n.Name, "", start(ctx, n)
}

func (b *breaker) pauseNode(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	n.Pause()
	play.Sleep(ctx, f.long)
	n.Continue()
	return n.Name, "", nil
}

// fillDisk fills a broker's disk for a while. It takes its JetStream out of service then, for good: it is killed.
func (b *breaker) fillDisk(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	if err := n.FillDisk(); err != nil {
		return n.Name, "", err
	}
	play.Sleep(ctx, f.long)
	n.FreeDisk()
	return n.Name, "", b.killThem(ctx, f, n)
}

// onRoute makes the link between two brokers worse, on both of its sides: either of them may have connected.
func (b *breaker) onRoute(there, back spoil) func(context.Context, fault, *rig.Node) (target, note string, err error) {
	return func(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
		from := f.target % len(b.rig.Nodes)
		to := (from + 1 + f.second%(len(b.rig.Nodes)-1)) % len(b.rig.Nodes)
		links := [2]*wire.Link{b.rig.Nodes[from].Peers[to], b.rig.Nodes[to].Peers[from]}
		for i, s := range []spoil{there, back} {
			defer links[i].Mend()
			s(f, links[i])
		}
		play.Sleep(ctx, f.long)
		return links[0].Name, "", nil
	}
}

// fill lets a stream take nothing more for a while, or where it discards what is old drop as much as comes.
func (b *breaker) fill(stream string) func(context.Context, fault, *rig.Node) (target, note string, err error) {
	return b.squeeze(stream, func(bytes int64) int64 { return max(1, bytes) })
}

// fillTimers lets RINGLINE_TIMERS, which can't refuse anything, take little more for a while: it is at the mark of its limit, above
// which it would drop the oldest deadlines. A small one keeps room for what comes until every coordinator has seen the limit.
func (b *breaker) fillTimers() func(context.Context, fault, *rig.Node) (target, note string, err error) {
	const least = 16 << 10
	return b.squeeze(worker.StreamTimers, func(bytes int64) int64 { return bytes + max(bytes*(100-storage.Mark)/storage.Mark, least) })
}

// squeeze gives a stream another limit of bytes for a while, which follows from what it holds.
func (b *breaker) squeeze(stream string, limit func(bytes int64) int64) func(context.Context, fault, *rig.Node) (target, note string, err error) {
	return func(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
		before, err := b.limit(ctx, stream, limit)
		switch {
		case before == 0:
			return "", "", nil // a broker may be away
		case err != nil:
			note = unsure
		default:
			play.Sleep(ctx, f.long)
		}
		return stream, note, b.giveBack(context.WithoutCancel(ctx), stream, before)
	}
}

// unsure is the note of what may have been done: the broker did not answer.
const unsure = "the broker did not say whether it took the limit"

// giveBack lets the stream take as much as before.
func (b *breaker) giveBack(ctx context.Context, stream string, limit int64) error {
	for begun := time.Now(); ; play.Sleep(ctx, 200*time.Millisecond) {
		if _, err := b.limit(ctx, stream, func(int64) int64 { return limit }); err == nil || time.Since(begun) > comesBack {
			return err
		}
	}
}

// limit lets the stream take as many bytes as most says of those that it holds, and gives how many it could take before. With an
// error and another limit than 0 it may have been changed.
func (b *breaker) limit(ctx context.Context, stream string, most func(bytes int64) int64) (before int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	cfg := s.CachedInfo().Config
	before, cfg.MaxBytes = cfg.MaxBytes, most(int64(s.CachedInfo().State.Bytes)) //nolint:gosec // it is far below
	_, err = b.js.UpdateStream(ctx, cfg)
	return before, err
}

// slowDown delays everything between all brokers and the workers that no other fault is at.
func (b *breaker) slowDown(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
	by := 200*time.Millisecond + f.by/2
	for _, w := range b.rig.Workers() {
		if !b.busy[w].TryLock() {
			continue
		}
		defer b.busy[w].Unlock()
		defer mend(w)
		for _, l := range w.Links {
			l.Delay(wire.Up, by)
			l.Delay(wire.Down, by)
		}
		note = by.String()
	}
	play.Sleep(ctx, f.long)
	return "all", note, nil
}

// staleClaims makes claims that nobody commits for more than 30 s: nothing can be committed for so long, while lines can
// be claimed; and one coordinator, slowed down, is stopped between its claim and its commit, which gets through only
// once others may have taken its claim over.
func (b *breaker) staleClaims(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
	w := b.freeCoordinator(f)
	if w == nil {
		return "", "", nil
	}
	defer b.busy[w].Unlock()
	defer w.Continue()
	defer mend(w)
	for _, l := range w.Links {
		l.Delay(wire.Down, 100*time.Millisecond)
	}
	play.Sleep(ctx, 500*time.Millisecond)
	f.point = "before commit"
	note = b.await(ctx, f, w)
	w.Pause()
	target, unsaid, err := b.fill(worker.StreamCalls)(ctx, f, nil)
	if target == "" || unsaid != "" {
		return target, unsaid, err
	}
	play.Sleep(ctx, time.Duration(f.second%600)*time.Millisecond)
	return w.Name, note, err
}

// freeCoordinator locks a coordinator that nobody else is at; nil if there is none.
func (b *breaker) freeCoordinator(f fault) *rig.Worker {
	for i := range b.rig.Coordinators {
		w := b.rig.Coordinators[(f.target+i)%len(b.rig.Coordinators)]
		if b.busy[w].TryLock() {
			return w
		}
	}
	return nil
}
