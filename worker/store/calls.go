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
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// ErrConflict means that the call has changed since it was read, or that this same commit was already stored.
var ErrConflict = errors.New("store: the call has changed")

// ErrNoTransition means that the call has no such transition, or that it was deleted by age.
var ErrNoTransition = errors.New("store: no such transition")

// Calls reads and writes calls.
type Calls struct {
	msg reader
	log zerolog.Logger

	// LostTail receives the number of newest messages that the stream has lost, after a crash of the server. It may be nil. Set
	// it before the first commit.
	LostTail func(messages uint64)

	given     atomic.Uint64 // highest stream sequence that a commit received; lower after a lost tail
	malformed *meter.Count
}

// NewCalls returns the calls behind this connection. The meter may be nil.
func NewCalls(nc *nats.Conn, log zerolog.Logger, m *meter.Meter) *Calls {
	return &Calls{msg: reader{nc: nc, stream: streams.StreamCalls}, log: log, malformed: m.Malformed(meter.OnCall)}
}

// Loaded is a call as it was read: its newest transition (zero if there is none), and the stream sequence that the next
// commit expects.
type Loaded struct {
	events.Transition

	Bytes  int // size of the transition, if it comes from Commit
	expect uint64
}

// Load reads a call from any replica.
func (s *Calls) Load(ctx context.Context, app, callID string) (Loaded, error) {
	return s.newest(ctx, app, callID, s.msg.anywhere)
}

// AssumeNew assumes that the call does not exist, as is most likely for a new invitation. The commit verifies it.
func (s *Calls) AssumeNew(context.Context, string, string) (Loaded, error) { return Loaded{}, nil }

// MayRemember reports whether the command may have been carried out: the call remembers it, or can't be read.
func (s *Calls) MayRemember(ctx context.Context, cmd events.Command) bool {
	now, err := s.LoadFromLeader(ctx, cmd.App, cmd.CallID)
	return err != nil || call.Remembers(now.Transition, cmd)
}

// LoadFromLeader reads a call from the leader.
func (s *Calls) LoadFromLeader(ctx context.Context, app, callID string) (Loaded, error) {
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
		s.malformed.Inc()
		s.log.Error().Err(err).Str("subject", subject).Uint64("sequence", m.seq).Msg("malformed transition ignored")
		if t, err = s.find(ctx, app, callID, func(events.Transition) bool { return true }, false); errors.Is(err, ErrNoTransition) {
			err = nil
		}
	}
	return Loaded{Transition: t, expect: m.seq}, err
}

// Transition reads the transition with sequence seq of a call from the leader.
func (s *Calls) Transition(ctx context.Context, app, callID string, seq int) (events.Transition, error) {
	return s.find(ctx, app, callID, func(t events.Transition) bool { return t.Seq == seq }, true)
}

// MadeBy finds the newest transition that this command made, even if the call no longer remembers the command.
func (s *Calls) MadeBy(ctx context.Context, callID string, cmd events.Command) (events.Transition, error) {
	return s.find(ctx, cmd.App, callID, func(t events.Transition) bool { return call.MadeBy(t, cmd) }, false)
}

// find reads the history of a call from the leader. It returns the first transition that fits, or the newest if first is
// false.
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
		if isNewer(err) { // it may be the one that fits
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

// Commit writes the transition that follows the call as it was read, and returns the call after it. It keeps the format in
// which the call began. It tries for up to 15 s, because the stream may be electing a leader.
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
	seq, err := broker.Write(ctx, s.msg.nc, msg)
	s.noticeTail(before, seq, err)
	switch {
	case broker.IsConflict(err):
		return Loaded{}, ErrConflict
	case err != nil:
		return Loaded{}, fmt.Errorf("store: commit %s: %w", events.TransitionID(t.Call.CallID, t.Seq), err)
	}
	return Loaded{Transition: t, Bytes: len(data), expect: seq}, nil
}

// noticeTail reports a lost tail if a commit received a sequence that is not above before, the highest one known when the
// commit was sent.
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

// expecting returns the header that makes a write succeed only if seq is the sequence of the last message on its subject. 0
// means that there is no message.
func expecting(seq uint64) nats.Header {
	return nats.Header{jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(seq, 10)}}
}

// isNewer reports whether a newer version wrote the transition. Such a transition is never skipped as garbage, because it may
// be the state of the call.
func isNewer(err error) bool {
	_, newer := errors.AsType[*events.NewerFormatError](err)
	return newer
}
