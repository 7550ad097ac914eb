package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// Config holds the options of a coordinator.
type Config struct {
	Parallel int               // maximum number of commands handled at once
	Limits   Limits            // limits of an app
	Clock    *clock.Clock      // broker time; may be nil
	Admit    []Admission       // the first one that refuses a command decides
	Fair     *Fair             // quotas of apps; its Admit is called only if listed in Admit; may be nil
	LostTail func(uint64)      // receives the number of messages that RINGLINE_CALLS lost at its end; may be nil
	Version  string            // version of this program, for the log entry that it is too old
	OnStep   func(meter.Step)  // called after each step of a command, for tests; may be nil
	Meter    *meter.Meter      // may be nil
	Health   *health.Condition // OK while commands are consumed; may be nil
}

// Limits returns the limits of an app. It may block until they are known.
type Limits func(ctx context.Context, app string) (call.Limits, error)

// recordStep records a step of a command.
func (c *Coordinator) recordStep(d delivery, s meter.Step) {
	now := time.Now()
	c.count.Step(s, now.Sub(*d.last))
	*d.last = now
	if c.cfg.OnStep != nil {
		c.cfg.OnStep(s)
	}
}

// Coordinator handles commands.
type Coordinator struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	calls  *store.Calls
	lines  *store.Lines
	claims *lineClaims
	log    zerolog.Logger
	cfg    Config
	count  *meter.Commands
	failed *meter.Publishes

	buffers  bufferPool
	arrivals arrivals
	outdated broker.LogThrottle // limits the log entries about calls in a format that this version does not read
}

// New returns a coordinator.
func New(nc *nats.Conn, js jetstream.JetStream, log zerolog.Logger, cfg Config) *Coordinator {
	calls := store.NewCalls(nc, log, cfg.Meter)
	calls.LostTail = cfg.LostTail
	lines := store.NewLines(nc, js, calls, log, cfg.Meter)
	return &Coordinator{
		nc: nc, js: js, calls: calls, lines: lines, log: log, cfg: cfg,
		claims: &lineClaims{calls: calls, lines: lines, log: log, takeovers: cfg.Meter.Takeovers()},
		count:  cfg.Meter.Commands(), failed: cfg.Meter.Publishes(meter.ByCoordinator),
	}
}

// Run handles commands until ctx ends.
func (c *Coordinator) Run(ctx context.Context) error {
	return worker.Runner{
		JS: c.js, Log: c.log, Meter: c.cfg.Meter, Health: c.cfg.Health, Stream: streams.StreamCommands, Consumer: streams.ConsumerCoordinators,
		Parallel: c.cfg.Parallel, Key: callOf, Share: appOf, Handle: c.handle, Drain: 10 * time.Second,
		Opened: func(ctx context.Context) { c.arrivals.begin(ctx, c.js) },
	}.Run(ctx)
}

// callOf returns the key: commands of one call are handled in order.
func callOf(subject string) string {
	a, _ := events.ParseCommandSubject(subject)
	return a.App + "." + a.CallID
}

// appOf returns the share: apps take turns.
func appOf(subject string) string {
	a, _ := events.ParseCommandSubject(subject)
	return a.App
}

// maxConflicts is how often a command may conflict before it is nak'ed.
const maxConflicts = 8

// handle carries out one command.
func (c *Coordinator) handle(ctx context.Context, msg worker.Msg) worker.Exit {
	d, err := read(msg)
	if err != nil {
		return c.reject(ctx, d, err)
	}
	c.cfg.Clock.Observe(d.at)
	if why := c.refusal(ctx, d); why != nil {
		if limit, ok := errors.AsType[*events.Error](why); ok && limit.Code == events.CodeRateLimited && c.cfg.Fair.allowLog(d) {
			c.log.Warn().Str("app", d.cmd.App).Str("limit", events.WithoutQuotes(limit.Message)).Msg("commands of an app are refused")
		}
		return c.refused(d, events.Call{}, why)
	}
	defer c.cfg.Fair.pay(d)
	if msg.Crowded() {
		return worker.Nak(whileCrowded, meter.Crowded)
	}
	return c.settle(ctx, d, nil)
}

