package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
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
	c.did(StepTold)
	if refusal != nil {
		return c.refused(d, after.Call, refusal)
	}
	if glare := call.Merged(after); glare != nil {
		return c.settle(ctx, d, glare)
	}
	return c.accepted(d, after.Call)
}

// effects releases the lines of those whom the transition took out of the call, writes the deadline that it made,
// if the call as it now is still waits for it, and tells those whom it concerns, beside each other. Done again,
// it does the same.
func (c *Coordinator) effects(ctx context.Context, d delivery, made, now events.Transition) error {
	done := make(chan error, 2)
	go func() { done <- c.lines.Release(ctx, now, append(claimants(d.cmd), moved(made)...)) }()
	go func() { done <- c.arm(ctx, made, now) }()
	return errors.Join(c.notify(made), <-done, <-done)
}

// arm writes the deadline that transition made created, if the call as it now is still waits for it.
func (c *Coordinator) arm(ctx context.Context, made, now events.Transition) error {
	due, waits := call.Made(now, made.Seq)
	if !waits {
		return nil
	}
	return timeouts.Arm(ctx, c.js, now.Call.App, timeouts.Deadline{CallID: now.Call.CallID, Seq: due.Seq, Deadline: due.At})
}

// claimants lists those whose lines an invite or add may have claimed, in this delivery or an earlier one.
func claimants(cmd events.Command) []string {
	if cmd.Verb != events.VerbInvite && cmd.Verb != events.VerbAdd {
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

// notify tells everybody whom the transition concerns.
func (c *Coordinator) notify(t events.Transition) error {
	for _, n := range call.Notify(t) {
		body, err := events.Encode(n.Stamped(time.Now()))
		if err != nil {
			return err
		}
		if err := c.nc.Publish(events.UserSubject(t.Call.App, n.To), body); err != nil {
			return fmt.Errorf("notify of %s: %w", events.TransitionID(t.Call.CallID, t.Seq), err)
		}
	}
	return nil
}

// repeat does again what followed the transition that this command made when it was handled before; its worker
// may have died in the middle. A ring or expire is remembered by no call: it is looked for where it may have
// been handled before.
func (c *Coordinator) repeat(ctx context.Context, d delivery, now events.Transition, made int) error {
	var t events.Transition
	var err error
	switch {
	case made == now.Seq && made > 0:
		t = now
	case made > 0:
		t, err = c.calls.Transition(ctx, d.cmd.App, now.Call.CallID, made)
	case d.delivered > 1 || d.conflicts > 0:
		t, err = c.calls.MadeBy(ctx, d.cmd.App, now.Call.CallID, d.cmd.CommandID)
	default:
		return nil
	}
	if errors.Is(err, store.ErrNoTransition) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.effects(ctx, d, t, now)
}
