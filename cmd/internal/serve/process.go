package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/quota"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/storage"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// Process is the workers of one process. Each part has its own connection, so that an answer or a notification never waits
// behind the messages of another part.
type Process struct {
	settings settings.Settings
	log      zerolog.Logger
	meter    *meter.Meter
	health   *health.Health // or nil
	connLog  *natsconn.Log
	url      string
	options  []nats.Option
	sessions *LazyHandler     // serves client sessions
	DevKey   *events.TokenKey // signs tokens for the app of the settings; nil except in dev

	OriginRefused func(origin string, origins []string) // reports a refused page, and the origins of the app of the settings; may be nil

	conns  []*natsconn.Conn
	clock  *clock.Clock // broker time
	stalls []*stall.Watch
	needs  needs

	inspectEvery, surveyEvery time.Duration
}

// NewProcess creates a process without workers: Run adds those of its roles.
func NewProcess(
	s settings.Settings, log zerolog.Logger, m *meter.Meter, h *health.Health, sessions *LazyHandler, url string, credentials []nats.Option,
) *Process {
	l := natsconn.NewLog(m.Log(log, meter.NATS), url, "")
	return &Process{
		settings: s, clock: clock.New(clock.Local), log: log, meter: m, health: h, url: url, connLog: l, sessions: sessions,
		inspectEvery: inspectEvery, surveyEvery: storage.SurveyEvery,
		options: slices.Concat(credentials, l.Options(), []nats.Option{nats.CustomInboxPrefix(s.InboxPrefix)}),
	}
}

// Role is a kind of worker. Its front parts take requests. They stop before the back parts, which answer.
type Role struct {
	name string
	wire func(ctx context.Context, c *Process) (front, back []Part, err error)

	routes func(sessions *LazyHandler) []Route // additional HTTP routes

	keeps bool // has a large, long-lived heap: keep the default GOGC
}

// CoordinatorRole decides commands, and serves the API.
func CoordinatorRole() Role {
	return Role{name: "coordinator", wire: wireCoordinator, routes: noRoutes}
}

// TimeoutsRole sends commands for deadlines that are due.
func TimeoutsRole() Role { return Role{name: "timeouts", wire: wireTimeouts, routes: noRoutes} }

func noRoutes(*LazyHandler) []Route { return nil }

// Run creates the workers, waits for NATS and for its streams, and runs the workers until ctx ends.
func (c *Process) Run(ctx context.Context, started func(), roles ...Role) (err error) {
	defer func() { err = errors.Join(err, c.drain(context.WithoutCancel(ctx))) }()
	var front, back []Part
	for _, r := range roles {
		f, b, err := r.wire(ctx, c)
		if err != nil {
			return err
		}
		front, back = append(front, f...), append(back, b...)
	}
	if err := c.learnTime(ctx); err != nil {
		return err
	}
	back = append(back, Part{"clock", c.keepTime().Run})
	for _, w := range c.stalls {
		back = append(back, Part{"stalls", w.Run})
	}
	for _, conn := range c.conns {
		back = append(back, Part{"NATS", conn.Run})
	}
	if err := c.agree(ctx); err != nil {
		return err
	}
	c.health.Phase(phaseStarting)
	defer context.AfterFunc(ctx, func() {
		c.health.Phase(phaseStopping)
		c.log.Info().Msg("stopping: finishing messages in flight first")
	})()
	there, i := c.health.Needs(health.NATS, health.Hold), c.inspector()
	front = append(front, Part{"start", func(ctx context.Context) error { c.start(ctx, started); return nil }})
	back = append(back, Part{"health", func(ctx context.Context) error { c.watch(ctx, there, i); return nil }})
	return runBehind(ctx, front, back)
}

// start reports that the process has started, once every part has reported its start and NATS has all subscriptions. It
// returns when ctx ends.
func (c *Process) start(ctx context.Context, started func()) {
	if c.health.Started(ctx) == nil && c.flush(ctx) == nil && c.allowed(ctx) == nil {
		c.health.Running(phaseStarting)
		started()
	}
	<-ctx.Done()
}

