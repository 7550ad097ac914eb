package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
)

// ErrConflict means that the call has moved on since it was read, or that this very commit went through before.
var ErrConflict = errors.New("store: the call has moved on")

// ErrNoTransition means that the call has no such transition, or no longer.
var ErrNoTransition = errors.New("store: no such transition")

// Calls reads and writes calls.
type Calls struct {
	msg reader
	log zerolog.Logger

	// LostTail receives by how many messages the stream went back, as it came back without its newest; or nil. Set it before use.
	LostTail func(messages uint64)

	given   atomic.Uint64 // sequence that a commit was told
	garbage *meter.Count
}

// NewCalls gives the calls behind this connection. The meter may be nil.
func NewCalls(nc *nats.Conn, log zerolog.Logger, m *meter.Meter) *Calls {
	return &Calls{msg: reader{nc: nc, stream: worker.StreamCalls}, log: log, garbage: m.Garbage(meter.OnCall)}
}

// Loaded is a call as it was read: its newest transition (zero if there is none) and the stream sequence that
// the next commit expects.
type Loaded struct {
	events.Transition

	Bytes  int // the size of a transition that was committed
	expect uint64
}

// Load reads a call from any replica.
func (s *Calls) Load(ctx context.Context, app, callID string) (Loaded, error) {
	return s.newest(ctx, app, callID, s.msg.anywhere)
}

// None takes it that there is no such call, as is most likely of one that is about to begin. The commit verifies it.
func (s *Calls) None(context.Context, string, string) (Loaded, error) { return Loaded{}, nil }

// MayRemember says whether the call remembers the command, or can't be read: then it was, or may have been, carried out.
func (s *Calls) MayRemember(ctx context.Context, cmd events.Command) bool {
	now, err := s.Lead(ctx, cmd.App, cmd.CallID)
	return err != nil || call.Remembers(now.Transition, cmd)
}

// Lead reads a call from the leader.
func (s *Calls) Lead(ctx context.Context, app, callID string) (Loaded, error) {
	return s.newest(ctx, app, callID, s.msg.atLeader)
}

func (s *Calls) newest(ctx context.Context, app, callID string, get getter) (Loaded, error) {
	subject := events.TransitionSubject(app, callID)
	m, err := get(ctx, getRequest{LastBySubject: subject})
	if errors.Is(err, errNoMessage) {
		return Loaded{}, nil
	}
	if err != nil {
		return Loaded{}, fmt.Errorf("store: load call %s: %w", callID, err)
	}
	t, _, err := events.ReadTransition(app, callID, m.data)
	if isNewer(err) {
		return Loaded{}, fmt.Errorf("store: load: %w", err)
	}
	if err != nil {
		s.garbage.Inc()
		s.log.Error().Err(err).Str("subject", subject).Uint64("sequence", m.seq).Msg("no transition, passed over")
		if t, err = s.find(ctx, app, callID, func(events.Transition) bool { return true }, false); errors.Is(err, ErrNoTransition) {
			err = nil
		}
	}
	return Loaded{Transition: t, expect: m.seq}, err
}

// Transition reads transition seq of a call from the leader.
func (s *Calls) Transition(ctx context.Context, app, callID string, seq int) (events.Transition, error) {
	return s.find(ctx, app, callID, func(t events.Transition) bool { return t.Seq == seq }, true)
}

// MadeBy finds the newest transition that this command made, whether or not the call remembers that.
func (s *Calls) MadeBy(ctx context.Context, callID string, cmd events.Command) (events.Transition, error) {
	return s.find(ctx, cmd.App, callID, func(t events.Transition) bool { return call.MadeBy(t, cmd) }, false)
}

// find gives a transition that fits, from the leader: the first one, or else the newest.
func (s *Calls) find(
	ctx context.Context, app, callID string, fits func(events.Transition) bool, first bool,
) (found events.Transition, err error) {
	subject := events.TransitionSubject(app, callID)
	for from := uint64(1); ; {
		m, err := s.msg.atLeader(ctx, getRequest{Sequence: from, NextBySubject: subject})
		if errors.Is(err, errNoMessage) {
			break
		}
		if err != nil {
			return events.Transition{}, fmt.Errorf("store: read the history of call %s: %w", callID, err)
		}
		t, _, err := events.ReadTransition(app, callID, m.data)
		if isNewer(err) { // it may be the one that is looked for
			return events.Transition{}, fmt.Errorf("store: read the history of call %s: %w", callID, err)
		}
		if err == nil && fits(t) {
			if found = t; first {
				break
			}
		}
		from = m.seq + 1
	}
	if found.Seq == 0 {
		return found, ErrNoTransition
	}
	return found, nil
}

// Commit writes the transition that follows the call as it was read, in the format in which the call began, and gives
// the call after it. It tries for up to 15 s, as the leader of a stream may have to be elected.
func (s *Calls) Commit(ctx context.Context, base Loaded, t events.Transition, at events.Time) (Loaded, error) {
	t.Format = base.Format
	data, err := t.Encode(at)
	if err != nil {
		return Loaded{}, err
	}
	msg := &nats.Msg{
		Subject: events.TransitionSubject(t.Call.App, t.Call.CallID), Header: expecting(base.expect), Data: data,
	}
	msg.Header.Set("Content-Type", events.ContentType)
	msg.Header.Set(events.HeaderEvent, string(t.Event))
	before := s.given.Load()
	seq, err := worker.Write(ctx, s.msg.nc, msg)
	s.noticeTail(before, seq, err)
	switch {
	case isConflict(err):
		return Loaded{}, ErrConflict
	case err != nil:
		return Loaded{}, fmt.Errorf("store: commit %s: %w", events.TransitionID(t.Call.CallID, t.Seq), err)
	}
	return Loaded{Transition: t, Bytes: len(data), expect: seq}, nil
}

// noticeTail compares a sequence that was given with what had been given before it was asked for.
func (s *Calls) noticeTail(before, seq uint64, err error) {
	if err != nil {
		return
	}
	if seq <= before && s.given.CompareAndSwap(before, seq) {
		if s.LostTail != nil {
			s.LostTail(before + 1 - seq)
		}
		return
	}
	for now := s.given.Load(); seq > now && !s.given.CompareAndSwap(now, seq); now = s.given.Load() {
	}
}

// expecting makes a write go through only if this is the sequence of the last message on its subject; 0: there is none.
func expecting(seq uint64) nats.Header {
	return nats.Header{jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(seq, 10)}}
}

// isConflict knows the two codes of a sequence that is not the expected one; the second comes from clusters.
func isConflict(err error) bool {
	const wrongLastSequence, wrongLastSequenceConstant = 10071, 10164
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == wrongLastSequence || api.ErrorCode == wrongLastSequenceConstant)
}

// isNewer knows a transition that a newer version wrote. It is never passed over as garbage: it may be the call.
func isNewer(err error) bool {
	_, newer := errors.AsType[*events.NewerFormatError](err)
	return newer
}
