package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
)

// Admission may refuse a command before anything is done for it; nil lets it in. Bytes is the size of the command's
// message. It is asked once for each command that looks as if no worker has handled it before, and must not wait. It is never
// asked about the expire of a deadline.
type Admission func(cmd events.Command, bytes int) *events.Error

// refusal says why the command is not let in; nil lets it in. Only a first delivery can be refused here: one that comes
// again may have claimed lines or committed. So this refusal leaves nothing behind.
func (c *Coordinator) refusal(ctx context.Context, d delivery) *events.Error {
	if !d.handledFirst() || d.cmd.Verb == events.VerbExpire || !worker.Ours(d.msg) {
		return nil
	}
	why := c.notLetIn(d)
	if why == nil || !c.arrivals.isNew(ctx, c.js, d.seq) || c.mayBeDone(ctx, d.cmd) {
		return nil
	}
	return why
}

// notLetIn is the first reason not to let a command in; nil if there is none.
func (c *Coordinator) notLetIn(d delivery) *events.Error {
	if worker.Crowded(d.msg) {
		return events.Errorf(events.CodeRateLimited, "app %s has too many commands under way", d.cmd.App)
	}
	for _, admit := range c.cfg.Admit {
		if why := admit(d.cmd, len(d.body)); why != nil {
			return why
		}
	}
	return nil
}

// mayBeDone says whether the same invitation or add may have been carried out before, from another message: a refusal would
// say that it was not. It goes its usual way then, which stores nothing for a repeat. Other commands are not looked up: sent
// again, they get the answer that is right.
func (c *Coordinator) mayBeDone(ctx context.Context, cmd events.Command) bool {
	if cmd.Verb != events.VerbInvite && cmd.Verb != events.VerbAdd {
		return false
	}
	now, err := c.calls.Lead(ctx, cmd.App, cmd.CallID)
	return err != nil || call.Remembers(now.Transition, cmd)
}

// arrivals knows which commands were stored after this worker's present connection began. An older one may have been
// handled although it looks like a first delivery: a broker that is killed forgets its counts.
type arrivals struct {
	mu         sync.Mutex
	known      bool
	reconnects uint64 // of the connection that last is of
	last       uint64 // the newest command when the connection was looked at first
}

func (a *arrivals) isNew(ctx context.Context, js jetstream.JetStream, seq uint64) bool {
	const within = time.Second
	a.mu.Lock()
	defer a.mu.Unlock()
	now := js.Conn().Stats().Reconnects
	if !a.known || a.reconnects != now {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		st, err := js.Stream(ctx, worker.StreamCommands)
		if err != nil {
			return false
		}
		a.known, a.reconnects, a.last = true, now, st.CachedInfo().State.LastSeq
	}
	return seq > a.last
}
