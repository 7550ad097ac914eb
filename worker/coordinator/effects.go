package coordinator

import (
	"context"
	"errors"
	"fmt"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/store"
)

// committed carries out the effects of a commit: it updates lines and deadlines and notifies, all concurrently. Then it
// answers, with the refusal if there is one. A merged invitation continues with the call that it merged into.
func (c *Coordinator) committed(ctx context.Context, d delivery, before, after events.Transition, refusal *events.Error) worker.Exit {
	for _, gone := range call.DeadlinesRemoved(before, after) {
		if err := store.RemoveDeadline(c.nc, d.cmd.App, after.Call.CallID, gone); err != nil {
			c.log.Warn().Err(err).Msg("an obsolete deadline could not be removed")
		}
	}
	if err := c.effects(ctx, d, after, after); err != nil {
		return c.nak(d, err)
	}
	c.recordStep(d, meter.StepNotified)
	if refusal != nil {
		return c.refused(d, after.Call, refusal)
	}
	if glare := call.Merged(after); glare != nil {
		return c.settle(ctx, d, glare)
	}
	return c.accepted(d, after.Call, after)
}

// effects notifies the users that the transition concerns, and releases the lines of those that it removed from the call. It
// also writes the deadlines that the transition created, if the current call still waits for them. All of that runs concurrently
// and may be repeated.
func (c *Coordinator) effects(ctx context.Context, d delivery, made, now events.Transition) error {
	return errors.Join(
		c.notify(made, now), // does not block
		broker.RunAll(append(c.claims.releases(ctx, now, append(claimants(d.cmd), moved(made)...)), c.arming(ctx, made, now)...)...),
	)
}

// arming returns functions that write the deadlines created by transition made for which the current call waits.
func (c *Coordinator) arming(ctx context.Context, made, now events.Transition) []func() error {
	due := call.DeadlinesMade(now, made.Seq)
	list := make([]func() error, len(due))
	for i, at := range due {
		app, d := now.Call.App, events.Deadline{CallID: now.Call.CallID, Seq: at.Seq, Kind: at.Kind, Deadline: at.At}
		list[i] = func() error { return store.ArmDeadline(ctx, c.nc, app, d) } // captures only the deadline, not the call
	}
	return list
}

// claimants lists the users whose lines an invite or add may have claimed, in this delivery or an earlier one.
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

// moved lists the users that the transition changed.
func moved(t events.Transition) []string {
	users := make([]string, len(t.Changes))
	for i, ch := range t.Changes {
		users[i] = ch.UserID
	}
	return users
}

// notify notifies every user that the transition concerns. No device rings after its deadline. When repeated, it also does not
// ring callees that have answered or no longer have to ring.
func (c *Coordinator) notify(t, now events.Transition) error {
	b := c.buffers.Get()
	defer c.buffers.Put(b)
	var stamped events.Notification
	for _, n := range call.Notify(t) {
		stamped = n.Stamped(c.cfg.Clock.Now())
		if n.Event == events.IncomingCallReceived && (!stillPending(now.Call, n) || isOver(stamped)) {
			continue
		}
		*b = stamped.Append((*b)[:0])
		if err := c.nc.Publish(events.UserSubject(t.Call.App, n.To), *b); err != nil {
			return fmt.Errorf("notify of %s: %w", events.TransitionID(t.Call.CallID, t.Seq), err)
		}
	}
	return nil
}

// isOver reports whether no time is left to answer.
func isOver(n events.Notification) bool { return n.RingRemainingMS != nil && *n.RingRemainingMS == 0 }

// stillPending reports whether the receiver is pending in the attempt of the notification.
func stillPending(now events.Call, n events.Notice) bool {
	x, then := now.Callee(n.To), n.Call.Callee(n.To)
	return x != nil && then != nil && x.Pending() && x.Attempt == then.Attempt
}

// repeat repeats the effects of the transition that this command made in an earlier delivery, because that worker may have died
// before it finished them. It returns that transition. If the transition was deleted by age, only its sequence is set.
func (c *Coordinator) repeat(ctx context.Context, d delivery, now events.Transition, made int) (events.Transition, error) {
	t := now
	if made != now.Seq {
		var err error
		if t, err = c.calls.Transition(ctx, d.cmd.App, now.Call.CallID, made); err != nil && !errors.Is(err, store.ErrNoTransition) {
			return t, err
		}
	}
	t.Seq = made // the call may still wait for the deadline of a deleted transition
	return t, c.effects(ctx, d, t, now)
}
