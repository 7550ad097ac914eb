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

// committed does what follows a commit: deadlines and notifications beside each other, then the answer, which is
// a refusal where there is one.
func (c *Coordinator) committed(ctx context.Context, d delivery, before, after events.Transition, refusal *events.Error) worker.Exit {
	for _, seq := range call.Gone(before, after) {
		if err := timeouts.Remove(c.nc, d.cmd.App, d.cmd.CallID, seq); err != nil {
			c.log.Warn().Err(err).Msg("a deadline stays that nobody waits for")
		}
	}
	if err := c.effects(ctx, after, after); err != nil {
		return c.putBack(d, err)
	}
	if refusal != nil {
		return c.refused(d, after.Call, refusal)
	}
	return c.accepted(d, after.Call)
}

// effects writes the deadline that the transition made, if the call as it now is still waits for it, while it
// tells those whom the transition concerns. Done again, it does the same.
func (c *Coordinator) effects(ctx context.Context, made, now events.Transition) error {
	armed := make(chan error, 1)
	if due, waits := call.Made(now, made.Seq); waits {
		go func() {
			armed <- timeouts.Arm(ctx, c.js, now.Call.App, timeouts.Deadline{CallID: now.Call.CallID, Seq: due.Seq, Deadline: due.At})
		}()
	} else {
		armed <- nil
	}
	return errors.Join(c.notify(made), <-armed)
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
		t, err = c.calls.Transition(ctx, d.cmd.App, d.cmd.CallID, made)
	case d.delivered > 1 || d.mayBeMine:
		t, err = c.calls.MadeBy(ctx, d.cmd.App, d.cmd.CallID, d.cmd.CommandID)
	default:
		return nil
	}
	if errors.Is(err, store.ErrNoTransition) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.effects(ctx, t, now)
}
