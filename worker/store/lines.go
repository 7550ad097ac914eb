package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// ErrInFlight means that a line holds a claim of another command, which may still be committed. The claims that were already
// made stay. The command has to be nak'ed with a delay.
var ErrInFlight = errors.New("store: a claim in flight")

// staleAfter is the age at which a claim in flight may be taken over.
const staleAfter = 30 * time.Second

// Lines reads and writes lines: the calls that each user is in.
type Lines struct {
	js    jetstream.JetStream
	msg   reader
	calls *Calls
	log   zerolog.Logger
	hints hints

	garbage, takeovers *meter.Count
}

// NewLines returns the lines behind this connection. The meter may be nil.
func NewLines(nc *nats.Conn, js jetstream.JetStream, calls *Calls, log zerolog.Logger, m *meter.Meter) *Lines {
	return &Lines{
		js: js, msg: reader{nc: nc, stream: "KV_" + streams.BucketLines}, calls: calls, log: log, hints: newHints(nc),
		garbage: m.Garbage(meter.OnLine), takeovers: m.Takeovers(),
	}
}

// line is a user's line as it was read.
type line struct {
	user     string
	entries  []events.Entry
	revision uint64 // expected by the next write
	guessed  bool   // assumed to be empty, and not read
}

const kvPrefix = "$KV." + streams.BucketLines + "."

func (s *Lines) read(ctx context.Context, app, userID string) (line, error) {
	l := line{user: userID}
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
	if l.entries, err = events.ReadLine(m.data); err != nil {
		s.garbage.Inc()
		s.log.Error().Err(err).Str("app", app).Uint64("sequence", m.seq).Msg("no line, taken as empty")
	}
	return l, nil
}

// write replaces the entries of the line. It returns ErrConflict if the line has another revision than l.
func (s *Lines) write(ctx context.Context, app string, l line, entries []events.Entry) error {
	key := events.LineKey(app, l.user)
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
	switch {
	case err == nil:
		s.hints.left(key, line{user: l.user, entries: entries, revision: revision})
		return nil
	case isConflict(err):
		err = ErrConflict
	default:
		err = fmt.Errorf("store: write a line: %w", err)
	}
	s.hints.forget(key)
	return err
}

// Claim is the request of an invite or add for a place on the lines of its users.
type Claim struct {
	Command events.Command
	Base    events.Transition // the call on which the claim is decided
	Users   []string
	In      call.Input
	First   bool   // the command is handled for the first time
	Claimed func() // called after each line that was claimed
}

// Claim claims the lines of the users one after another, in the order of user ids, so that two crossing invitations can't
// block each other. It first reads all lines, in parallel. If the command is handled for the first time, it does not read a
// line but assumes that it is empty, which is most likely. ErrConflict means that the call has changed.
func (s *Lines) Claim(ctx context.Context, c Claim) (call.Claimed, error) {
	users := slices.Sorted(slices.Values(c.Users))
	lines, err := s.linesOf(ctx, c, users)
	if err != nil {
		return call.Claimed{}, err
	}
	var got call.Claimed
	for i, l := range lines {
		full, glare, err := s.claim(ctx, c, l)
		switch {
		case errors.Is(err, ErrInFlight) && c.passed(l, lines[i+1:]):
			got.Busy = append(got.Busy, l.user)
		case err != nil:
			return call.Claimed{}, err
		case glare != nil:
			return call.Claimed{Glare: glare}, nil
		case full && c.Command.Verb == events.VerbInvite && l.user == c.Command.UserID:
			return call.Claimed{CallerBusy: true}, nil
		case full:
			got.Busy = append(got.Busy, l.user)
		}
	}
	return got, nil
}

