package presence

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/store"
)

// Local is the edge of a checker.
type Local interface {
	// Device returns what the edge knows of a device.
	Device(k devices.Key) devices.State
	// InCall returns the number of sessions that show a call.
	InCall() int
}

// Times are the intervals of a checker.
type Times struct {
	Tick   time.Duration // between two looks at the suspects
	Beat   time.Duration // between two messages to other edges
	Lost   time.Duration // after which a silent edge is lost; longer than an edge that is cut off keeps its sessions
	Answer time.Duration // how long other edges have to answer
	Again  time.Duration // after a look that decided nothing, or a drop: a drop is valid for 10 s
	Sweep  time.Duration // between two checks of every party
}

// DefaultTimes returns the times of an edge that keeps its sessions for 10 s without NATS. It closes them up to 16 s after
// a cut: it is quiet for 3 s, a leader that is cut off notices it within 4 s, 10 s pass, and one request takes 2 s. The
// others have heard it last up to 2 s before the cut.
func DefaultTimes() Times {
	return Times{
		Tick: time.Second, Beat: 2 * time.Second, Lost: 20 * time.Second, Answer: 2 * time.Second, Again: 10 * time.Second,
		Sweep: 10 * time.Minute,
	}
}

// Config configures a checker. Clock, Stall and Meter may be nil.
type Config struct {
	ID    string // of this edge
	NC    *nats.Conn
	JS    jetstream.JetStream
	Local Local
	Lines *store.Lines
	Calls *store.Calls
	Apps  func(ctx context.Context, app string) (events.AppSettings, error)
	Times Times
	Clock *clock.Clock // broker time
	Stall *stall.Watch // of this process
	Log   zerolog.Logger
	Meter *meter.Meter
}

// Checker finds the devices that are gone.
type Checker struct {
	Config
	subs     []*nats.Subscription
	count    *meter.Presence
	started  time.Time // local, and monotonic
	peers    *peers
	suspects *suspects
	guard    guard
	holding  bool // drops are held; only the ticks use it and guard

	off    atomic.Bool   // this edge is cut off
	cuts   atomic.Int64  // how often it was cut off
	worked atomic.Int64  // the clock of this checker: the time in which it worked, in ns
	beaten atomic.Int64  // when it last sent a beat: the time since started, in ns
	sweep  chan struct{} // asks for a check of every party
}

// New makes a checker that answers other edges from now on. Run does the rest.
func New(cfg Config) (*Checker, error) {
	c := &Checker{
		Config: cfg, count: cfg.Meter.Presence(), started: time.Now(), peers: newPeers(), suspects: newSuspects(),
		sweep: make(chan struct{}, 1),
	}
	for subject, handle := range map[string]nats.MsgHandler{events.SubjectBeats: c.hear, events.SubjectPresence: c.answer} {
		sub, err := c.NC.Subscribe(subject, handle)
		if err != nil {
			return nil, fmt.Errorf("presence: subscribe to other edges: %w", err)
		}
		c.subs = append(c.subs, sub)
	}
	c.beat(false)
	if err := c.NC.FlushTimeout(5 * time.Second); err != nil {
		return nil, fmt.Errorf("presence: subscribe to other edges: %w", err)
	}
	return c, nil
}

// now returns the time for which the checker has worked.
func (c *Checker) now() time.Duration { return time.Duration(c.worked.Load()) }

// Ended suspects a device whose last session here has ended.
func (c *Checker) Ended(k devices.Key, inCall bool) {
	now := c.now()
	c.suspects.set(k, suspect{since: now, next: now + c.Times.Again, showed: inCall})
}

// Began ends the check of a device that opens a session here. Call undo if the session does not open.
func (c *Checker) Began(k devices.Key) (undo func()) {
	x, known := c.suspects.take(k)
	return func() {
		if known {
			c.suspects.add(k, x)
		}
	}
}

// Announce makes sure that the other edges know this one. Call it before a session opens.
func (c *Checker) Announce() {
	silent := time.Since(c.started) - time.Duration(c.beaten.Load())
	if silent > c.Times.Lost/3 || silent > c.Times.Beat/20 && c.Stall.Stalled() {
		c.beat(false)
	}
}

