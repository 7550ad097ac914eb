package coordinator

import (
	"context"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/quota"
)

// Fair enforces the quotas of apps.
type Fair struct {
	Quotas *quota.Quotas
	Limits func(app string) quota.Limits // never blocks
}

// Admit is an Admission. It refuses a command that exceeds a quota of its app or user.
func (f *Fair) Admit(at time.Time, cmd events.Command, bytes int) error {
	return f.Quotas.Admit(at, f.Limits(cmd.App), cmd, bytes)
}

// mayLookUp reports whether one more command of the app that exceeds a quota may be looked up.
func (f *Fair) mayLookUp(at time.Time, app string) bool {
	return f == nil || f.Quotas.LookUp(at, f.Limits(app), app)
}

// allowLog reports whether to log that a command of this app exceeds a quota. If so, it allows no other log entry for a minute.
func (f *Fair) allowLog(d delivery) bool { return f != nil && f.Quotas.AllowLog(d.at, d.cmd.App) }

// spent is how much of the quotas a delivery used.
type spent struct {
	admitted bool // admitted and charged
	unknown  bool // found no call
	stored   int  // bytes of the transition that it made
}

// pay charges the quotas for the delivery.
func (f *Fair) pay(d delivery) {
	if f != nil {
		f.Quotas.Settle(d.at, f.Limits(d.cmd.App), d.cmd, quota.Done{
			Admitted: d.spent.admitted, Unknown: d.spent.unknown, Message: len(d.body), Stored: d.spent.stored,
		})
	}
}

// mayWait returns nil if there is a place for a command that waits for its invitation, or the refusal. A first delivery takes
// the place. Later deliveries keep it.
func (c *Coordinator) mayWait(d delivery) error {
	if f := c.cfg.Fair; f != nil && d.handledFirst() {
		return f.Quotas.Wait(d.at, f.Limits(d.cmd.App), d.cmd)
	}
	return nil
}

// ringing counts the callees that the sender currently rings in other calls. It returns 0 if the limit can't matter: if a line
// holds only one call, the sender has no other call. A command that may have claimed lines is not counted again, so that it is
// never refused because of this limit.
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
