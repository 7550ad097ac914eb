package coordinator

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
)

// Config is what a coordinator may be told.
type Config struct {
	Parallel int                          // how many commands may be in hand at once
	Limits   func(app string) call.Limits // those of an app
}

// Coordinator handles commands.
type Coordinator struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	calls *store.Calls
	log   zerolog.Logger
	cfg   Config
}

// New makes a coordinator.
func New(nc *nats.Conn, js jetstream.JetStream, log zerolog.Logger, cfg Config) *Coordinator {
	return &Coordinator{nc: nc, js: js, calls: store.NewCalls(nc, js, log), log: log, cfg: cfg}
}

// Run works until ctx ends.
func (c *Coordinator) Run(ctx context.Context) error {
	return worker.Runner{
		JS: c.js, Log: c.log, Stream: worker.StreamCommands, Consumer: worker.ConsumerCoordinators,
		Parallel: c.cfg.Parallel, Key: callOf, Handle: c.handle, Drain: 10 * time.Second,
	}.Run(ctx)
}

// callOf is the key by which commands are kept in order.
func callOf(subject string) string {
	a, _ := events.ParseCommandSubject(subject)
	return a.App + "." + a.CallID
}

// maxConflicts is how often a command is decided anew before it is put back.
const maxConflicts = 8

// handle takes one command through its steps.
func (c *Coordinator) handle(ctx context.Context, msg jetstream.Msg) worker.Exit {
	d, err := read(msg)
	if err != nil {
		return c.reject(ctx, d, err)
	}
	base, loadErr := c.calls.Load(ctx, d.cmd.App, d.cmd.CallID)
	atLeader := false
	for range maxConflicts {
		if loadErr != nil {
			return c.putBack(d, loadErr)
		}
		outcome := call.Decide(base.Transition, d.cmd, call.Input{At: d.at, Now: time.Now(), Limits: c.cfg.Limits(d.cmd.App)})
		if w, ok := outcome.(call.Write); ok {
			after, err := c.calls.Commit(ctx, base, w.Transition, w.At)
			if err == nil {
				return c.committed(ctx, d, base.Transition, after.Transition, w.Err)
			}
			if !errors.Is(err, store.ErrConflict) {
				return c.putBack(d, err)
			}
			d.mayBeMine = true
		} else if atLeader || isRepeat(outcome) {
			return c.decided(ctx, d, base.Transition, outcome)
		}
		base, loadErr = c.calls.Lead(ctx, d.cmd.App, d.cmd.CallID)
		atLeader = true
	}
	return worker.Nak(worker.Backoff(d.delivered), "conflicts")
}

// isRepeat says whether the call remembers the command. What a view has seen can't be unseen, so that needs no
// second look at the leader.
func isRepeat(o call.Outcome) bool {
	k, ok := o.(call.Keep)
	return ok && k.Made > 0
}

// decided carries out an outcome that commits nothing.
func (c *Coordinator) decided(ctx context.Context, d delivery, now events.Transition, outcome call.Outcome) worker.Exit {
	switch o := outcome.(type) {
	case call.Keep:
		if err := c.repeat(ctx, d, now, o.Made); err != nil {
			return c.putBack(d, err)
		}
		return c.accepted(d, now.Call)
	case call.Refuse:
		return c.refused(d, now.Call, o.Err)
	case call.Wait:
		return worker.Nak(time.Until(o.Until), string(o.Why))
	case call.Write: // handled where it is committed
	}
	return c.putBack(d, events.Errorf(events.CodeInternal, "outcome %T", outcome))
}

// putBack lets a command come again that could not be handled now.
func (c *Coordinator) putBack(d delivery, err error) worker.Exit {
	c.log.Error().Err(err).Str("subject", d.subject).Uint64("delivered", d.delivered).Msg("command put back")
	return worker.Nak(worker.Backoff(d.delivered), err.Error())
}
