//go:build linux

package main

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/storage"
	"ringline.io/ringline/worker/streams"
)

// onBroker returns an act that runs do on one broker.
func (b *breaker) onBroker(do func(ctx context.Context, f fault, n *rig.Node) (target, note string, err error)) act {
	return func(ctx context.Context, f fault) (target, note string, err error) {
		return do(ctx, f, b.rig.Nodes[f.target%len(b.rig.Nodes)])
	}
}

func (b *breaker) killNode(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	return n.Name, "", b.killAndRestart(ctx, f, n)
}

func (b *breaker) killEveryNode(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
	return "all", "", b.killAndRestart(ctx, f, b.rig.Nodes...)
}

// killLeader kills the leader of RINGLINE_CALLS, or the given broker if the leader is unknown.
func (b *breaker) killLeader(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	ask, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if s, err := b.js.Stream(ask, streams.StreamCalls); err == nil && s.CachedInfo().Cluster != nil {
		for _, x := range b.rig.Nodes {
			if x.Name == s.CachedInfo().Cluster.Leader {
				n = x
			}
		}
	}
	return n.Name, "", b.killAndRestart(ctx, f, n)
}

func (b *breaker) killAndRestart(ctx context.Context, f fault, nodes ...*rig.Node) error {
	for _, n := range nodes {
		n.Kill()
	}
	play.Sleep(ctx, f.long)
	return start(ctx, nodes...)
}

// comesBack is the time limit for a broker to recover its store.
const comesBack = time.Minute

// start starts brokers and waits until they are ready, even after ctx ended.
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
	n.Stop(20 * time.Second) // a broker that hands over streams may take longer, and is killed then
	play.Sleep(ctx, f.long)
	return n.Name, "", start(ctx, n)
}

func (b *breaker) pauseNode(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	n.Pause()
	play.Sleep(ctx, f.long)
	n.Continue()
	return n.Name, "", nil
}

// fillDisk fills the disk of a broker for a while. The broker then disables JetStream until it restarts, so
// fillDisk kills and restarts it.
func (b *breaker) fillDisk(ctx context.Context, f fault, n *rig.Node) (target, note string, err error) {
	if err := n.FillDisk(); err != nil {
		return n.Name, "", err
	}
	play.Sleep(ctx, f.long)
	n.FreeDisk()
	return n.Name, "", b.killAndRestart(ctx, f, n)
}

// onRoute degrades the route between two brokers. It degrades the links of both brokers, because either one
// may have opened the connection.
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

// change changes what a stream accepts. bytes is the number of bytes stored.
type change func(cfg *jetstream.StreamConfig, bytes int64)

// fill sets the byte limit of a stream to its current size for a while. The stream then rejects publishes, or
// drops its oldest messages if its discard policy is old.
func (b *breaker) fill(stream string) func(context.Context, fault, *rig.Node) (target, note string, err error) {
	return b.squeeze(stream, func(cfg *jetstream.StreamConfig, bytes int64) { cfg.MaxBytes = max(1, bytes) })
}

// fillTimers leaves little room in RINGLINE_TIMERS for a while. The stream can't reject messages: above its
// limit it drops the oldest deadlines. The new limit puts its usage at storage.Mark percent. A small stream
// gets at least 16 KiB of room, for the deadlines that arrive before every coordinator has read the new
// limit.
func (b *breaker) fillTimers() func(context.Context, fault, *rig.Node) (target, note string, err error) {
	const least = 16 << 10
	return b.squeeze(streams.StreamTimers, func(cfg *jetstream.StreamConfig, bytes int64) {
		cfg.MaxBytes = bytes + max(bytes*(100-storage.Mark)/storage.Mark, least)
	})
}

// rejectCommits makes RINGLINE_CALLS reject every commit for a while, although it has room. If it were full,
// coordinators would refuse invitations before they claim lines.
func (b *breaker) rejectCommits() func(context.Context, fault, *rig.Node) (target, note string, err error) {
	return b.squeeze(streams.StreamCalls, func(cfg *jetstream.StreamConfig, _ int64) { cfg.MaxMsgSize = 1 })
}

// squeeze changes what a stream accepts for a while.
func (b *breaker) squeeze(stream string, to change) func(context.Context, fault, *rig.Node) (target, note string, err error) {
	return func(ctx context.Context, f fault, _ *rig.Node) (target, note string, err error) {
		before, err := b.update(ctx, stream, to)
		switch {
		case before.Name == "":
			return "", "", nil // a broker may be down
		case err != nil:
			note = unsure
		default:
			play.Sleep(ctx, f.long)
		}
		return stream, note, b.restore(context.WithoutCancel(ctx), before)
	}
}

// unsure is the note of a fault whose update the broker did not acknowledge.
const unsure = "the broker did not confirm the limit"

// restore restores what the stream accepts.
func (b *breaker) restore(ctx context.Context, before jetstream.StreamConfig) error {
	for begun := time.Now(); ; play.Sleep(ctx, 200*time.Millisecond) {
		_, err := b.update(ctx, before.Name, func(cfg *jetstream.StreamConfig, _ int64) {
			cfg.MaxBytes, cfg.MaxMsgSize = before.MaxBytes, before.MaxMsgSize
		})
		if err == nil || time.Since(begun) > comesBack {
			return err
		}
	}
}

// update changes what the stream accepts. It returns the configuration before. If it returns both a
// configuration and an error, the broker may have applied the update.
func (b *breaker) update(ctx context.Context, stream string, to change) (before jetstream.StreamConfig, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return before, err
	}
	cfg := s.CachedInfo().Config
	before = cfg
	to(&cfg, int64(s.CachedInfo().State.Bytes)) //nolint:gosec // it is far below
	_, err = b.js.UpdateStream(ctx, cfg)
	return before, err
}

// slowDown delays all traffic between all brokers and the workers that no other fault holds.
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

// staleClaims creates claims that stay uncommitted for more than 30 s. RINGLINE_CALLS rejects commits for
// that time, while lines can still be claimed. One slowed coordinator is paused between its claim and its
// commit. Its commit arrives only after others may have taken over its claim.
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
	target, unsaid, err := b.rejectCommits()(ctx, f, nil)
	if target == "" || unsaid != "" {
		return target, unsaid, err
	}
	play.Sleep(ctx, time.Duration(f.second%600)*time.Millisecond)
	return w.Name, note, err
}

// freeCoordinator locks a coordinator that no other fault holds. It returns nil if there is none.
func (b *breaker) freeCoordinator(f fault) *rig.Worker {
	for i := range b.rig.Coordinators {
		w := b.rig.Coordinators[(f.target+i)%len(b.rig.Coordinators)]
		if b.busy[w].TryLock() {
			return w
		}
	}
	return nil
}
