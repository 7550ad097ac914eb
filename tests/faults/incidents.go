//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/streams"
)

// before is the time at which most incidents begin. Until then the recording shows a healthy site.
const before = time.Minute

// twoOfEach is a small site.
func twoOfEach() rig.Config { return rig.Config{Nodes: 1, Coordinators: 2, Timeouts: 2, Edges: 2} }

// incidents lists the incidents that can be recorded.
func incidents() []incident {
	return append([]incident{
		{"quiet", "Nothing fails for ten minutes, while calls are made.", 10 * time.Minute, twoOfEach(), calls},
		{"no-coordinator", "All coordinators are killed after a minute.", 4 * time.Minute, twoOfEach(), func(ctx context.Context, s *scene) error {
			go func() { _ = calls(ctx, s) }()
			if err := s.at(ctx, before); err != nil {
				return err
			}
			for _, w := range s.Coordinators {
				w.Kill()
			}
			return nil
		}},
		{"paused", "The consumer of the commands is paused after a minute, and six commands wait.", 4 * time.Minute, twoOfEach(), paused},
		{"commands-refused", "After a minute RINGLINE_COMMANDS stops storing messages, while calls are made.", 5 * time.Minute, twoOfEach(), refused},
		{"clock-ahead", "The clocks of all workers are 70 s ahead.", 8 * time.Minute, with(twoOfEach(), "clock-ahead"), calls},
		{"one-edge", "One of two edges is killed after a minute, and does not come back.", 13 * time.Minute, twoOfEach(), func(ctx context.Context, s *scene) error {
			if err := s.at(ctx, before); err != nil {
				return err
			}
			s.Edges[0].Kill()
			return nil
		}},
		{"hung-edge", "One of two edges is stopped with SIGSTOP after a minute, for 2 minutes.", 5 * time.Minute, twoOfEach(), func(ctx context.Context, s *scene) error {
			if err := s.at(ctx, before); err != nil {
				return err
			}
			s.Edges[0].Pause()
			defer s.Edges[0].Continue()
			return s.at(ctx, before+2*time.Minute)
		}},
		{"hung-coordinator", "One of two coordinators is stopped with SIGSTOP after a minute, for 3 minutes.", 6 * time.Minute, twoOfEach(), hung},
		{
			"setup-problem", "RINGLINE_TIMERS is deleted after a minute, and set up again after five.", 7 * time.Minute, twoOfEach(),
			timersDeleted,
		},
		{
			"no-quorum", "Two of three nodes hang after a minute.", 4 * time.Minute,
			rig.Config{Nodes: 3, Coordinators: 2, Timeouts: 2, Edges: 2},
			twoNodesHang,
		},
	}, append(storageIncidents(), troubles()...)...)
}

func timersDeleted(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	js, err := jetstream.New(s.NC)
	if err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	if err := js.DeleteStream(ctx, streams.StreamTimers); err != nil {
		return fmt.Errorf("delete the timers: %w", err)
	}
	if err := s.at(ctx, 5*time.Minute); err != nil {
		return err
	}
	return s.SetUp(ctx)
}

func twoNodesHang(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	for _, n := range s.Nodes[1:] {
		n.Pause()
	}
	defer func() {
		for _, n := range s.Nodes[1:] {
			n.Continue() // a paused process can't be stopped
		}
	}()
	return s.at(ctx, time.Hour)
}

// calls invites two callees a second until ctx ends. No callee answers.
func calls(ctx context.Context, s *scene) error { return callsEvery(ctx, s, 500*time.Millisecond) }

func callsEvery(ctx context.Context, s *scene, every time.Duration) error {
	for n := 0; ctx.Err() == nil; n++ {
		if err := invite(s.NC, n, ""); err != nil {
			return err
		}
		play.Sleep(ctx, every)
	}
	return nil
}

// invite publishes an invite that rings for 5 s. It does not wait for the response.
func invite(nc *nats.Conn, n int, customData string) error {
	body, err := json.Marshal(map[string]any{
		"user_id": fmt.Sprintf("caller-%d", n%100), "callees": []events.Party{{UserID: fmt.Sprintf("callee-%d", n%100)}},
		"call_type": 0, "ring_timeout_s": 5, "custom_data": customData,
	})
	if err != nil {
		return err
	}
	msg := nats.NewMsg(events.APISubject("demo", string(events.VerbInvite)))
	msg.Data, msg.Reply = body, nats.NewInbox()
	if err := nc.PublishMsg(msg); err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	return nil
}

func readAlerts(source string) (string, error) {
	data, err := os.ReadFile(filepath.Join(source, "deploy", "prometheus", "alerts.yml"))
	if err != nil {
		return "", fmt.Errorf("read alerts: %w", err)
	}
	return string(data), nil
}