// linesOf returns the lines of the users. For a first handling, as long as guesses pay, it assumes that lines are empty, and
// reads only those for which hints.guess returns false. Otherwise it reads all of them.
func (s *Lines) linesOf(ctx context.Context, c Claim, users []string) ([]line, error) {
	lines := make([]line, len(users))
	var reads []func() error
	guess := c.First && s.hints.track.pays()
	for i, u := range users {
		if guess {
			if revision, ok := s.hints.guess(events.LineKey(c.Command.App, u)); ok {
				lines[i] = line{user: u, revision: revision, guessed: true}
				continue
			}
		}
		reads = append(reads, func() (err error) {
			lines[i], err = s.read(ctx, c.Command.App, u)
			return err
		})
	}
	return lines, broker.RunAll(reads...)
}

// maxClaims is the number of attempts to claim or release a line that other workers write. If a claim fails that often, its
// command is nak'ed with a delay.
const maxClaims = 16

// passed reports whether an earlier handling of this command found the line of a callee full, and went on to claim a line
// behind it. Then the callee stays busy. To wait for that line now, while the later claim is held, is a claim out of order:
// the command that holds the line may be waiting for the later one.
func (c Claim) passed(l line, behind []line) bool {
	return l.user != c.Command.UserID && slices.ContainsFunc(behind, func(l line) bool {
		return slices.ContainsFunc(l.entries, func(e events.Entry) bool {
			return e.CallID == c.Command.CallID && e.Seq == c.Base.Seq && e.CommandID == c.Command.CommandID
		})
	})
}

// claim claims one line. It reports whether the line is full, and the glare if the invitation crosses one of its calls.
func (s *Lines) claim(ctx context.Context, c Claim, l line) (full bool, glare *call.Glare, err error) {
	for range maxClaims {
		own := slices.IndexFunc(l.entries, func(e events.Entry) bool { return e.CallID == c.Command.CallID })
		switch {
		case own >= 0 && l.entries[own].Seq == c.Base.Seq:
			return false, nil, nil // claimed by an earlier handling of this command
		case own >= 0 && l.entries[own].Seq > c.Base.Seq:
			return false, nil, s.ahead(ctx, c, l.entries[own])
		}
		live, glare, err := s.judge(ctx, c, l)
		switch {
		case errors.Is(err, errMoved):
		case err != nil, glare != nil:
			return false, glare, err
		case len(live) >= c.In.Limits.Capacity:
			return true, nil, nil
		default:
			mine := events.Entry{
				CallID: c.Command.CallID, Seq: c.Base.Seq, At: events.TimeOf(c.In.Now), CommandID: c.Command.CommandID,
			}
			err = s.write(ctx, c.Command.App, l, append(live, mine))
			if l.guessed && (err == nil || errors.Is(err, ErrConflict)) {
				s.hints.track.went(err == nil)
			}
			if err == nil {
				c.Claimed()
				return false, nil, nil
			}
			if !errors.Is(err, ErrConflict) {
				return false, nil, err
			}
		}
		if l, err = s.read(ctx, c.Command.App, l.user); err != nil {
			return false, nil, err
		}
	}
	return false, nil, ErrInFlight
}

// ahead handles a claim for the command's own call whose sequence is above that of the call as it was read: the call has to be
// read again. If the claim is stale, the call has lost transitions, for example after a power failure. Then ahead moves the call
// past the claim, because otherwise no add could ever succeed.
func (s *Lines) ahead(ctx context.Context, c Claim, e events.Entry) error {
	if c.In.Now.Sub(e.At.Time()) < staleAfter {
		return ErrConflict
	}
	own, err := s.calls.LoadFromLeader(ctx, c.Command.App, c.Command.CallID)
	if err != nil {
		return err
	}
	if own.Seq > 0 && own.Seq < e.Seq {
		if err := s.fence(ctx, c, e, own); !errors.Is(err, errMoved) {
			return err
		}
	}
	return ErrConflict
}

// errMoved means that a call was moved past a stale claim, so the line has to be judged again.
var errMoved = errors.New("store: moved past a claim")

