//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/cmd/faults/play"
	"ringline.io/ringline/cmd/faults/rig"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
)

func with(cfg rig.Config, defect string) rig.Config {
	cfg.Defects = []string{defect}
	return cfg
}

// paused pauses the consumer. The site is small: only six commands wait.
func paused(ctx context.Context, s *scene) error {
	if err := s.at(ctx, before); err != nil {
		return err
	}
	js, err := jetstream.New(s.NC)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if _, err := js.PauseConsumer(ctx, worker.StreamCommands, worker.ConsumerCoordinators, time.Now().Add(time.Hour)); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	for n := range 6 {
		if err := invite(s.NC, n, ""); err != nil {
			return err
		}
	}
	return nil
}

// refused lets the stream refuse every command while calls are made.
func refused(ctx context.Context, s *scene) error {
	go func() { _ = calls(ctx, s) }()
	if err := s.at(ctx, before); err != nil {
		return err
	}
	_, err := s.messageSize(ctx, worker.StreamCommands, 10)
	return err
}

// messageSize sets the limit for each message of a stream, and gives the one before.
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

// hung stops a coordinator for three minutes, and counts the requests that were lost.
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

// lostFor is for how long after a coordinator has stopped requests may be lost.
const lostFor = 15 * time.Second

// asking is what became of requests to the api.
type asking struct {
	mu   sync.Mutex
	sent []time.Time
	lost []time.Time // when they were sent
}

// ask asks for a call that is not there so many times a second, until ctx ends. A request is lost without an answer within 10 s.
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

// losses is what was lost of requests.
type losses struct {
	sent, lost int
	last       time.Duration // when the last of those that were lost was sent
}

func (l losses) String() string {
	return fmt.Sprintf("%d of %d requests were lost, the last was sent after %v", l.lost, l.sent, l.last.Round(time.Millisecond))
}

// tooLate says that a request was lost that should not have been.
func (l losses) tooLate() error {
	if l.last > lostFor {
		return fmt.Errorf("%v; none may be lost after %v", l, lostFor)
	}
	return nil
}

// since counts what was lost of the requests that were sent from then on.
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
