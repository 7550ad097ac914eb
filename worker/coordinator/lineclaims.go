package coordinator

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/store"
)

// errInFlight means that a line holds a claim of another command, which may still be committed. The claims that were already
// made stay. The command has to be nak'ed with a delay.
var errInFlight = errors.New("coordinator: a claim in flight")

// staleAfter is the age at which a claim in flight may be taken over.
const staleAfter = 30 * time.Second

// lineClaims claims and releases places on lines. An entry is live, in flight or dead (events.Entry.State).
type lineClaims struct {
	calls     *store.Calls
	lines     *store.Lines
	log       zerolog.Logger
	takeovers *meter.Count
}

// lineClaim is the request of an invite or add for a place on the lines of its users.
type lineClaim struct {
	cmd       events.Command
	base      events.Transition // the call on which the claim is decided
	users     []string
	in        call.Input
	first     bool   // the command is handled for the first time
	onClaimed func() // called after each line that was claimed
}

// claim claims the lines of the users one after another, in the order of user ids, so that two crossing invitations can't
// block each other. It first reads all lines, in parallel. If the command is handled for the first time, it does not read a
// line but assumes that it is empty, which is most likely. store.ErrConflict means that the call has changed.
func (x *lineClaims) claim(ctx context.Context, c lineClaim) (call.Claimed, error) {
	users := slices.Sorted(slices.Values(c.users))
	lines, err := x.linesOf(ctx, c, users)
	if err != nil {
		return call.Claimed{}, err
	}
	var got call.Claimed
	for i, l := range lines {
		full, glare, err := x.claimOne(ctx, c, l)
		switch {
		case errors.Is(err, errInFlight) && c.passed(l, lines[i+1:]):
			got.Busy = append(got.Busy, l.UserID)
		case err != nil:
			return call.Claimed{}, err
		case glare != nil:
			return call.Claimed{Glare: glare}, nil
		case full && c.cmd.Verb == events.VerbInvite && l.UserID == c.cmd.UserID:
			return call.Claimed{CallerBusy: true}, nil
		case full:
			got.Busy = append(got.Busy, l.UserID)
		}
	}
	return got, nil
}

// linesOf returns the lines of the users. For a first handling, as long as assumptions pay, it assumes that lines are empty,
// and reads only those for which Assume returns false. Otherwise it reads all of them.
func (x *lineClaims) linesOf(ctx context.Context, c lineClaim, users []string) ([]store.Line, error) {
	lines := make([]store.Line, len(users))
	var reads []func() error
	assume := c.first && x.lines.AssumptionsPay()
	for i, u := range users {
		if assume {
			var ok bool
			if lines[i], ok = x.lines.Assume(c.cmd.App, u); ok {
				continue
			}
		}
		reads = append(reads, func() (err error) {
			lines[i], err = x.lines.Read(ctx, c.cmd.App, u)
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
func (c lineClaim) passed(l store.Line, behind []store.Line) bool {
	return l.UserID != c.cmd.UserID && slices.ContainsFunc(behind, func(l store.Line) bool {
		return slices.ContainsFunc(l.Entries, func(e events.Entry) bool {
			return e.CallID == c.cmd.CallID && e.Seq == c.base.Seq && e.CommandID == c.cmd.CommandID
		})
	})
}

// claimOne claims one line. It reports whether the line is full, and the glare if the invitation crosses one of its calls.
func (x *lineClaims) claimOne(ctx context.Context, c lineClaim, l store.Line) (full bool, glare *call.Glare, err error) {
	for range maxClaims {
		own := slices.IndexFunc(l.Entries, func(e events.Entry) bool { return e.CallID == c.cmd.CallID })
		switch {
		case own >= 0 && l.Entries[own].Seq == c.base.Seq:
			return false, nil, nil // claimed by an earlier handling of this command
		case own >= 0 && l.Entries[own].Seq > c.base.Seq:
			return false, nil, x.ahead(ctx, c, l.Entries[own])
		}
		live, glare, err := x.judge(ctx, c, l)
		switch {
		case errors.Is(err, errMoved):
		case err != nil, glare != nil:
			return false, glare, err
		case len(live) >= c.in.Limits.Capacity:
			return true, nil, nil
		default:
			mine := events.Entry{
				CallID: c.cmd.CallID, Seq: c.base.Seq, At: events.TimeOf(c.in.Now), CommandID: c.cmd.CommandID,
			}
			err = x.lines.Write(ctx, c.cmd.App, l, append(live, mine))
			if err == nil {
				c.onClaimed()
				return false, nil, nil
			}
			if !errors.Is(err, store.ErrConflict) {
				return false, nil, err
			}
		}
		if l, err = x.lines.Read(ctx, c.cmd.App, l.UserID); err != nil {
			return false, nil, err
		}
	}
	return false, nil, errInFlight
}

// ahead handles a claim for the command's own call whose sequence is above that of the call as it was read: the call has to be
// read again. If the claim is stale, the call has lost transitions, for example after a power failure. Then ahead moves the call
// past the claim, because otherwise no add could ever succeed.
func (x *lineClaims) ahead(ctx context.Context, c lineClaim, e events.Entry) error {
	if c.in.Now.Sub(e.At.Time()) < staleAfter {
		return store.ErrConflict
	}
	own, err := x.calls.LoadFromLeader(ctx, c.cmd.App, c.cmd.CallID)
	if err != nil {
		return err
	}
	if own.Seq > 0 && own.Seq < e.Seq {
		if err := x.fence(ctx, c, e, own); !errors.Is(err, errMoved) {
			return err
		}
	}
	return store.ErrConflict
}

// errMoved means that a call was moved past a stale claim, so the line has to be judged again.
var errMoved = errors.New("coordinator: moved past a claim")

// judge reads the call of every entry from the leader, except for the command's own call, and returns the live entries.
func (x *lineClaims) judge(ctx context.Context, c lineClaim, l store.Line) (live []events.Entry, glare *call.Glare, err error) {
	for _, e := range l.Entries {
		if e.CallID == c.cmd.CallID {
			continue // an entry with a lower sequence than the call: dead
		}
		holder, err := x.calls.LoadFromLeader(ctx, c.cmd.App, e.CallID)
		if err != nil {
			return nil, nil, err
		}
		switch e.State(l.UserID, holder.Call) {
		case events.EntryLive:
			if g := call.FindGlare(c.cmd, holder.Call); g != nil {
				return nil, g, nil
			}
			live = append(live, e)
		case events.EntryInFlight:
			if c.in.Now.Sub(e.At.Time()) < staleAfter {
				return nil, nil, errInFlight
			}
			return nil, nil, x.fence(ctx, c, e, holder)
		case events.EntryDead:
		}
	}
	return live, nil, nil
}

// fence moves a call past a stale claim, so that a paused worker that wakes up loses its commit. It returns errMoved if that
// succeeds or the call has moved meanwhile.
func (x *lineClaims) fence(ctx context.Context, c lineClaim, e events.Entry, holder store.Loaded) error {
	cmd := c.cmd
	cmd.CallID = e.CallID
	w := call.Fence(holder.Transition, cmd, c.in)
	_, err := x.calls.Commit(ctx, holder, w.Transition, w.At)
	switch {
	case err == nil:
		x.takeovers.Inc()
		x.log.Warn().Str("app", cmd.App).Str("call_id", e.CallID).Msg("a claim in flight was taken over")
	case !errors.Is(err, store.ErrConflict):
		return err
	}
	return errMoved
}
