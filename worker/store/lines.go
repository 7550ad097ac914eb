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
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
)

// ErrInFlight means that a line holds a claim of another command that may yet be committed. Claims that were made
// stay; the command is to be put back for a moment.
var ErrInFlight = errors.New("store: a claim in flight")

// staleAfter is how old a claim in flight must be before its call is moved past it.
const staleAfter = 30 * time.Second

// Lines keeps who is in which calls.
type Lines struct {
	js    jetstream.JetStream
	msg   reader
	calls *Calls
	log   zerolog.Logger
	hints hints

	garbage, takeovers *meter.Count
}

// NewLines gives the lines behind this connection. The meter may be nil.
func NewLines(nc *nats.Conn, js jetstream.JetStream, calls *Calls, log zerolog.Logger, m *meter.Meter) *Lines {
	return &Lines{
		js: js, msg: reader{nc: nc, stream: "KV_" + worker.BucketLines}, calls: calls, log: log, hints: newHints(nc),
		garbage: m.Garbage(meter.OnLine), takeovers: m.Takeovers(),
	}
}

// line is a user's line as it was read.
type line struct {
	user     string
	entries  []events.Entry
	revision uint64 // what the next write expects
	guessed  bool   // it was not read
}

const kvPrefix = "$KV." + worker.BucketLines + "."

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
		return l, nil // a marker: the line was released, or has grown too old
	}
	if l.entries, err = events.ReadLine(m.data); err != nil {
		s.garbage.Inc()
		s.log.Error().Err(err).Str("app", app).Uint64("sequence", m.seq).Msg("no line, taken as empty")
	}
	return l, nil
}

// write replaces what the line holds; ErrConflict if somebody else has written it meanwhile.
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
	revision, err := worker.Write(ctx, s.msg.nc, msg)
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

// Claim is what an invite or add wants of the lines of its users.
type Claim struct {
	Command events.Command
	Base    events.Transition // the call as the claim is decided on
	Users   []string
	In      call.Input
	First   bool   // nobody has handled the command before
	Claimed func() // told of each line that was claimed
}

// Claim claims the lines of the users one after another, in the order of their ids, so that two invitations that
// cross can't block each other. The reads go before, in parallel; where the command is handled for the first time a line is
// not read but taken to be empty, as it is most of the time. ErrConflict means that the call has moved on.
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

// linesOf gives the lines as they were read, or, the first time, as empty where this process does not know better.
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
	return lines, worker.Together(reads...)
}

// maxClaims is how often a line that others write is read again before the command is put back.
const maxClaims = 16

// passed says whether an earlier handling of this command found the line of a callee full: it went on and claimed one of
// those behind it. That it was full still holds. To wait for it now, with that claim kept, would be to claim out of
// order, and whoever has claimed it meanwhile may be waiting for ours.
func (c Claim) passed(l line, behind []line) bool {
	return l.user != c.Command.UserID && slices.ContainsFunc(behind, func(l line) bool {
		return slices.ContainsFunc(l.entries, func(e events.Entry) bool {
			return e.CallID == c.Command.CallID && e.Seq == c.Base.Seq && e.CommandID == c.Command.CommandID
		})
	})
}

// claim claims one line, or says that it is full, or that one of its calls is the other half of a glare.
func (s *Lines) claim(ctx context.Context, c Claim, l line) (full bool, glare *call.Glare, err error) {
	for range maxClaims {
		own := slices.IndexFunc(l.entries, func(e events.Entry) bool { return e.CallID == c.Command.CallID })
		switch {
		case own >= 0 && l.entries[own].Seq == c.Base.Seq:
			return false, nil, nil // an earlier handling of this command has claimed it
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

// ahead handles a claim for the command's own call that is newer than the call as it was read: it is to be read
// again. Where the claim is stale the call itself has lost transitions, as after a power cut: it is moved on, or no
// add could ever be handled.
func (s *Lines) ahead(ctx context.Context, c Claim, e events.Entry) error {
	if c.In.Now.Sub(e.At.Time()) < staleAfter {
		return ErrConflict
	}
	own, err := s.calls.Lead(ctx, c.Command.App, c.Command.CallID)
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

// errMoved means that a stale claim was moved past, so that the line is to be judged again.
var errMoved = errors.New("store: moved past a claim")

// judge looks at every entry of the line but the command's own, at the leader, and keeps those that are live.
func (s *Lines) judge(ctx context.Context, c Claim, l line) (live []events.Entry, glare *call.Glare, err error) {
	for _, e := range l.entries {
		if e.CallID == c.Command.CallID {
			continue // from before the call moved: dead
		}
		holder, err := s.calls.Lead(ctx, c.Command.App, e.CallID)
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

// fence moves a call past a claim that nobody has committed for too long: a paused worker that wakes up loses
// its commit.
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

// Release takes the call off the lines of those of the users who are not in it any more. Only dead entries go.
func (s *Lines) Release(ctx context.Context, now events.Transition, users []string) error {
	return worker.Together(s.Releases(ctx, now, users)...)
}

// Releases is Release, to be done beside something else: one for each line.
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

// releasing keeps the call, which those who release nothing then need not.
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
	return nil // a dead entry that stays is taken over by the next claim
}

// without gives the entries of the line but those of the call that are dead.
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
		holder, err := s.calls.Lead(ctx, app, e.CallID)
		if err != nil {
			return nil, err
		}
		if holder.Call.On(userID) {
			calls = append(calls, holder.Call)
		}
	}
	return calls, nil
}

// OpenCalls lists the open calls of an app, found through its lines and each read from the leader.
func (s *Lines) OpenCalls(ctx context.Context, app string) ([]events.Call, error) {
	ids, err := s.named(ctx, app)
	if err != nil {
		return nil, err
	}
	open := []events.Call{}
	for some := range slices.Chunk(ids, maxReads) {
		found, reads := make([]Loaded, len(some)), make([]func() error, len(some))
		for i, id := range some {
			reads[i] = func() (err error) {
				found[i], err = s.calls.Lead(ctx, app, id)
				return err
			}
		}
		if err := worker.Together(reads...); err != nil {
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

// maxReads is how many calls are read at once: a read of an old message loads a whole block in the server.
const maxReads = 16

// named lists the ids of the calls that stand on the lines of an app; not all of them need be open.
func (s *Lines) named(ctx context.Context, app string) ([]string, error) {
	kv, err := s.js.KeyValue(ctx, worker.BucketLines)
	if err != nil {
		return nil, fmt.Errorf("store: open the lines: %w", err)
	}
	w, err := kv.Watch(ctx, app+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("store: list the lines: %w", err)
	}
	defer func() { _ = w.Stop() }()
	ids := map[string]bool{}
	for update := range w.Updates() {
		if update == nil { // that was the last that there was
			return slices.Sorted(maps.Keys(ids)), nil
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
	return nil, errors.New("store: the list of the lines ended early")
}
