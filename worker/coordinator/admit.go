package coordinator

import (
	"context"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
)

// Admission may refuse a command before anything is done for it; nil lets it in. Bytes is the size of the command's
// message. It is asked once for each command that looks as if no worker has handled it before, and must not wait.
type Admission func(cmd events.Command, bytes int) *events.Error

// refusal says why the command is not let in; nil lets it in. Only a first delivery can be refused here: one that comes
// again may have claimed lines or committed. So this refusal leaves nothing behind.
func (c *Coordinator) refusal(ctx context.Context, d delivery) *events.Error {
	if !d.handledFirst() || !worker.Ours(d.msg) {
		return nil
	}
	for _, admit := range c.cfg.Admit {
		why := admit(d.cmd, len(d.body))
		if why == nil {
			continue
		}
		if why.Code == events.CodeExhausted && c.mayBeDone(ctx, d.cmd) {
			return nil
		}
		return why
	}
	return nil
}

// mayBeDone says whether the same command may have been carried out before, from another message: exhausted means that it
// was not. The command goes its usual way then, which stores nothing for a repeat.
func (c *Coordinator) mayBeDone(ctx context.Context, cmd events.Command) bool {
	now, err := c.calls.Lead(ctx, cmd.App, cmd.CallID)
	return err != nil || call.Remembers(now.Transition, cmd)
}
