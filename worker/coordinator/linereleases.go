package coordinator

import (
	"context"
	"errors"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/store"
)

// release removes the call from the lines of those users who are no longer in it. It removes dead entries only.
func (x *lineClaims) release(ctx context.Context, now events.Transition, users []string) error {
	return broker.RunAll(x.releases(ctx, now, users)...)
}

// releases returns the steps of release, one for each line, so that they can run in parallel with other work.
func (x *lineClaims) releases(ctx context.Context, now events.Transition, users []string) (releases []func() error) {
	if now.Seq == 0 {
		return nil
	}
	for i, u := range users {
		if !slices.Contains(users[:i], u) && !now.Call.On(u) {
			releases = append(releases, x.releasing(ctx, now.Call, u))
		}
	}
	return releases
}

// releasing is a function of its own so that only a call with something to release is copied to the heap.
func (x *lineClaims) releasing(ctx context.Context, c events.Call, userID string) func() error {
	return func() error { return x.releaseOne(ctx, c, userID) }
}

func (x *lineClaims) releaseOne(ctx context.Context, c events.Call, userID string) error {
	l, known := x.lines.Recall(c.App, userID)
	for range maxClaims {
		left := without(l, c)
		if !known || len(left) == len(l.Entries) {
			var err error
			if l, err = x.lines.Read(ctx, c.App, userID); err != nil {
				return err
			}
			if left = without(l, c); len(left) == len(l.Entries) {
				return nil
			}
		}
		if err := x.lines.Write(ctx, c.App, l, left); !errors.Is(err, store.ErrConflict) {
			return err
		}
		known = false
	}
	return nil // the next claim replaces the dead entry
}

// without returns the entries of the line, without the dead ones of the call.
func without(l store.Line, c events.Call) []events.Entry {
	return slices.DeleteFunc(slices.Clone(l.Entries), func(e events.Entry) bool {
		return e.CallID == c.CallID && e.State(l.UserID, c) == events.EntryDead
	})
}
