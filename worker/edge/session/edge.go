package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/quota"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/store"
)

// Config is what an edge is made of. Nothing but the clock, the watch for stalls, the meter and the health may be nil.
type Config struct {
	NC      *nats.Conn // hears notifications and other edges. What it reports as slow consumers is the edge's to handle
	Asker   *ask.Asker
	Calls   *store.Calls
	Lines   *store.Lines
	Apps    *store.Apps
	Secrets *store.Secrets
	Tokens  *token.Verifier
	Limits  Limits
	Clock   *clock.Clock // broker time
	Stall   *stall.Watch // of this process

	Origins       []string // pages that may connect, of whatever app, beside those that the app lists and those of the same host
	AddressHeader string   // the header in which a proxy in front tells the client's address; empty: there is none

	Via bool // commands say that they come from a session, which coordinators older than that reject

	Log    zerolog.Logger
	Meter  *meter.Meter
	Health *health.Condition // that it relays; or nil
}

// Edge relays between NATS and client sessions.
type Edge struct {
	Config
	users     *users
	addresses *addresses
	refresher *refresher
	node      *node
	handler   http.Handler
	count     *meter.Sessions
	quotas    *quota.Quotas // of apps, as far as their sessions here use them
	stopping  atomic.Bool
}

// New makes an edge. Its handler takes clients once Run runs.
func New(cfg Config) (*Edge, error) {
	e := &Edge{
		Config: cfg, users: newUsers(cfg.NC, cfg.Limits), addresses: newAddresses(cfg.Limits.SessionsPerAddress),
		count: cfg.Meter.Sessions(), quotas: quota.New(func() int { return 1 }),
	}
	e.stopping.Store(true)
	e.refresher = newRefresher(e.refresh, cfg.Limits.Snapshots)
	var err error
	if e.node, err = newNode(e); err != nil {
		return nil, err
	}
	e.handler = e.routes()
	return e, nil
}

// Run relays until ctx ends; then it closes the sessions, and returns once they are closed.
func (e *Edge) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	connected := e.NC.StatusChanged(nats.CONNECTED)
	defer e.NC.RemoveStatusListener(connected)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop()
	defer e.listen()()
	if err := e.node.run(); err != nil {
		return fmt.Errorf("session: start: %w", err)
	}
	for _, lane := range e.users.lanes {
		parts.Go(func() { e.users.relay(work, lane, e.deliver) })
	}
	parts.Go(func() { e.refresher.run(work) })
	parts.Go(func() { e.watch(work, connected) })
	e.stopping.Store(false)
	e.Health.OK() // node.run has waited until the server knows its subscriptions
	<-ctx.Done()
	e.stopping.Store(true)
	e.linger()
	e.closeAll()
	err := e.node.shutdown(ctx)
	e.emptied()
	return err
}

// listen takes reports of slow consumers from NATS, and gives what puts things back as they were.
func (e *Edge) listen() (back func()) {
	others := e.NC.ErrorHandler()
	e.NC.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if sub != nil && errors.Is(err, nats.ErrSlowConsumer) {
			e.count.Lost()
			e.refresher.soon(e.users.of(sub.Subject))
		}
		if others != nil {
			others(nc, sub, err)
		}
	})
	return func() { e.NC.SetErrorHandler(others) }
}

// watch renews snapshots when NATS is back, and once in a while where calls are shown, and ends what was revoked.
func (e *Edge) watch(ctx context.Context, connected <-chan nats.Status) {
	sweep, revoked := time.NewTicker(e.Limits.Sweep), time.NewTicker(e.Limits.Revoked)
	defer sweep.Stop()
	defer revoked.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-connected:
			_ = e.users.flush() // it says so before it hears the users again; where this fails it has gone once more
			e.refresher.soon(e.users.all())
		case <-sweep.C:
			for _, s := range e.users.all() {
				if len(s.showing()) > 0 {
					e.refresher.soon([]*session{s})
				}
			}
		case <-revoked.C:
			e.endRevoked(ctx)
			e.users.forget(time.Now())
			e.refresher.soon(e.users.lost())
		}
	}
}

// endRevoked closes the sessions whose tokens were revoked. That their time is over is told otherwise.
func (e *Edge) endRevoked(ctx context.Context) {
	for _, s := range e.users.all() {
		err := e.Tokens.Check(ctx, s.says(), e.Clock.Now())
		if (errors.Is(err, token.ErrRevoked) || errors.Is(err, token.ErrInvalid)) && s.close(InvalidToken) {
			e.count.Refused(meter.RefusedRevoked)
		}
	}
}

// deliver hands a notification to the sessions of its user.
func (e *Edge) deliver(msg *nats.Msg) {
	sessions := e.users.of(msg.Subject)
	if len(sessions) == 0 {
		return
	}
	data, c, err := events.Restamped(msg.Data, sessions[0].by.UserID, e.Clock.Now())
	if err != nil {
		e.Log.Error().Str("error", events.WithoutQuotes(err.Error())).Str("subject", msg.Subject).Msg("what came is no notification, and is passed over")
		return
	}
	p := push{data: data, callID: c.CallID, seq: c.Seq, over: !c.On(sessions[0].by.UserID)} // of no call where it has none
	for _, s := range sessions {
		s.deliver(p, e.Limits.Held)
		e.count.Pushed()
	}
}

// Disconnect ends all sessions of a user, on whatever edge they are; they don't come back by themselves.
func (e *Edge) Disconnect(app, userID string) error {
	return e.node.disconnect(nodeUser(app, userID))
}

// Sessions counts the sessions that are open here.
func (e *Edge) Sessions() int {
	e.users.mu.RLock()
	defer e.users.mu.RUnlock()
	return e.users.count
}

// ServeHTTP takes clients.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

// closeAll closes the sessions in slices, over a while where they are many.
func (e *Edge) closeAll() {
	const (
		every = 50 * time.Millisecond
		least = 50 // in a slice: a handful goes at once
	)
	all := e.users.all()
	size := max(least, len(all)/max(1, int(e.Limits.CloseOver/every)))
	for len(all) > 0 {
		n := min(size, len(all))
		for _, s := range all[:n] {
			s.close(Shutdown)
		}
		if all = all[n:]; len(all) > 0 {
			time.Sleep(every)
		}
	}
}

// linger gives what balances load in front of several edges a moment to see that this one takes nobody any more.
func (e *Edge) linger() {
	if e.Sessions() > 0 {
		time.Sleep(min(time.Second, e.Limits.CloseOver/10))
	}
}

// emptied waits until all sessions have ended. A silent peer may take as long as it likes, and is not waited for.
func (e *Edge) emptied() {
	const most, every = 5 * time.Second, 5 * time.Millisecond
	for until := time.Now().Add(most); e.Sessions() > 0 && time.Now().Before(until); {
		time.Sleep(every)
	}
}
