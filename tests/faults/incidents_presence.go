//go:build linux

package main

import (
	"context"
	"time"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/lost"
)

// massDisconnect ends the sessions of all callers after a minute. They come back after four.
func massDisconnect(ctx context.Context, s *scene) error {
	t := &lost.Town{NC: s.NC, Say: s.say}
	for _, e := range s.Edges {
		t.Edges = append(t.Edges, e.HTTP())
	}
	if err := t.Open(ctx, "lost", device.Unlimited()); err != nil {
		return err
	}
	crowd, err := t.Gather(ctx, 20)
	if err != nil {
		return err
	}
	if err := s.at(ctx, before); err != nil {
		return err
	}
	crowd.Leave()
	if err := s.at(ctx, before+4*time.Minute); err != nil {
		return err
	}
	if err := crowd.Connect(ctx); err != nil {
		return err
	}
	return s.at(ctx, time.Hour)
}
