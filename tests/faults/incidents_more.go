//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/streams"
)

// troubles lists incidents with missing workers, slow workers, and messages that other programs publish.
func troubles() []incident {
	return []incident{
		{"workers-gone", "All timeouts workers and edges are killed after a minute.", 5 * time.Minute, twoOfEach(), workersGone},
		{
			"slow", "From the first minute on each coordinator is 150 ms away from NATS and handles two commands at once.",
			13 * time.Minute, settings(twoOfEach(), "RINGLINE_PARALLEL=2"), func(ctx context.Context, s *scene) error {
				return distant(ctx, s, 150*time.Millisecond, 250*time.Millisecond)
			},
		},
		{
			"overload", "From the first minute on each coordinator is 600 ms away from NATS and handles one command at a time, less than the load.",
			7 * time.Minute, settings(twoOfEach(), "RINGLINE_PARALLEL=1"), func(ctx context.Context, s *scene) error {
				return distant(ctx, s, 600*time.Millisecond, 500*time.Millisecond)
			},
		},
		{"timeouts-crash", "From the first minute on the timeouts workers die each minute, and come back after 20 s.", 9 * time.Minute, twoOfEach(), timeoutsCrash},
		{
			"commands-back", "After two minutes RINGLINE_COMMANDS contains three completed commands again. After four its consumer is recreated.",
			6 * time.Minute, twoOfEach(), commandsBack,
		},
		{"calls-refused", "After a minute RINGLINE_CALLS stops storing messages, while calls are made.", 8 * time.Minute, twoOfEach(), callsRefused},
		{
			"strangers", "After a minute a program publishes malformed commands, and one malformed message on the subject of a call.", 24 * time.Minute,
			twoOfEach(), strangers,
		},
		{"timers-refused", "After a minute RINGLINE_TIMERS stores nothing for 10 s, while calls ring.", 5 * time.Minute, twoOfEach(), timersRefuse},
		{"versions", "After a minute one coordinator is replaced by one of another version, and the upgrade stops there.", 33 * time.Minute, older(), func(ctx context.Context, s *scene) error {
			if err := s.at(ctx, before); err != nil {
				return err
			}
			s.Coordinators[0].Kill()
			s.Coordinators[0].Use(rig.Older)
			return s.Coordinators[0].Start()
		}},
		{
			"mass-disconnect", "After a minute the callers of 20 active calls lose their sessions, and come back after five.", 7 * time.Minute,
			twoOfEach(), massDisconnect,
		},
		{"disk-full", "The disk of the only node is full after a minute, and has free space again after eight.", 12 * time.Minute, smallDisk(), diskFull},
	}
}

func older() rig.Config {
	cfg := twoOfEach()
	cfg.Older = true
	return cfg
}

func smallDisk() rig.Config {
	cfg := twoOfEach()
	cfg.DiskSize = "256m"
	return cfg
}

func workersGone(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	for _, w := range append(append([]*rig.Worker{}, s.Timeouts...), s.Edges...) {
		w.Kill()
	}
	return nil
}

// distant adds a round-trip delay between coordinators and NATS, while calls are made.
func distant(ctx context.Context, s *scene, by, every time.Duration) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	for _, w := range s.Coordinators {
		for _, l := range w.Links {
			l.Delay(wire.Up, by/2)
			l.Delay(wire.Down, by/2)
		}
	}
	return callsEvery(ctx, s, every)
}

func callsRefused(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	_, err := s.messageSize(ctx, streams.StreamCalls, 10)
	return err
}

// commandsBack brings back commands that were already removed from RINGLINE_COMMANDS. A server with a full
// disk can lose the record of such removals.
func commandsBack(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	for _, w := range s.Coordinators {
		w.Stop(drains)
	}
	js, err := jetstream.New(s.NC)
	if err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	for n := range 3 {
		subject := events.CommandSubject("demo", fmt.Sprintf("back-%d", n), events.VerbInvite)
		body := fmt.Sprintf(`{"command_id":"k%d","user_id":"ann-%d","callees":[{"user_id":"bob-%d"}],"call_type":0,"ring_timeout_s":5}`, n, n, n)
		if _, err := js.Publish(ctx, subject, []byte(body)); err != nil {
			return fmt.Errorf("invite: %w", err)
		}
	}
	node := s.Nodes[0]
	there := filepath.Join(node.Store, "jetstream", "RINGLINE", "streams", streams.StreamCommands, "msgs")
	kept := node.Store + "-kept"
	if err := s.stopped(ctx, before, node, func() error { return os.CopyFS(kept, os.DirFS(there)) }); err != nil {
		return err
	}
	for _, w := range s.Coordinators {
		if err := w.Start(); err != nil {
			return err
		}
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
	if err := s.at(ctx, 4*time.Minute); err != nil {
		return err
	}
	return js.DeleteConsumer(ctx, streams.StreamCommands, streams.ConsumerCoordinators)
}

func timeoutsCrash(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	for dies := before; ; dies += time.Minute {
		if err := s.at(ctx, dies); err != nil {
			return err
		}
		for _, w := range s.Timeouts {
			w.Kill()
		}
		if err := s.at(ctx, dies+20*time.Second); err != nil {
			return err
		}
		for _, w := range s.Timeouts {
			if err := w.Start(); err != nil {
				return err
			}
		}
	}
}

// strangers publishes malformed messages on valid subjects, as a program that does not know the schema would.
func strangers(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	if err := s.NC.Publish(events.TransitionSubject("demo", "junk"), []byte("junk")); err != nil {
		return fmt.Errorf("junk: %w", err)
	}
	for ctx.Err() == nil {
		if err := s.NC.Publish(events.CommandSubject("demo", "c1", events.VerbInvite), []byte(`{"to":"bob"}`)); err != nil {
			return fmt.Errorf("junk: %w", err)
		}
		get := nats.NewMsg(events.APISubject("demo", "get"))
		get.Data, get.Reply = []byte(`{"call_id":"junk"}`), nats.NewInbox()
		if err := s.NC.PublishMsg(get); err != nil {
			return fmt.Errorf("get: %w", err)
		}
		play.Sleep(ctx, 20*time.Second)
	}
	return nil
}

// timersRefuse makes RINGLINE_TIMERS reject scheduled messages that come due. The server retries them only
// after a restart.
func timersRefuse(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	normal, err := s.messageSize(ctx, streams.StreamTimers, 10)
	if err != nil {
		return err
	}
	play.Sleep(ctx, 10*time.Second)
	_, err = s.messageSize(context.WithoutCancel(ctx), streams.StreamTimers, normal)
	return err
}

// diskFull needs a separate disk for the node. The first write that fails decides the effect: the server
// disables JetStream, or it acknowledges no publish.
func diskFull(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	node := s.Nodes[0]
	if err := node.FillDisk(); err != nil {
		return err
	}
	err := s.at(ctx, 8*time.Minute)
	node.FreeDisk()
	if err != nil {
		return err
	}
	node.Stop(20 * time.Second) // the server may have disabled JetStream
	return start(ctx, node)
}
