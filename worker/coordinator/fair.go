package coordinator

import (
	"context"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/quota"
)

// Fair is what keeps apps from each other's way.
type Fair struct {
	Quotas *quota.Quotas
	Limits func(app string) quota.Limits // never waits
}

// Admit is an Admission: it refuses a command that is above a quota of its app or its user.
func (f *Fair) Admit(at time.Time, cmd events.Command, bytes int) *events.Error {
	return f.Quotas.Admit(at, f.Limits(cmd.App), cmd, bytes)
}

// mayLookUp says whether one more command of the app may be looked up that is above a quota.
func (f *Fair) mayLookUp(at time.Time, app string) bool {
	return f == nil || f.Quotas.LookUp(at, f.Limits(app), app)
}

// tells says whether it is time to log that a command of this app is above a quota.
func (f *Fair) tells(d delivery) bool { return f != nil && f.Quotas.Tell(d.at, d.cmd.App) }

// spent is what a delivery has taken of the quotas.
type spent struct {
	admitted bool // it was let in, and charged
	unknown  bool // it found no call
	stored   int  // bytes of the transition that it made
}

// pay charges the quotas with what the delivery has taken.
func (f *Fair) pay(d delivery) {
	if f != nil {
		f.Quotas.Settle(d.at, f.Limits(d.cmd.App), d.cmd, quota.Done{
			Admitted: d.spent.admitted, Unknown: d.spent.unknown, Message: len(d.body), Stored: d.spent.stored,
		})
	}
}

// mayWait says whether there is a place for a command that waits for its invitation; else why not. It takes the place when
// the command is delivered first, and keeps it until the command is decided.
func (c *Coordinator) mayWait(d delivery) *events.Error {
	if f := c.cfg.Fair; f != nil && d.handledFirst() {
		return f.Quotas.Wait(d.at, f.Limits(d.cmd.App), d.cmd)
	}
	return nil
}

// ringing counts the callees that the sender makes ring in other calls, where the limit on them matters: a user whose
// line holds one call has no other. It is not read again for a command that may have claimed lines, so that it is never
// refused for it.
func (c *Coordinator) ringing(ctx context.Context, d delivery, l call.Limits) (n int, err error) {
	if !d.cmd.Verb.Invites() || d.cmd.Via != events.ViaSession || l.Capacity == 1 || !d.handledFirst() {
		return 0, nil
	}
	calls, err := c.lines.CallsOf(ctx, d.cmd.App, d.cmd.UserID)
	for _, other := range calls {
		if other.CallID != d.cmd.CallID {
			n += call.RungBy(other, d.cmd.UserID)
		}
	}
	return n, err
}
