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
func (f *Fair) Admit(cmd events.Command, bytes int) *events.Error {
	return f.Quotas.Admit(time.Now(), f.Limits(cmd.App), cmd, bytes)
}

// stored counts what a command has stored.
func (c *Coordinator) stored(d delivery, bytes int) {
	if f := c.cfg.Fair; f != nil {
		f.Quotas.Stored(time.Now(), f.Limits(d.cmd.App), d.cmd, len(d.body), bytes)
	}
}

// mayWait says whether there is a place for a command that waits for its invitation; else why not. It takes the place when
// the command is delivered first, and keeps it until the command is decided.
func (c *Coordinator) mayWait(d delivery) *events.Error {
	if f := c.cfg.Fair; f != nil && d.handledFirst() {
		return f.Quotas.Wait(time.Now(), f.Limits(d.cmd.App), d.cmd)
	}
	return nil
}

// unknown counts a command that found no call.
func (c *Coordinator) unknown(d delivery, now events.Transition) {
	if f := c.cfg.Fair; f != nil && now.Seq == 0 && d.handledFirst() && d.cmd.Verb != events.VerbExpire {
		f.Quotas.Unknown(time.Now(), f.Limits(d.cmd.App), d.cmd)
	}
}

// ringing counts the callees that the sender makes ring in other calls, where the limit on them matters: somebody whose
// line holds one call has no other. It is not read again for a command that may have claimed lines, so that it is never
// refused for it.
func (c *Coordinator) ringing(ctx context.Context, d delivery, l call.Limits) (n int, err error) {
	invites := d.cmd.Verb == events.VerbInvite || d.cmd.Verb == events.VerbAdd
	if !invites || d.cmd.Via != events.ViaSession || l.Capacity == 1 || !d.handledFirst() {
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
