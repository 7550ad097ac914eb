package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// Admission may refuse a command before the coordinator does anything for it. It returns nil, or an *events.Error for the
// answer. After any other error the command is nak'ed, the error is logged, and the redelivery is carried out. The parameter at is
// the time at which the command was stored, bytes is the size of its message. An Admission must not block. It is called once for
// each command that appears to be delivered for the first time, and never for an expire or drop: if it were
// refused, a callee would pend, or a party stay, forever.
type Admission func(at time.Time, cmd events.Command, bytes int) error

// refusal returns why the command is not admitted, or nil. It refuses only a first delivery, because a redelivered command may
// have claimed lines or committed. Such a refusal therefore leaves nothing behind.
func (c *Coordinator) refusal(ctx context.Context, d delivery) error {
	if !d.handledFirst() || d.cmd.Verb.Internal() || !d.msg.Leased() {
		return nil
	}
	why := c.notAdmitted(d)
	d.spent.admitted = why == nil
	if why == nil || !c.arrivals.isNew(ctx, c.js, d.seq, d.at) || mayBeDone(ctx, c.calls, c.cfg.Fair, d.at, d.cmd) {
		return nil
	}
	return why
}

// notAdmitted returns the first reason not to admit a command, or nil.
func (c *Coordinator) notAdmitted(d delivery) error {
	if d.msg.Crowded() && d.cmd.Verb.Invites() { // otherwise other apps would wait
		return events.Errorf(events.CodeRateLimited, "app %s has too many commands in flight", d.cmd.App)
	}
	for _, admit := range c.cfg.Admit {
		if why := admit(d.at, d.cmd, len(d.body)); why != nil {
			return why
		}
	}
	return nil
}

// mayBeDone reports whether the same invite or add may have been carried out before, from another message. A refusal would
// wrongly say that it was not. The command then takes the normal path, which stores nothing for a repeat. Only invites and adds
// are looked up, and only as many of an app as its limit allows. A sender that retries the others later receives the correct
// answer.
func mayBeDone(ctx context.Context, calls *store.Calls, fair *Fair, at time.Time, cmd events.Command) bool {
	return cmd.Verb.Invites() && fair.mayLookUp(at, cmd.App) && calls.MayRemember(ctx, cmd)
}

// arrivals knows which commands were stored after the current connection and consumer of this worker began. An older command
// may have been handled although it looks like a first delivery. A broker that crashes loses its delivery counts, and so does a
// recreated consumer.
type arrivals struct {
	mu         sync.Mutex
	looking    bool
	known      bool
	reconnects uint64    // the connection for which last is valid
	last       uint64    // sequence of the newest command at the time of the look
	at         time.Time // time of the look, in broker time
}

// looked is the timeout of a look.
const looked = time.Second

// isNew reports whether the command was stored after the look. It returns false if that is unknown. At most one caller looks at
// a time, and the others don't wait for it.
func (a *arrivals) isNew(ctx context.Context, js jetstream.JetStream, seq uint64, at time.Time) bool {
	now := js.Conn().Stats().Reconnects
	a.mu.Lock()
	recreated := seq <= a.last && at.Sub(a.at) > looked // the stream was recreated, and its sequences start at 1
	if isNew := seq > a.last; a.known && a.reconnects == now && !recreated {
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

// begin looks again: commands stored so far are not new.
func (a *arrivals) begin(ctx context.Context, js jetstream.JetStream) {
	a.mu.Lock()
	a.known, a.looking = false, true
	a.mu.Unlock()
	a.look(ctx, js, js.Conn().Stats().Reconnects)
}

func (a *arrivals) look(ctx context.Context, js jetstream.JetStream, reconnects uint64) {
	ctx, cancel := context.WithTimeout(ctx, looked)
	defer cancel()
	st, err := js.Stream(ctx, streams.StreamCommands)
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