// settle decides the command and repeats that after a conflict. If glare is not nil, the command is a merged invitation, and
// settle decides on the call that it merged into.
func (c *Coordinator) settle(ctx context.Context, d delivery, glare *call.Glare) worker.Exit {
	callID, load := d.cmd.CallID, c.calls.Load
	switch {
	case glare != nil:
		callID, load = glare.CallID, c.calls.LoadFromLeader
	case d.cmd.Verb == events.VerbInvite && d.handledFirst():
		load = c.calls.AssumeNew
	}
	for atLeader := glare != nil; d.conflicts < maxConflicts; atLeader = true {
		if !d.msg.Leased() {
			return c.abandon(ctx, d)
		}
		base, err := load(ctx, d.cmd.App, callID)
		if err != nil {
			return c.nak(d, err)
		}
		c.recordStep(d, meter.StepLoaded)
		load = c.calls.LoadFromLeader
		outcome, err := c.decide(ctx, d, base, glare)
		if err == nil {
			w, writes := outcome.(call.Write)
			switch {
			case writes:
				if err = c.madeBefore(ctx, d, base.Transition); err != nil {
					return c.nak(d, err)
				}
				var after store.Loaded
				if after, err = c.calls.Commit(ctx, base, w.Transition, w.At); err == nil {
					c.recordStep(d, meter.StepCommitted)
					d.spent.stored = after.Bytes
					return c.committed(ctx, d, base.Transition, after.Transition, w.Err)
				}
			case atLeader || isRepeat(outcome):
				if outcome, err = c.recall(ctx, d, base.Transition, outcome); err == nil {
					return c.decided(ctx, d, base.Transition, outcome)
				}
			default:
				continue
			}
		}
		switch {
		case errors.Is(err, store.ErrConflict):
			d.conflicts++
			c.recordStep(d, meter.StepConflicted)
		case errors.Is(err, errInFlight):
			return worker.Nak(waitForAnother(d.delivered), meter.ClaimInFlight)
		default:
			return c.nak(d, err)
		}
	}
	return worker.Nak(waitForAnother(d.delivered), meter.Conflicts)
}

// abandon is for a command whose lease has ended, because another worker may have received and refused it. If a commit
// conflicted, abandon releases the lines that were claimed too late.
func (c *Coordinator) abandon(ctx context.Context, d delivery) worker.Exit {
	if users := claimants(d.cmd); d.conflicts > 0 && len(users) > 0 {
		if now, err := c.calls.LoadFromLeader(ctx, d.cmd.App, d.cmd.CallID); err == nil {
			_ = c.claims.release(ctx, now.Transition, users) // the next claim takes over a dead entry that remains
		}
	}
	return worker.Abandon()
}

// decide returns the outcome. An invite or add claims its lines first.
func (c *Coordinator) decide(ctx context.Context, d delivery, base store.Loaded, glare *call.Glare) (call.Outcome, error) {
	limits, err := c.cfg.Limits(ctx, d.cmd.App)
	if err != nil {
		return nil, err
	}
	in := call.Input{At: d.at, Now: c.now(d), Until: d.until, Limits: limits}
	if in.Ringing, err = c.ringing(ctx, d, limits); err != nil {
		return nil, err
	}
	if glare != nil {
		return call.Join(base.Transition, d.cmd, *glare, in), nil
	}
	outcome := call.Decide(base.Transition, d.cmd, in)
	if users := call.Claims(outcome, d.cmd); len(users) > 0 {
		if in.Claimed, err = c.claim(ctx, d, base, users, in); err != nil {
			return nil, err
		}
		if !in.Claimed.All() {
			outcome = call.Decide(base.Transition, d.cmd, in)
		}
	}
	return outcome, nil
}

func (c *Coordinator) claim(ctx context.Context, d delivery, base store.Loaded, users []string, in call.Input) (call.Claimed, error) {
	return c.claims.claim(ctx, lineClaim{
		cmd: d.cmd, base: base.Transition, users: users, in: in, first: d.handledFirst(), onClaimed: func() { c.recordStep(d, meter.StepClaimed) },
	})
}

// whileCrowded is the nak delay of a command that can't be refused and whose app is Crowded.
const whileCrowded = 250 * time.Millisecond

// waitForAnother is the nak delay of a command that waits for a claim in flight or for its invitation. Most waits take
// milliseconds.
func waitForAnother(delivered uint64) time.Duration {
	const least, most = 20 * time.Millisecond, 500 * time.Millisecond
	return growing(least, most, delivered)
}

// waitForInvitation is the nak delay of a command that found no call. An invitation that does not arrive within milliseconds is
// held by a worker that died, and takes seconds.
func waitForInvitation(delivered uint64) time.Duration {
	const least, most = 20 * time.Millisecond, time.Second
	return min(most, least<<min(delivered-1, 10))
}