// judge reads the call of every entry from the leader, except for the command's own call, and returns the live entries.
func (s *Lines) judge(ctx context.Context, c Claim, l line) (live []events.Entry, glare *call.Glare, err error) {
	for _, e := range l.entries {
		if e.CallID == c.Command.CallID {
			continue // an entry with a lower sequence than the call: dead
		}
		holder, err := s.calls.LoadFromLeader(ctx, c.Command.App, e.CallID)
		if err != nil {
			return nil, nil, err
		}
		switch e.State(l.user, holder.Call) {
		case events.EntryLive:
			if g := call.FindGlare(c.Command, holder.Call); g != nil {
				return nil, g, nil
			}
			live = append(live, e)
		case events.EntryInFlight:
			if c.In.Now.Sub(e.At.Time()) < staleAfter {
				return nil, nil, ErrInFlight
			}
			return nil, nil, s.fence(ctx, c, e, holder)
		case events.EntryDead:
		}
	}
	return live, nil, nil
}

// fence moves a call past a stale claim, so that a paused worker that wakes up loses its commit. It returns errMoved if that
// succeeds or the call has moved meanwhile.
func (s *Lines) fence(ctx context.Context, c Claim, e events.Entry, holder Loaded) error {
	cmd := c.Command
	cmd.CallID = e.CallID
	w := call.Fence(holder.Transition, cmd, c.In)
	_, err := s.calls.Commit(ctx, holder, w.Transition, w.At)
	switch {
	case err == nil:
		s.takeovers.Inc()
		s.log.Warn().Str("app", cmd.App).Str("call_id", e.CallID).Msg("a claim in flight was taken over")
	case !errors.Is(err, ErrConflict):
		return err
	}
	return errMoved
}

// Release removes the call from the lines of those users who are no longer in it. It removes dead entries only.
func (s *Lines) Release(ctx context.Context, now events.Transition, users []string) error {
	return broker.RunAll(s.Releases(ctx, now, users)...)
}

// Releases returns the steps of Release, one for each line, so that they can run in parallel with other work.
func (s *Lines) Releases(ctx context.Context, now events.Transition, users []string) (releases []func() error) {
	if now.Seq == 0 {
		return nil
	}
	for i, u := range users {
		if !slices.Contains(users[:i], u) && !now.Call.On(u) {
			releases = append(releases, s.releasing(ctx, now.Call, u))
		}
	}
	return releases
}

// releasing is a function of its own so that only a call with something to release is copied to the heap.
func (s *Lines) releasing(ctx context.Context, c events.Call, userID string) func() error {
	return func() error { return s.release(ctx, c, userID) }
}

func (s *Lines) release(ctx context.Context, c events.Call, userID string) error {
	l, known := s.hints.recall(events.LineKey(c.App, userID))
	for range maxClaims {
		left := without(l, c)
		if !known || len(left) == len(l.entries) {
			var err error
			if l, err = s.read(ctx, c.App, userID); err != nil {
				return err
			}
			if left = without(l, c); len(left) == len(l.entries) {
				return nil
			}
		}
		if err := s.write(ctx, c.App, l, left); !errors.Is(err, ErrConflict) {
			return err
		}
		known = false
	}
	return nil // the next claim replaces the dead entry
}

// without returns the entries of the line, without the dead ones of the call.
func without(l line, c events.Call) []events.Entry {
	return slices.DeleteFunc(slices.Clone(l.entries), func(e events.Entry) bool {
		return e.CallID == c.CallID && e.State(l.user, c) == events.EntryDead
	})
}

// CallsOf lists the calls that the user is in, each read from the leader.
func (s *Lines) CallsOf(ctx context.Context, app, userID string) ([]events.Call, error) {
	l, err := s.read(ctx, app, userID)
	if err != nil {
		return nil, err
	}
	var calls []events.Call
	for _, e := range l.entries {
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
	for some := range slices.Chunk(ids, maxReads) {
		found, reads := make([]Loaded, len(some)), make([]func() error, len(some))
		for i, id := range some {
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
			s.garbage.Inc()
			s.log.Error().Err(err).Str("app", app).Uint64("sequence", update.Revision()).Msg("no line, passed over")
		}
		for _, e := range entries {
			ids[e.CallID] = true
		}
	}
	return nil, lines, errors.New("store: the list of the lines ended early")
}
