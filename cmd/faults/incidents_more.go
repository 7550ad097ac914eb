//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/cmd/faults/play"
	"ringline.io/ringline/cmd/faults/rig"
	"ringline.io/ringline/cmd/faults/wire"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
)

// troubles are incidents in which workers are missing or slow, or meet what is not Ringline's.
func troubles() []incident {
	return []incident{
		{"workers-gone", "All timeouts workers and edges are killed after a minute.", 5 * time.Minute, twoOfEach(), workersGone},
		{
			"slow", "From the first minute on each coordinator is 150 ms away from NATS and handles two commands at once, fewer than come.",
			13 * time.Minute, settings(twoOfEach(), "RINGLINE_PARALLEL=2"), slowCoordinators,
		},
		{
			"strangers", "After a minute a program publishes commands that can't be read, and one message where calls are kept.", 24 * time.Minute,
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
		{"disk-full", "The disk of the only node is full after a minute. After eight it has room, after ten the consumer of the commands is made anew.", 12 * time.Minute, smallDisk(), diskFull},
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

func slowCoordinators(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	for _, w := range s.Coordinators {
		for _, l := range w.Links {
			l.Delay(wire.Up, 75*time.Millisecond)
			l.Delay(wire.Down, 75*time.Millisecond)
		}
	}
	return callsEvery(ctx, s, 250*time.Millisecond)
}

// strangers publishes as a program does that knows some subjects and no shapes.
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

// timersRefuse lets RINGLINE_TIMERS refuse what comes due: the server tries that again only after a restart.
func timersRefuse(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	normal, err := s.messageSize(ctx, worker.StreamTimers, 10)
	if err != nil {
		return err
	}
	play.Sleep(ctx, 10*time.Second)
	_, err = s.messageSize(context.WithoutCancel(ctx), worker.StreamTimers, normal)
	return err
}

// diskFull needs a disk of its own for the node.
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
	node.Stop(20 * time.Second) // it may have taken its JetStream out of service
	if err := start(ctx, node); err != nil {
		return err
	}
	if err := s.at(ctx, 10*time.Minute); err != nil {
		return err
	}
	js, err := jetstream.New(s.NC) // commands that are done are there again, and their consumer is past them
	if err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	return js.DeleteConsumer(ctx, worker.StreamCommands, worker.ConsumerCoordinators)
}
