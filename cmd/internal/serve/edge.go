package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// NewEdge is the command that runs an edge.
func NewEdge() *cobra.Command {
	return serviceCommand(EdgeRole(), "127.0.0.1:8083", "Run an edge, which client sessions connect to",
		"Runs an edge with an external NATS: browsers and phones connect to its HTTP address, by WebSocket, HTTP\n"+
			"streaming or SSE, with tokens of their app (see `ringline token` and `ringline app key`). On SIGTERM or Ctrl-C it\n"+
			"closes them, a few at a time. It waits for NATS, and for `ringline setup`. Run as many as you like.")
}

// EdgeRole accepts client sessions.
func EdgeRole() Role { return Role{name: "edge", wire: wireEdge, routes: SessionRoutes, keeps: true} }

// SessionRoutes returns the routes of client sessions.
func SessionRoutes(sessions *LazyHandler) (list []Route) {
	for _, path := range session.Paths() {
		list = append(list, Route{path, sessions})
	}
	return list
}

func wireEdge(ctx context.Context, c *Process) (front, back []Part, err error) {
	nc, js, err := c.open(ctx, "edge")
	if err != nil {
		return nil, nil, err
	}
	err = c.await(ctx, js, []string{streams.StreamCommands, streams.StreamCalls}, []string{streams.BucketLines, streams.BucketApps, streams.BucketSecrets})
	if err != nil {
		return nil, nil, err
	}
	c.needs.js = js
	c.needs.may = append(c.needs.may, streamPart(streams.StreamCommands), streamPart(streams.StreamCalls), streamPart(streams.StreamSessions),
		bucketPart(streams.BucketLines), bucketPart(streams.BucketApps), bucketPart(streams.BucketSecrets),
		consumerPart(streams.StreamCommands, streams.ConsumerCoordinators))
	askNC, askJS, err := c.open(ctx, "edge commands")
	if err != nil {
		return nil, nil, err
	}
	asker, err := ask.New(askNC, askJS, c.settings.APITimeout, c.meter.Publishes(meter.ByEdge))
	if err != nil {
		return nil, nil, fmt.Errorf("subscribe to answers: %w", err)
	}
	log := c.meter.Log(c.log, meter.Edge)
	apps := c.apps(js)
	calls := store.NewCalls(askNC, log, c.meter)
	tokens := token.New(apps.Settings, c.settings.Edge.Audience)
	if c.DevKey != nil {
		tokens = tokens.WithKey(c.settings.App, *c.DevKey)
	}
	secrets := store.NewSecrets(askNC, askJS, log)
	watch := c.stall(nc, askNC)
	edge, err := session.New(session.Config{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(askNC, askJS, calls, log, c.meter), Apps: apps, Tokens: tokens,
		Limits: sessionLimits(c.settings.Edge), Origins: c.settings.Edge.OriginList(), AddressHeader: c.settings.Edge.AddressHeader,
		Secrets: secrets, Via: c.settings.Edge.SendVia, Log: log, Meter: c.meter, Clock: c.clock, Stall: watch,
		Health: c.health.Needs(health.Edge, health.Hold), Loopback: c.DevKey != nil, OriginRefused: c.originRefused(ctx, apps),
	})
	if err != nil {
		return nil, nil, err
	}
	own := store.NewCalls(nc, log, c.meter) // on the connection on which it asks: without the other edges, it must not reach the calls
	checker, err := presence.New(presence.Config{
		ID: edge.ID(), NC: nc, JS: js, Local: edge, Lines: store.NewLines(nc, js, own, log, c.meter), Calls: own, Apps: appSettings(apps), Times: presence.DefaultTimes(),
		Clock: c.clock, Stall: watch, Log: log, Meter: c.meter,
	})
	if err != nil {
		return nil, nil, err
	}
	edge.Presence = checker
	c.sessions.set(edge)
	return []Part{{"edge", edge.Run}}, []Part{{"presence", checker.Run}, {"apps", apps.Run}, {"secrets", secrets.Run}}, nil
}

func appSettings(apps *store.Apps) func(context.Context, string) (events.AppSettings, error) {
	return func(ctx context.Context, app string) (events.AppSettings, error) {
		s, _, err := apps.Settings(ctx, app)
		return s, err
	}
}

// originRefused returns what reports a refused page, or nil.
func (c *Process) originRefused(ctx context.Context, apps *store.Apps) func(origin string) {
	if c.OriginRefused == nil {
		return nil
	}
	return func(origin string) {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		s, _, _ := apps.Settings(ctx, c.settings.App) // on an error there are no origins
		c.OriginRefused(origin, s.Origins)
	}
}

func sessionLimits(s settings.Edge) session.Limits {
	l := session.DefaultLimits()
	l.SessionsPerUser, l.SessionsPerAddress = s.SessionsPerUser, s.SessionsPerAddress
	l.Commands = session.Rate{PerSecond: s.CommandRate, Burst: max(1, int(2*s.CommandRate))}
	l.UserCommands = session.Rate{PerSecond: 2 * s.CommandRate, Burst: max(1, int(4*s.CommandRate))}
	l.Invitations = session.Rate{PerSecond: s.InviteRate, Burst: max(1, int(10*s.InviteRate))}
	l.Sweep, l.CloseOver, l.Ping, l.Pong = s.SweepEvery, s.CloseOver, s.PingEvery, s.PongWithin
	return l
}