// flush waits until NATS has received everything that was sent on every connection.
func (c *Process) flush(ctx context.Context) error {
	const once, again = time.Second, 100 * time.Millisecond
	for _, conn := range c.conns {
		for conn.FlushTimeout(once) != nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(again):
			}
		}
	}
	return nil
}

// allowed waits until NATS refuses no subscription.
func (c *Process) allowed(ctx context.Context) error {
	const again = 500 * time.Millisecond
	for _, conn := range c.conns { // after a flush the last error is set, but its handler may not have run yet
		c.connLog.Note(conn.Conn, conn.LastError())
	}
	for {
		why := c.connLog.Refused()
		if why == "" {
			c.health.Phase(phaseStarting)
			return nil
		}
		c.health.Phase(why)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// watch reports the state of the connections and of the subscriptions, runs the inspector, and logs every change of a
// condition, until ctx ends.
func (c *Process) watch(ctx context.Context, there *health.Condition, i *inspector) {
	const every = 200 * time.Millisecond
	allowed := c.health.Needs(health.Subscriptions, health.Hold)
	again := make(chan struct{}, 1)
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { logHealth(ctx, c.health, c.meter.Log(c.log, meter.Health)) })
	others.Go(func() { i.run(ctx, again) })
	tick := time.NewTicker(every)
	defer tick.Stop()
	for before := c.reconnects(); ; {
		gone := ""
		if !c.connected() {
			gone = waiting(c.url)
		}
		report(there, gone)
		report(allowed, c.connLog.Refused())
		if now := c.reconnects(); now != before {
			before = now
			select {
			case again <- struct{}{}:
			default: // an inspection is already due
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// open creates a connection and waits until it is up.
func (c *Process) open(ctx context.Context, name string) (*nats.Conn, jetstream.JetStream, error) {
	c.health.Phase(waiting(c.url))
	conn, err := natsconn.Connect(c.url, "ringline "+name, c.options...)
	if err != nil {
		return nil, nil, fmt.Errorf("connect the %s: %w", name, err)
	}
	conn.Credentials = c.settings.CredentialsSource()
	c.conns = append(c.conns, conn)
	if err := conn.Await(ctx); err != nil {
		return nil, nil, err
	}
	c.health.Phase(phaseStarting)
	return conn.Conn, conn.JS, nil
}

// await waits until `ringline setup` has run.
func (c *Process) await(ctx context.Context, js jetstream.JetStream, names, buckets []string) error {
	return streams.Await(ctx, js, func(err error) {
		if !errors.Is(err, streams.ErrNotSetUp) {
			c.waits(ctx, err, &broker.LogThrottle{})
			return
		}
		why := "waiting: " + strings.TrimPrefix(err.Error(), "streams: ") + "; run `ringline setup`"
		c.health.Phase(why)
		c.log.Warn().Msg(why)
	}, names, buckets)
}

func (c *Process) drain(ctx context.Context) (err error) {
	for _, conn := range c.conns {
		err = errors.Join(err, conn.DrainAndWait(ctx))
	}
	return err
}

func wireCoordinator(ctx context.Context, c *Process) (front, back []Part, err error) {
	nc, js, err := c.open(ctx, "coordinator")
	if err != nil {
		return nil, nil, err
	}
	err = c.await(ctx, js, []string{streams.StreamCommands, streams.StreamCalls, streams.StreamTimers, streams.StreamRejected},
		[]string{streams.BucketLines, streams.BucketApps, streams.BucketSecrets})
	if err != nil {
		return nil, nil, err
	}
	c.needs.js, c.needs.rest = js, true
	c.needs.must = append(c.needs.must, streamPart(streams.StreamCommands), streamPart(streams.StreamCalls), streamPart(streams.StreamTimers),
		streamPart(streams.StreamRejected), bucketPart(streams.BucketLines), bucketPart(streams.BucketApps), bucketPart(streams.BucketSecrets),
		consumerPart(streams.StreamCommands, streams.ConsumerCoordinators))
	apiNC, apiJS, err := c.open(ctx, "api")
	if err != nil {
		return nil, nil, err
	}
	asker, err := ask.New(apiNC, apiJS, c.settings.APITimeout, c.meter.Publishes(meter.ByAPI))
	if err != nil {
		return nil, nil, fmt.Errorf("subscribe to answers: %w", err)
	}
	log := c.meter.Log(c.log, meter.API)
	apps := c.apps(js)
	peers, err := quota.Join(nc, quota.Every)
	if err != nil {
		return nil, nil, err
	}
	fair := &coordinator.Fair{Quotas: quota.New(peers.Count), Limits: apps.Quota}
	secrets := store.NewSecrets(apiNC, apiJS, log)
	calls := store.NewCalls(apiNC, log, c.meter)
	api := &coordinator.API{
		NC: apiNC, Asker: asker, Calls: calls, Lines: store.NewLines(apiNC, apiJS, calls, log, c.meter), Log: log,
		Parallel: c.settings.Parallel, InboxPrefix: c.settings.InboxPrefix, Meter: c.meter,
		Secrets: secrets, Slots: apps.APISlots, Fair: fair, Health: c.health.Needs(health.API, health.Hold),
		Clock: c.clock, Stall: c.stall(apiNC),
		Present: func(app, userID, deviceID string, until time.Time) error {
			return devices.Publish(apiNC, devices.News{
				Key: devices.Key{App: app, UserID: userID, DeviceID: deviceID}, Event: devices.NewsPresent, At: until,
			})
		},
	}
	watch := storage.New(js, c.meter.Log(c.log, meter.Storage), c.health.Degrades(health.Storage))
	watch.Every = c.surveyEvery
	c.meter.Levels(watch.Levels)
	if err := watch.Survey(ctx); err != nil {
		c.log.Warn().Err(err).Msg("can't read the sizes of the streams")
	}
	work := coordinator.New(nc, js, c.meter.Log(c.log, meter.Coordinator), coordinator.Config{
		Parallel: c.settings.Parallel, Limits: apps.Limits, Clock: c.clock, Admit: []coordinator.Admission{fair.Admit, watch.Admit}, Meter: c.meter,
		LostTail: watch.LostTail, Fair: fair, Version: cli.Version(), Health: c.health.Needs(health.Coordinator, health.Hold),
	})
	c.meter.Oldest(streams.Oldest(ctx, js, streams.StreamCommands))
	c.meter.Backlog(streams.ConsumerCoordinators, streams.Backlog(ctx, js, streams.StreamCommands, streams.ConsumerCoordinators))
	return []Part{{"api", api.Run}}, []Part{
		{"apps", apps.Run}, {"secrets", secrets.Run}, {"peers", peers.Run}, {"storage", watch.Run}, {"coordinator", work.Run},
	}, nil
}

func callLimits(s settings.Settings) call.Limits {
	l := call.DefaultLimits()
	l.RingTimeout, l.MaxCallees, l.MaxDuration = s.RingTimeout, s.MaxCallees, s.MaxDuration
	return l
}

// apps creates the store of app settings.
func (c *Process) apps(js jetstream.JetStream) *store.Apps {
	apps := store.NewApps(js, c.meter.Log(c.log, meter.Apps), callLimits(c.settings), c.settings.LinesTTL-time.Hour, c.meter)
	apps.Health = c.health.Needs(health.Apps, health.Hold)
	return apps
}

func wireTimeouts(ctx context.Context, c *Process) (front, back []Part, err error) {
	_, js, err := c.open(ctx, "timeouts")
	if err != nil {
		return nil, nil, err
	}
	if err := c.await(ctx, js, []string{streams.StreamTimers, streams.StreamCommands}, nil); err != nil {
		return nil, nil, err
	}
	c.needs.js = js
	c.needs.must = append(c.needs.must, streamPart(streams.StreamTimers), streamPart(streams.StreamCommands),
		consumerPart(streams.StreamTimers, streams.ConsumerTimeouts))
	c.meter.Backlog(streams.ConsumerTimeouts, streams.Backlog(ctx, js, streams.StreamTimers, streams.ConsumerTimeouts))
	c.stall() // takes no requests; the watch counts stalls and triggers a new read of broker time
	work := timeouts.New(js, c.clock, c.meter.Log(c.log, meter.Timeouts), timeouts.Sweep{Every: c.settings.SweepEvery, Overdue: c.settings.SweepOverdue}, c.meter)
	work.Health = c.health.Needs(health.Timeouts, health.Hold)
	return nil, []Part{{"timeouts", work.Run}}, nil
}
