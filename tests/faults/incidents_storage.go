//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/streams"
)

// storageIncidents lists incidents of streams that fill up, delete unread messages, or return to an older
// state.
func storageIncidents() []incident {
	return []incident{
		{
			"store-full", "Calls fill a small RINGLINE_CALLS in 20 minutes. After half an hour its limit is raised.", 36 * time.Minute,
			settings(twoOfEach(), "RINGLINE_CALLS_MAX_BYTES=8MiB", "RINGLINE_TIMERS_MAX_BYTES=1MiB"), storeFills,
		},
		{
			"store-filling", "A small RINGLINE_CALLS grows so fast that it is full in less than a day.", 66 * time.Minute,
			settings(twoOfEach(), "RINGLINE_CALLS_MAX_BYTES=24MiB", "RINGLINE_TIMERS_MAX_BYTES=3MiB"), storeGrows,
		},
		{
			"events-lost", "The reader of a small RINGLINE_EVENTS stops after a minute, and resumes after the log has deleted unread messages.",
			10 * time.Minute, settings(twoOfEach(), "RINGLINE_EVENTS_MAX_BYTES=1MiB"), readerStops,
		},
		{
			"event-log-gap", "After two minutes RINGLINE_CALLS is restored to its state of a minute before. After five the event log is repaired.", 7 * time.Minute,
			twoOfEach(), tailLost,
		},
	}
}

// settings adds settings of the workers and of setup.
func settings(cfg rig.Config, env ...string) rig.Config {
	cfg.Env = append(cfg.Env, env...)
	return cfg
}

func storeFills(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, 32*time.Minute); err != nil {
		return err
	}
	return s.setup(ctx, []string{"RINGLINE_CALLS_MAX_BYTES=64MiB", "RINGLINE_TIMERS_MAX_BYTES=8MiB"})
}

// storeGrows begins with an eighth of the stream in use.
func storeGrows(ctx context.Context, s *scene) error {
	const held, every = 3 << 20, 8 * time.Second
	js, err := jetstream.New(s.NC)
	if err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	n := 0
	for ; ctx.Err() == nil; n++ {
		st, err := js.Stream(ctx, streams.StreamCalls)
		if err != nil {
			return fmt.Errorf("read the state of the calls: %w", err)
		}
		if st.CachedInfo().State.Bytes >= held {
			break
		}
		if err := invite(s.NC, n, strings.Repeat("x", 4000)); err != nil {
			return err
		}
		play.Sleep(ctx, 100*time.Millisecond)
	}
	return callsEvery(ctx, s, every)
}

func readerStops(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	js, err := jetstream.New(s.NC)
	if err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	c, err := js.Consumer(ctx, streams.StreamEvents, streams.ConsumerAnalytics)
	if err != nil {
		return fmt.Errorf("reader: %w", err)
	}
	for _, until := range []time.Duration{before, time.Hour} {
		reading, err := c.Consume(func(m jetstream.Msg) { _ = m.Ack() }) // without an ack the message is redelivered
		if err != nil {
			return fmt.Errorf("reader: %w", err)
		}
		err = s.at(ctx, until)
		reading.Stop()
		if err != nil {
			return err
		}
		if err := s.at(ctx, 8*time.Minute); err != nil {
			return err
		}
	}
	return nil
}

func tailLost(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	node := s.Nodes[0]
	there := filepath.Join(node.Store, "jetstream", "RINGLINE", "streams", streams.StreamCalls)
	kept := node.Store + "-kept"
	err := s.stopped(ctx, before, node, func() error { return os.CopyFS(kept, os.DirFS(there)) })
	if err != nil {
		return err
	}
	err = s.stopped(ctx, 2*time.Minute, node, func() error {
		if err := os.RemoveAll(there); err != nil {
			return err
		}
		return os.CopyFS(there, os.DirFS(kept))
	})
	if err != nil {
		return err
	}
	if err := s.at(ctx, 5*time.Minute); err != nil {
		return err
	}
	return s.setup(ctx, nil, "--repair-events")
}

// stopped runs do while the broker is stopped, so that do can change the broker's files.
func (s *scene) stopped(ctx context.Context, after time.Duration, n *rig.Node, do func() error) error {
	if err := s.at(ctx, after); err != nil {
		return err
	}
	n.Stop(20 * time.Second)
	if err := do(); err != nil {
		return fmt.Errorf("files of %s: %w", n.Name, err)
	}
	return start(ctx, n)
}

// setup runs `ringline setup` as an operator would.
func (s *scene) setup(ctx context.Context, env []string, args ...string) error {
	p, err := s.Ringline("setup-again", env, append([]string{"setup", "--nats-url", s.URLs()}, args...)...)
	if err != nil {
		return err
	}
	return p.Ended(ctx)
}
