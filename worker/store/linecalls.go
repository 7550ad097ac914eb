package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/streams"
)

// CallsOf lists the calls that the user is in, each read from the leader.
func (s *Lines) CallsOf(ctx context.Context, app, userID string) ([]events.Call, error) {
	l, err := s.Read(ctx, app, userID)
	if err != nil {
		return nil, err
	}
	var calls []events.Call
	for _, e := range l.Entries {
		holder, err := s.calls.LoadFromLeader(ctx, app, e.CallID)
		if err != nil {
			return nil, err
		}
		if holder.Call.On(userID) {
			calls = append(calls, holder.Call)
		}
	}
	return calls, nil
}

// linesPerRead is how many lines cost as much as the read of one call: the server sends all lines of an app in one go.
const linesPerRead = 20

// OpenCalls lists the open calls of an app. It finds them on the app's lines, and reads each from the leader. It also returns
// how many reads of a call that cost.
func (s *Lines) OpenCalls(ctx context.Context, app string) (open []events.Call, reads int, err error) {
	ids, lines, err := s.named(ctx, app)
	reads = len(ids) + lines/linesPerRead
	if err != nil {
		return nil, reads, err
	}
	open, err = s.open(ctx, app, ids)
	return open, reads, err
}

// open reads these calls and returns those that are open.
func (s *Lines) open(ctx context.Context, app string, ids []string) ([]events.Call, error) {
	open := []events.Call{}
	for chunk := range slices.Chunk(ids, maxReads) {
		found, reads := make([]Loaded, len(chunk)), make([]func() error, len(chunk))
		for i, id := range chunk {
			reads[i] = func() (err error) {
				found[i], err = s.calls.LoadFromLeader(ctx, app, id)
				return err
			}
		}
		if err := broker.RunAll(reads...); err != nil {
			return nil, err
		}
		for _, f := range found {
			if f.Seq > 0 && f.Call.State != events.CallStateEnded {
				open = append(open, f.Call)
			}
		}
	}
	return open, nil
}

// maxReads is the number of calls that are read at once. A read of an old message loads its whole block into the server's memory.
const maxReads = 16

// named lists the ids of the calls on the lines of an app, and counts these lines. Some of the calls may have ended.
func (s *Lines) named(ctx context.Context, app string) (list []string, lines int, err error) {
	kv, err := s.js.KeyValue(ctx, streams.BucketLines)
	if err != nil {
		return nil, 0, fmt.Errorf("store: open the lines: %w", err)
	}
	w, err := kv.Watch(ctx, app+".*")
	if err != nil {
		return nil, 0, fmt.Errorf("store: list the lines: %w", err)
	}
	defer func() { _ = w.Stop() }()
	ids := map[string]bool{}
	for update := range w.Updates() {
		if update == nil { // all existing lines have been read
			return slices.Sorted(maps.Keys(ids)), lines, nil
		}
		lines++
		if update.Operation() != jetstream.KeyValuePut { // a line that was released: the server sends it all the same
			continue
		}
		entries, err := events.ReadLine(update.Value())
		if err != nil {
			s.malformed.Inc()
			s.log.Error().Err(err).Str("app", app).Uint64("sequence", update.Revision()).Msg("malformed line ignored")
		}
		for _, e := range entries {
			ids[e.CallID] = true
		}
	}
	return nil, lines, errors.New("store: the list of the lines ended early")
}
