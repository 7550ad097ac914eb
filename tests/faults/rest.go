//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/streams"
)

// rest waits until all work is done, or until the time limit.
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
		s.trial.say("not idle at the end: %v", err)
	case left != "":
		s.trial.say("not idle at the end: there are still %s", left)
	}
}

// left describes the remaining work. It returns "" if there is none.
func (s *site) left(ctx context.Context) (string, error) {
	waiting, inFlight, err := s.commands(ctx)
	if err != nil || waiting+inFlight > 0 {
		return fmt.Sprintf("%d commands wait, %d are in flight", waiting, inFlight), err
	}
	timers, err := s.timers(ctx)
	if err != nil || len(timers) > 0 {
		return fmt.Sprintf("%d timers", len(timers)), err
	}
	var lines []record.Line
	if lines, err = s.lines(ctx); err != nil || len(lines) > 0 {
		return fmt.Sprintf("%d lines", len(lines)), err
	}
	if missing, err := s.notLogged(ctx); err != nil || missing > 0 {
		return fmt.Sprintf("%d transitions that are not in the event log", missing), err
	}
	return "", nil
}

// notLogged counts the transitions that are not yet in the event log.
func (s *site) notLogged(ctx context.Context) (uint64, error) {
	calls, err := s.js.Stream(ctx, streams.StreamCalls)
	if err != nil {
		return 0, fmt.Errorf("read the calls: %w", err)
	}
	log, err := s.js.Stream(ctx, streams.StreamEvents)
	if err != nil {
		return 0, fmt.Errorf("read the event log: %w", err)
	}
	stored, logged := calls.CachedInfo().State.LastSeq, log.CachedInfo().State.LastSeq
	return stored - min(stored, logged), nil
}

func (s *site) commands(ctx context.Context) (waiting, inFlight int, err error) {
	c, err := s.js.Consumer(ctx, streams.StreamCommands, streams.ConsumerCoordinators)
	if err != nil {
		return 0, 0, fmt.Errorf("read the consumer of commands: %w", err)
	}
	i := c.CachedInfo()
	return int(i.NumPending), i.NumAckPending, nil //nolint:gosec // it is far below
}

func (s *site) lines(ctx context.Context) ([]record.Line, error) {
	kv, err := s.js.KeyValue(ctx, streams.BucketLines)
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

// read reads the contents of the streams into r.
func (s *site) read(ctx context.Context, r *record.Rest) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if r.Waiting, r.InFlight, err = s.commands(ctx); err != nil {
		return err
	}
	if r.Lines, err = s.lines(ctx); err != nil {
		return err
	}
	if r.Calls, err = record.ReadStream(ctx, s.js, streams.StreamCalls, ""); err != nil {
		return err
	}
	if r.Events, err = record.ReadStream(ctx, s.js, streams.StreamEvents, ""); err != nil {
		return err
	}
	if r.Rejected, err = record.ReadStream(ctx, s.js, streams.StreamRejected, ""); err != nil {
		return err
	}
	r.Timers, err = s.timers(ctx)
	return err
}

// timers lists the pending deadlines. A message without a body cancels a deadline, and may remain after a
// broker was killed.
func (s *site) timers(ctx context.Context) ([]record.Stored, error) {
	all, err := record.ReadStream(ctx, s.js, streams.StreamTimers, "ringline.*.timer.>")
	return slices.DeleteFunc(all, func(m record.Stored) bool { return m.Data == "" }), err
}
