package coordinator

import (
	"context"
	"errors"
	"fmt"

	"ringline.io/ringline/events"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/store"
)

// committed does what follows a commit: lines, deadlines and notifications beside each other, then the answer,
// which is a refusal where there is one. A merged invitation goes on with the call that it met.
func (c *Coordinator) committed(ctx context.Context, d delivery, before, after events.Transition, refusal *events.Error) worker.Exit {
	for _, seq := range call.Gone(before, after) {
		if err := timeouts.Remove(c.nc, d.cmd.App, after.Call.CallID, seq); err != nil {
			c.log.Warn().Err(err).Msg("a deadline stays that nobody waits for")
		}
	}
	if err := c.effects(ctx, d, after, after); err != nil {
		return c.putBack(d, err)
	}
	c.did(d, meter.StepTold)
	if refusal != nil {
		return c.refused(d, after.Call, refusal)
	}
	if glare := call.Merged(after); glare != nil {
		return c.settle(ctx, d, glare)
	}
	return c.accepted(d, after.Call)
}

// effects tells those whom the transition concerns, releases the lines of those whom it took out of the call and writes the
// deadline that it made, if the call as it now is still waits for it, beside each other. Done again, it does the same.
func (c *Coordinator) effects(ctx context.Context, d delivery, made, now events.Transition) error {
	return errors.Join(
		c.notify(made, now), // waits for nobody
		worker.Together(append(c.lines.Releases(ctx, now, append(claimants(d.cmd), moved(made)...)), c.arming(ctx, made, now))...),
	)
}

// arming writes the deadline that transition made created; nil if the call as it now is does not wait for it.
func (c *Coordinator) arming(ctx context.Context, made, now events.Transition) func() error {
	due, waits := call.Made(now, made.Seq)
	if !waits {
		return nil
	}
	app, d := now.Call.App, timeouts.Deadline{CallID: now.Call.CallID, Seq: due.Seq, Deadline: due.At}
	return func() error { return timeouts.Arm(ctx, c.nc, app, d) } // which keeps no call
}

// claimants lists those whose lines an invite or add may have claimed, in this delivery or an earlier one.
func claimants(cmd events.Command) []string {
	if !cmd.Verb.Invites() {
		return nil
	}
	users := []string{}
	for _, p := range cmd.Callees {
		users = append(users, p.UserID)
	}
	if cmd.Verb == events.VerbInvite {
		users = append(users, cmd.UserID)
	}
	return users
}

// moved lists those whom the transition changed.
func moved(t events.Transition) []string {
	users := make([]string, len(t.Changes))
	for i, ch := range t.Changes {
		users[i] = ch.UserID
	}
	return users
}

// notify tells everybody whom the transition concerns. It makes nobody ring whose time is over, nor, told again, who has
// answered meanwhile or need not any more.
func (c *Coordinator) notify(t, now events.Transition) error {
	b := c.bodies.take()
	defer c.bodies.giveBack(b)
	var told events.Notification
	for _, n := range call.Notify(t) {
		told = n.Stamped(c.cfg.Clock.Now())
		if n.Event == events.IncomingCallReceived && (!stillPends(now.Call, n) || isOver(told)) {
			continue
		}
		*b = told.Append((*b)[:0])
		if err := c.nc.Publish(events.UserSubject(t.Call.App, n.To), *b); err != nil {
			return fmt.Errorf("notify of %s: %w", events.TransitionID(t.Call.CallID, t.Seq), err)
		}
	}
	return nil
}

// isOver says whether no time is left to answer.
func isOver(n events.Notification) bool { return n.RingRemainingMS != nil && *n.RingRemainingMS == 0 }

// stillPends says whether the receiver pends in the attempt that the notification is about.
func stillPends(now events.Call, n events.Notice) bool {
	x, then := now.Callee(n.To), n.Call.Callee(n.To)
	return x != nil && then != nil && x.Pending() && x.Attempt == then.Attempt
}

// repeat does again what followed the transition that this command made when it was handled before; its worker
// may have died in the middle.
func (c *Coordinator) repeat(ctx context.Context, d delivery, now events.Transition, made int) error {
	t := now
	if made != now.Seq {
		var err error
		if t, err = c.calls.Transition(ctx, d.cmd.App, now.Call.CallID, made); err != nil && !errors.Is(err, store.ErrNoTransition) {
			return err
		}
	}
	t.Seq = made // it may have gone by age; its deadline may be waited for all the same
	return c.effects(ctx, d, t, now)
}