// Quiet reports whether another edge has missed a beat and is not lost, or no other edge is known. This one may be cut off.
func (c *Checker) Quiet() bool { return c.peers.quiet(c.now(), c.Times.Beat*3/2) }

// Cut says that this edge is cut off, or that it is no longer. Time in which it is cut off does not count, and then all
// checks begin again.
func (c *Checker) Cut(off bool) {
	if was := c.off.Swap(off); off && !was {
		c.cuts.Add(1)
	}
}

func (c *Checker) beat(stopping bool) {
	c.beaten.Store(int64(time.Since(c.started)))
	c.send(events.SubjectBeats, beat{
		Edge: c.ID, InCall: c.Local.InCall(), Due: c.suspects.soon(c.now() + guardAhead), Stopping: stopping,
	})
}

func (c *Checker) hear(msg *nats.Msg) {
	var b beat
	if err := json.Unmarshal(msg.Data, &b); err != nil {
		c.Log.Warn().Str("error", events.WithoutQuotes(err.Error())).Msg("a message of another edge is malformed")
		return
	}
	if b.Edge != c.ID {
		c.peers.hear(b, c.now())
	}
}

// Run checks until ctx ends. End the sessions of this edge before ctx: then other edges begin to check their devices.
func (c *Checker) Run(ctx context.Context) error {
	c.beat(false)
	var parts sync.WaitGroup
	parts.Go(func() { c.beats(ctx) })
	parts.Go(func() { c.sweeps(ctx) })
	c.ticks(ctx)
	parts.Wait()
	c.beat(true)
	for _, sub := range c.subs {
		_ = sub.Unsubscribe() // it fails only if the connection is closed
	}
	return nil
}

func (c *Checker) beats(ctx context.Context) {
	tick := time.NewTicker(c.Times.Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.beat(false)
		}
	}
}

// ticks looks at the suspects until ctx ends.
func (c *Checker) ticks(ctx context.Context) {
	reconnected := c.NC.StatusChanged(nats.CONNECTED)
	defer c.NC.RemoveStatusListener(reconnected)
	tick := time.NewTicker(c.Times.Tick)
	defer tick.Stop()
	cuts := c.cuts.Load()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-reconnected:
			c.anew()
		case <-tick.C:
			select {
			case <-reconnected:
				c.anew()
			default:
			}
			if now := c.cuts.Load(); now != cuts && !c.off.Load() {
				cuts = now
				c.anew()
			}
			passed := time.Since(last)
			last = last.Add(passed)
			if c.works(passed) {
				c.tick(ctx)
			}
		}
	}
}

// anew begins all checks again after this edge was without the others: it may have missed the whole session of a device on
// one of them. Within a beat it knows those that have started meanwhile.
func (c *Checker) anew() { c.suspects.anew(c.now() + c.Times.Beat) }

// works lets the clock of the checker run, unless the process was paused or is without the other edges.
func (c *Checker) works(passed time.Duration) bool {
	if c.NC.Status() != nats.CONNECTED || c.off.Load() || c.Stall.Stalled() {
		return false
	}
	c.worked.Add(int64(min(passed, c.Times.Tick+c.Times.Answer)))
	return true
}

func (c *Checker) tick(ctx context.Context) {
	if c.peers.lost(c.now(), c.Times.Lost) {
		c.Log.Warn().Msg("an edge is gone; its devices are checked from now on")
		c.suspects.anew(c.now()) // each of them may have had a session there
		c.sweepSoon()
	}
	c.measure()
	for began := time.Now(); ctx.Err() == nil && time.Since(began) < c.Times.Tick; { // a loss must be noticed meanwhile
		due := c.suspects.due(c.now(), atOnce)
		if len(due) == 0 || !c.look(ctx, due) {
			return
		}
	}
}

// measure decides whether drops are held.
func (c *Checker) measure() {
	inCall, due := c.peers.sums()
	inCall += c.Local.InCall()
	due += c.suspects.soon(c.now() + guardAhead)
	was := c.holding
	c.holding = c.guard.holds(c.now(), due, inCall)
	c.count.State(c.suspects.size(), c.holding)
	switch {
	case c.holding && !was:
		c.Log.Warn().Int("gone", due).Int("connected", inCall).Msg("too many devices are gone at once; drops are held")
	case was && !c.holding:
		c.Log.Info().Msg("drops are no longer held")
	}
}
