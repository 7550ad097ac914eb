//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/cmd/faults/play"
	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/worker"
)

// rest waits until nothing is left to be done, or until it should long have been.
func (s *site) rest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.trial.longest+6*sweepEvery)
	defer cancel()
	left, err := s.left(ctx)
	for (left != "" || err != nil) && play.Sleep(ctx, 300*time.Millisecond) {
		if now, nowErr := s.left(ctx); ctx.Err() == nil {
			left, err = now, nowErr
		}
	}
	switch {
	case err != nil:
		s.trial.say("it does not come to rest: %v", err)
	case left != "":
		s.trial.say("it does not come to rest: there are still %s", left)
	}
}

// left says what is not at rest yet.
func (s *site) left(ctx context.Context) (string, error) {
	waiting, inHand, err := s.commands(ctx)
	if err != nil || waiting+inHand > 0 {
		return fmt.Sprintf("%d commands wait, %d are in hand", waiting, inHand), err
	}
	timers, err := s.timers(ctx)
	if err != nil || len(timers) > 0 {
		return fmt.Sprintf("%d timers", len(timers)), err
	}
	var lines []record.Line
	if lines, err = s.lines(ctx); err != nil || len(lines) > 0 {
		return fmt.Sprintf("%d lines", len(lines)), err
	}
	return "", nil
}

func (s *site) commands(ctx context.Context) (waiting, inHand int, err error) {
	c, err := s.js.Consumer(ctx, worker.StreamCommands, worker.ConsumerCoordinators)
	if err != nil {
		return 0, 0, fmt.Errorf("read the consumer of commands: %w", err)
	}
	i := c.CachedInfo()
	return int(i.NumPending), i.NumAckPending, nil //nolint:gosec // it is far below
}

func (s *site) lines(ctx context.Context) ([]record.Line, error) {
	kv, err := s.js.KeyValue(ctx, worker.BucketLines)
	if err != nil {
		return nil, fmt.Errorf("read the lines: %w", err)
	}
	w, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read the lines: %w", err)
	}
	defer func() { _ = w.Stop() }()
	var list []record.Line
	for {
		select {
		case e, open := <-w.Updates():
			switch {
			case !open:
				return nil, errors.New("read the lines: the watch ended")
			case e == nil:
				return list, nil
			}
			list = append(list, record.Line{Key: e.Key(), At: e.Created().UnixNano(), Data: string(e.Value())})
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// read takes down what the store holds.
func (s *site) read(ctx context.Context, r *record.Rest) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if r.Waiting, r.InHand, err = s.commands(ctx); err != nil {
		return err
	}
	if r.Lines, err = s.lines(ctx); err != nil {
		return err
	}
	if r.Calls, err = s.stored(ctx, worker.StreamCalls, ""); err != nil {
		return err
	}
	if r.Rejected, err = s.stored(ctx, worker.StreamRejected, ""); err != nil {
		return err
	}
	r.Timers, err = s.timers(ctx)
	return err
}

// timers are the deadlines that have not come due. What removes one has no body; after the death of a broker it may stay.
func (s *site) timers(ctx context.Context) ([]record.Stored, error) {
	all, err := s.stored(ctx, worker.StreamTimers, "ringline.*.timer.>")
	return slices.DeleteFunc(all, func(m record.Stored) bool { return m.Data == "" }), err
}

// longestNext is how long the next message may take before somebody looks whether there is one.
const longestNext = 2 * time.Second

func (s *site) stored(ctx context.Context, stream, filter string) ([]record.Stored, error) {
	cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if filter != "" {
		cfg.FilterSubjects, cfg.DeliverPolicy = []string{filter}, jetstream.DeliverLastPerSubjectPolicy
	}
	cons, err := s.js.OrderedConsumer(ctx, stream, cfg)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	left := cons.CachedInfo().NumPending
	messages, err := cons.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	defer messages.Stop()
	list := make([]record.Stored, 0, left)
	for ; left > 0; left-- {
		m, err := messages.Next(jetstream.NextMaxWait(longestNext))
		if errors.Is(err, nats.ErrTimeout) && ctx.Err() == nil {
			if info, infoErr := cons.Info(ctx); infoErr == nil && info.NumPending == 0 {
				break // the others have gone meanwhile
			}
			left++
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		list = append(list, record.Stored{
			Subject: strings.Clone(m.Subject()), Seq: meta.Sequence.Stream, At: meta.Timestamp.UnixNano(), Data: string(m.Data()),
		})
	}
	return list, nil
}