// growing returns a delay that grows linearly with the deliveries, from least to most.
func growing(least, most time.Duration, delivered uint64) time.Duration {
	return min(most, least*time.Duration(min(delivered, 100)))
}

// isRepeat reports whether the call remembers the command. Even a lagging replica shows only what was committed, so no second
// read from the leader is needed.
func isRepeat(o call.Outcome) bool {
	k, ok := o.(call.Keep)
	return ok && k.Made > 0
}

// madeBefore repeats the effects of the transition that a ring, expire or drop made in an earlier delivery, because that worker may
// have died before them. Calls don't remember those commands, and a redelivered one may make another transition: a redelivered
// expire may find that more deadlines have passed.
func (c *Coordinator) madeBefore(ctx context.Context, d delivery, now events.Transition) error {
	if d.cmd.Verb.Remembered() {
		return nil
	}
	made := now
	if !call.MadeBy(now, d.cmd) {
		if d.delivered == 1 {
			return nil
		}
		var err error
		if made, err = c.calls.MadeBy(ctx, d.cmd.CallID, d.cmd); err != nil {
			return noneOr(err)
		}
	}
	_, err := c.repeat(ctx, d, now, made.Seq)
	return err
}

func noneOr(err error) error {
	if errors.Is(err, store.ErrNoTransition) {
		return nil
	}
	return err
}

// recall finds the transition that a ring, expire or drop made in an earlier delivery, because calls don't remember those commands.
// It checks the newest transition, and the history if the command may have been handled before.
func (c *Coordinator) recall(ctx context.Context, d delivery, now events.Transition, o call.Outcome) (call.Outcome, error) {
	switch {
	case d.cmd.Verb.Remembered():
		return o, nil
	case call.MadeBy(now, d.cmd):
		return call.Keep{Made: now.Seq}, nil
	case c.isFirst(d):
		return o, nil
	}
	t, err := c.calls.MadeBy(ctx, d.cmd.CallID, d.cmd)
	if errors.Is(err, store.ErrNoTransition) {
		return o, nil
	}
	return call.Keep{Made: t.Seq}, err
}

// decided carries out an outcome that commits nothing.
func (c *Coordinator) decided(ctx context.Context, d delivery, now events.Transition, outcome call.Outcome) worker.Exit {
	switch o := outcome.(type) {
	case call.Keep:
		if o.Made == 0 { // as for a refusal, answer only once no other worker can decide the command
			return worker.AckThen(func() { c.answerAcked(d, c.ok(d, now.Call)) })
		}
		made, err := c.repeat(ctx, d, now, o.Made)
		if err != nil {
			return c.nak(d, err)
		}
		if glare := call.Merged(now); glare != nil && d.cmd.Verb == events.VerbInvite {
			return c.settle(ctx, d, glare)
		}
		return c.accepted(d, now.Call, made)
	case call.Refuse:
		d.spent.unknown = now.Seq == 0
		if err := c.claims.release(ctx, now, claimants(d.cmd)); err != nil {
			return c.nak(d, err)
		}
		return c.refused(d, now.Call, o.Err)
	case call.Wait:
		if o.Why == call.WaitForInvitation {
			d.spent.unknown = true
			if why := c.mayWait(d); why != nil {
				return c.refused(d, now.Call, why)
			}
		}
		return c.wait(d, o)
	case call.Write: // settle commits it
	}
	return worker.Failed(d.delivered, meter.Defect, fmt.Errorf("coordinator: outcome %T", outcome))
}

// wait naks a command that can't be decided yet.
func (c *Coordinator) wait(d delivery, o call.Wait) worker.Exit {
	delay := o.Until.Sub(c.now(d))
	switch o.Why {
	case call.WaitForInvitation: // the invitation may arrive at any moment
		return worker.Nak(min(delay, waitForInvitation(d.delivered)), meter.NoCallYet)
	case call.WaitForDeadline:
	}
	return worker.Nak(delay, meter.EarlyExpire)
}

// nak naks a command that could not be handled now.
func (c *Coordinator) nak(d delivery, err error) worker.Exit {
	if newer, ok := errors.AsType[*events.NewerFormatError](err); ok {
		return c.leaveToNewer(d, newer)
	}
	c.failed.Failed(err)
	return worker.Failed(d.delivered, meter.Store, err)
}
