package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/store"
)

// Admission may refuse a command before anything is done for it; nil lets it in. At is when it was stored, bytes is the size
// of its message. It is asked once for each command that looks as if no worker has handled it before, and must not wait. It is
// never asked about the expire of a deadline.
type Admission func(at time.Time, cmd events.Command, bytes int) *events.Error

// refusal says why the command is not let in; nil lets it in. Only a first delivery can be refused here: one that comes
// again may have claimed lines or committed. So this refusal leaves nothing behind.
func (c *Coordinator) refusal(ctx context.Context, d delivery) *events.Error {
	if !d.handledFirst() || d.cmd.Verb == events.VerbExpire || !worker.Ours(d.msg) {
		return nil
	}
	why := c.notLetIn(d)
	d.spent.admitted = why == nil
	if why == nil || !c.arrivals.isNew(ctx, c.js, d.seq, d.at) || mayBeDone(ctx, c.calls, c.cfg.Fair, d.at, d.cmd) {
		return nil
	}
	return why
}

// notLetIn is the first reason not to let a command in; nil if there is none.
func (c *Coordinator) notLetIn(d delivery) *events.Error {
	if worker.Crowded(d.msg) && d.cmd.Verb.Invites() { // the others wait
		return events.Errorf(events.CodeRateLimited, "app %s has too many commands under way", d.cmd.App)
	}
	for _, admit := range c.cfg.Admit {
		if why := admit(d.at, d.cmd, len(d.body)); why != nil {
			return why
		}
	}
	return nil
}

// mayBeDone says whether the same invitation or add may have been carried out before, from another message: a refusal would
// say that it was not. It goes its usual way then, which stores nothing for a repeat. Other commands are not looked up, nor
// are more of an app than it may have looked up: sent again later, they get the answer that is right.
func mayBeDone(ctx context.Context, calls *store.Calls, fair *Fair, at time.Time, cmd events.Command) bool {
	return cmd.Verb.Invites() && fair.mayLookUp(at, cmd.App) && calls.MayRemember(ctx, cmd)
}

// arrivals knows which commands were stored after this worker's present connection and consumer began. An older one may have
// been handled although it looks like a first delivery: a broker that is killed forgets its counts, and so does a consumer that
// is made anew.
type arrivals struct {
	mu         sync.Mutex
	looking    bool
	known      bool
	reconnects uint64    // of the connection that last is of
	last       uint64    // the newest command when it was looked
	at         time.Time // when that was, in broker time
}

// looked is how long a look takes at most.
const looked = time.Second

// isNew says whether the command was stored since; false where that is not known. One request at a time finds out, and
// no other waits for it.
func (a *arrivals) isNew(ctx context.Context, js jetstream.JetStream, seq uint64, at time.Time) bool {
	now := js.Conn().Stats().Reconnects
	a.mu.Lock()
	anew := seq <= a.last && at.Sub(a.at) > looked // the stream was made anew, and counts from 1
	if isNew := seq > a.last; a.known && a.reconnects == now && !anew {
		a.mu.Unlock()
		return isNew
	}
	if a.looking {
		a.mu.Unlock()
		return false
	}
	a.looking = true
	a.mu.Unlock()
	a.look(ctx, js, now)
	return false
}

// begin looks once more: what is stored so far is not new.
func (a *arrivals) begin(ctx context.Context, js jetstream.JetStream) {
	a.mu.Lock()
	a.known, a.looking = false, true
	a.mu.Unlock()
	a.look(ctx, js, js.Conn().Stats().Reconnects)
}

func (a *arrivals) look(ctx context.Context, js jetstream.JetStream, reconnects uint64) {
	ctx, cancel := context.WithTimeout(ctx, looked)
	defer cancel()
	st, err := js.Stream(ctx, worker.StreamCommands)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looking = false
	if err != nil {
		a.known = false
		return
	}
	info := st.CachedInfo()
	a.known, a.reconnects, a.last, a.at = true, reconnects, info.State.LastSeq, info.TimeStamp
}
