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
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/quota"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/store"
)

// Config configures an edge. Clock, Stall, Meter and Health may be nil.
type Config struct {
	NC      *nats.Conn // for notifications and other edges; the edge handles its reports of slow consumers
	Asker   *ask.Asker
	Calls   *store.Calls
	Lines   *store.Lines
	Apps    *store.Apps
	Secrets *store.Secrets
	Tokens  *token.Verifier
	Limits  Limits
	Clock   *clock.Clock // broker time
	Stall   *stall.Watch // of this process

	Origins       []string // origins that may connect for every app, in addition to those of the app and of the same host
	Loopback      bool     // allow every page of this machine, if it names this machine in Host
	AddressHeader string   // the header in which a proxy sends the client's address; empty without a proxy

	OriginRefused func(origin string) // may be nil; must not block

	Presence Presence // of the devices of the sessions here; may be nil

	Via bool // mark commands as sent by a session; coordinators of older versions reject such commands

	Log    zerolog.Logger
	Meter  *meter.Meter
	Health *health.Condition // OK while the edge relays; may be nil
}

// Presence learns which devices have a session here.
type Presence interface {
	// Announce makes this edge known to the others. It is called before a session opens.
	Announce()
	// Began reports that a device opens a session. undo reports that it did not.
	Began(k devices.Key) (undo func())
	// Ended reports that a device has no session any more, and whether its last one showed a call.
	Ended(k devices.Key, inCall bool)
	// Quiet reports whether another edge says nothing, or none is known: this edge may be cut off.
	Quiet() bool
	// Cut says whether this edge is cut off. It is called often.
	Cut(off bool)
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
	quotas    *quota.Quotas // quotas of apps, for the commands of the sessions here
	devices   *devices.Table
	stopping  atomic.Bool
	cutOff    atomic.Bool // from NATS
}

// New makes an edge. Its handler accepts clients once Run runs.
func New(cfg Config) (*Edge, error) {
	e := &Edge{
		Config: cfg, users: newUsers(cfg.NC, cfg.Limits), addresses: newAddresses(cfg.Limits.SessionsPerAddress),
		count: cfg.Meter.Sessions(), quotas: quota.New(func() int { return 1 }), devices: devices.New(devices.DefaultLimits()),
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

// Run relays until ctx ends. Then it closes the sessions, and returns once they have ended.
func (e *Edge) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	connected := e.NC.StatusChanged(nats.CONNECTED)
	defer e.NC.RemoveStatusListener(connected)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop()
	defer e.listen()()
	others, err := e.NC.Subscribe(events.SubjectDevices, e.hear)
	if err != nil {
		return fmt.Errorf("session: subscribe to other edges: %w", err)
	}
	defer func() { _ = others.Unsubscribe() }() // it fails only if the connection is closed
	if err := e.node.run(); err != nil {
		return fmt.Errorf("session: start: %w", err)
	}
	for _, lane := range e.users.lanes {
		parts.Go(func() { e.users.relay(work, lane, e.deliver) })
	}
	parts.Go(func() { e.refresher.run(work) })
	parts.Go(func() { e.watch(work, connected) })
	parts.Go(func() { e.watchNATS(work) })
	e.stopping.Store(false)
	e.Health.OK() // node.run has waited until the server has its subscriptions
	<-ctx.Done()
	e.stopping.Store(true)
	e.linger()
	e.closeAll(e.Limits.CloseOver)
	err = e.node.shutdown(ctx)
	e.emptied()
	e.handOver()
	return err
}

// listen installs a handler for slow consumers. The returned function restores the previous handler.
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

// watch renews snapshots after a reconnect to NATS, and periodically where a call is shown. It also closes sessions
// whose tokens were revoked.
func (e *Edge) watch(ctx context.Context, connected <-chan nats.Status) {
	sweep, revoked := time.NewTicker(e.Limits.Sweep), time.NewTicker(e.Limits.Revoked)
	defer sweep.Stop()
	defer revoked.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-connected:
			// The status changes before the subscriptions are restored. If this fails, the connection was lost again.
			_ = e.users.flush()
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
			e.devices.Forget(e.Clock.Now())
			e.refresher.soon(e.users.lost())
		}
	}
}

// endRevoked closes the sessions whose tokens were revoked, or whose app has no keys any more. centrifuge handles expiry.
func (e *Edge) endRevoked(ctx context.Context) {
	for _, s := range e.users.all() {
		err := e.Tokens.Check(ctx, s.says(), e.Clock.Now())
		if (errors.Is(err, token.ErrRevoked) || errors.Is(err, token.ErrInvalid)) && s.close(InvalidToken) {
			e.count.Refused(meter.RefusedRevoked)
		}
	}
}

// deliver sends a notification to the sessions of its user.
func (e *Edge) deliver(msg *nats.Msg) {
	sessions := e.users.of(msg.Subject)
	if len(sessions) == 0 {
		return
	}
	data, c, err := events.Restamped(msg.Data, sessions[0].by.UserID, e.Clock.Now())
	if err != nil {
		e.Log.Error().Str("error", events.WithoutQuotes(err.Error())).Str("subject", msg.Subject).Msg("malformed notification dropped")
		return
	}
	p := push{data: data, callID: c.CallID, seq: c.Seq, over: !c.On(sessions[0].by.UserID)} // without a call, if the notification has none
	for _, s := range sessions {
		s.deliver(p, e.Limits.Held)
		e.count.Pushed()
	}
}

// Disconnect ends all sessions of a user, on every edge. The clients do not reconnect by themselves.
func (e *Edge) Disconnect(app, userID string) error {
	return e.node.disconnect(nodeUser(app, userID))
}

// InCall returns the number of sessions that show a call.
func (e *Edge) InCall() (count int) {
	for _, s := range e.users.all() {
		if s.showsCalls() {
			count++
		}
	}
	return count
}

// ID returns the id of this edge, which is another one after each start.
func (e *Edge) ID() string { return e.node.id() }

// Sessions returns the number of open sessions on this edge.
func (e *Edge) Sessions() int {
	e.users.mu.RLock()
	defer e.users.mu.RUnlock()
	return e.users.count
}

// ServeHTTP serves clients.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

// closeAll closes the sessions in batches. If there are many, it takes up to that long.
func (e *Edge) closeAll(over time.Duration) {
	const (
		every = 50 * time.Millisecond
		least = 50 // the smallest batch: a few sessions are closed together
	)
	all := e.users.all()
	size := max(least, len(all)/max(1, int(over/every)))
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

// linger gives load balancers a moment to notice that this edge accepts no more clients.
func (e *Edge) linger() {
	if e.Sessions() > 0 {
		time.Sleep(min(time.Second, e.Limits.CloseOver/10))
	}
}

// emptied waits until all sessions have ended, for at most 5 s: a silent peer must not delay the stop.
func (e *Edge) emptied() {
	const most, every = 5 * time.Second, 5 * time.Millisecond
	for until := time.Now().Add(most); e.Sessions() > 0 && time.Now().Before(until); {
		time.Sleep(every)
	}
}
