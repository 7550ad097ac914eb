//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
	"ringline.io/ringline/worker/streams"
)

func with(cfg rig.Config, defect string) rig.Config {
	cfg.Defects = []string{defect}
	return cfg
}

// paused pauses the consumer. The site is small, so only six commands wait.
func paused(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	js, err := jetstream.New(s.NC)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if _, err := js.PauseConsumer(ctx, streams.StreamCommands, streams.ConsumerCoordinators, time.Now().Add(time.Hour)); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	for n := range 6 {
		if err := invite(s.NC, n, ""); err != nil {
			return err
		}
	}
	return nil
}

// refused makes the stream reject every command while calls are made.
func refused(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	_, err := s.messageSize(ctx, streams.StreamCommands, 10)
	return err
}

// messageSize sets the maximum message size of a stream, and returns the previous one.
func (s *scene) messageSize(ctx context.Context, name string, most int32) (normal int32, err error) {
	js, err := jetstream.New(s.NC)
	if err != nil {
		return 0, fmt.Errorf("JetStream: %w", err)
	}
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("stream: %w", err)
	}
	cfg := stream.CachedInfo().Config
	normal, cfg.MaxMsgSize = cfg.MaxMsgSize, most
	if _, err := js.UpdateStream(ctx, cfg); err != nil {
		return 0, fmt.Errorf("stream: %w", err)
	}
	return normal, nil
}

// hung pauses a coordinator for three minutes, and counts the lost requests.
func hung(ctx context.Context, s *scene) error {
	asked := ask(ctx, s, 20)
	if err := s.at(ctx, before); err != nil {
		return err
	}
	stopped := time.Now()
	s.Coordinators[0].Pause()
	defer s.Coordinators[0].Continue()
	if err := s.at(ctx, before+3*time.Minute); err != nil {
		return err
	}
	lost := asked.since(stopped)
	s.say("%s", lost)
	return lost.tooLate()
}

// lostFor is the time after a coordinator stopped in which requests may be lost.
const lostFor = 15 * time.Second

// asking counts requests to the API and their results.
type asking struct {
	mu   sync.Mutex
	sent []time.Time
	lost []time.Time // when they were sent
}

// ask requests a call that does not exist, at the given rate, until ctx ends. A request counts as lost if it
// has no response after 10 s.
func ask(ctx context.Context, s *scene, perSecond int) *asking {
	a := &asking{}
	go func() {
		for ctx.Err() == nil {
			go a.one(s.NC)
			play.Sleep(ctx, time.Second/time.Duration(perSecond))
		}
	}()
	return a
}

func (a *asking) one(nc *nats.Conn) {
	begun := time.Now()
	a.mu.Lock()
	a.sent = append(a.sent, begun)
	a.mu.Unlock()
	if _, err := nc.Request(events.APISubject("demo", "get"), []byte(`{"call_id":"none"}`), 10*time.Second); err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.lost = append(a.lost, begun)
	}
}

// losses summarizes lost requests.
type losses struct {
	sent, lost int
	last       time.Duration // when the last lost request was sent
}

func (l losses) String() string {
	return fmt.Sprintf("%d of %d requests were lost, the last was sent after %v", l.lost, l.sent, l.last.Round(time.Millisecond))
}

// tooLate returns an error if a request was lost after lostFor.
func (l losses) tooLate() error {
	if l.last > lostFor {
		return fmt.Errorf("%v; none may be lost after %v", l, lostFor)
	}
	return nil
}

// since counts the lost requests among those sent at or after then.
func (a *asking) since(then time.Time) (l losses) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.sent {
		if !at.Before(then) {
			l.sent++
		}
	}
	for _, at := range a.lost {
		if !at.Before(then) {
			l.lost, l.last = l.lost+1, max(l.last, at.Sub(then))
		}
	}
	return l
}
