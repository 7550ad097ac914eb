package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// Lines reads and writes lines: the calls that each user is in.
type Lines struct {
	js    jetstream.JetStream
	msg   reader
	calls *Calls
	log   zerolog.Logger
	hints hints

	malformed *meter.Count
}

// NewLines returns the lines behind this connection. The meter may be nil.
func NewLines(nc *nats.Conn, js jetstream.JetStream, calls *Calls, log zerolog.Logger, m *meter.Meter) *Lines {
	return &Lines{
		js: js, msg: reader{nc: nc, stream: "KV_" + streams.BucketLines}, calls: calls, log: log, hints: newHints(nc),
		malformed: m.Malformed(meter.OnLine),
	}
}

// Line is a user's line as it was read, or as it most likely is. A write of it succeeds only if that is still right.
type Line struct {
	UserID  string
	Entries []events.Entry

	revision uint64 // expected by the next write
	guessed  bool   // assumed to be empty, and not read
}

const kvPrefix = "$KV." + streams.BucketLines + "."

// Read reads a line from the leader. A user without calls has an empty line.
func (s *Lines) Read(ctx context.Context, app, userID string) (Line, error) {
	l := Line{UserID: userID}
	m, err := s.msg.atLeader(ctx, getRequest{LastBySubject: kvPrefix + events.LineKey(app, userID)})
	if errors.Is(err, errNoMessage) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("store: read a line: %w", err)
	}
	l.revision = m.seq
	if len(m.data) == 0 {
		return l, nil // a delete marker: the line was released or has expired
	}
	if l.Entries, err = events.ReadLine(m.data); err != nil {
		s.malformed.Inc()
		s.log.Error().Err(err).Str("app", app).Uint64("sequence", m.seq).Msg("malformed line taken as empty")
	}
	return l, nil
}

// Assume returns a line that is most likely empty, without a read. It returns false if the line is most likely not empty, or if
// its revision is unknown. Write verifies the assumption.
func (s *Lines) Assume(app, userID string) (Line, bool) {
	revision, ok := s.hints.guess(events.LineKey(app, userID))
	return Line{UserID: userID, revision: revision, guessed: true}, ok
}

// AssumptionsPay reports whether assumptions save more reads than they cost writes. While most of them are wrong, it returns true
// now and then only.
func (s *Lines) AssumptionsPay() bool { return s.hints.track.pays() }

// Recall returns a line as this process last wrote it, if it did so on the current connection.
func (s *Lines) Recall(app, userID string) (Line, bool) {
	return s.hints.recall(events.LineKey(app, userID))
}

// Write replaces the entries of the line. It returns ErrConflict if the line has another revision than l.
func (s *Lines) Write(ctx context.Context, app string, l Line, entries []events.Entry) error {
	key := events.LineKey(app, l.UserID)
	msg := &nats.Msg{Subject: kvPrefix + key, Header: expecting(l.revision)}
	if len(entries) == 0 {
		msg.Header.Set("KV-Operation", "DEL")
		msg.Header.Set(jetstream.MsgTTLHeader, "60s")
	} else {
		data, err := events.Encode(entries)
		if err != nil {
			return err
		}
		msg.Data = data
	}
	revision, err := broker.Write(ctx, s.msg.nc, msg)
	if l.guessed && (err == nil || broker.IsConflict(err)) {
		s.hints.track.went(err == nil)
	}
	switch {
	case err == nil:
		s.hints.left(key, Line{UserID: l.UserID, Entries: entries, revision: revision})
		return nil
	case broker.IsConflict(err):
		err = ErrConflict
	default:
		err = fmt.Errorf("store: write a line: %w", err)
	}
	s.hints.forget(key)
	return err
}
