package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/store"
)

// edgeSettings are the settings of client sessions.
type edgeSettings struct {
	Origins            string        `split_words:"true" unit:"URLs" desc:"pages that may open client sessions, comma-separated, beside those of the same host and those that an app lists"`
	AddressHeader      string        `split_words:"true" unit:"header" desc:"in which a proxy in front tells the client's address, such as X-Forwarded-For"`
	Audience           string        `split_words:"true" default:"ringline" unit:"word" desc:"the aud that tokens must have"`
	SessionsPerUser    int           `split_words:"true" default:"20" unit:"number" desc:"client sessions of a user on one edge"`
	SessionsPerAddress int           `split_words:"true" default:"1000" unit:"number" desc:"client connections from one IP address to one edge"`
	CommandRate        float64       `split_words:"true" default:"20" unit:"a second" desc:"commands of a session, twice as many at once; of a user twice that"`
	InviteRate         float64       `split_words:"true" default:"1" unit:"a second" desc:"invitations of a caller, ten times as many at once"`
	SweepEvery         time.Duration `split_words:"true" default:"60s" unit:"duration" desc:"how often a session that shows a call is held against the call"`
	SendVia            bool          `split_words:"true" default:"true" unit:"bool" desc:"commands say that they come from a session; false while a coordinator runs that does not know via (see docs/upgrading.md)"`
	CloseOver          time.Duration `split_words:"true" default:"10s" unit:"duration" desc:"how long an edge that stops takes to close its sessions, if they are many"`
}

func (s edgeSettings) problems() (list []problem) {
	refuse := func(when bool, name, format string, args ...any) {
		if when {
			list = append(list, problem{[]string{name}, name + " " + fmt.Sprintf(format, args...)})
		}
	}
	for _, o := range s.origins() {
		if err := events.CheckOrigin("RINGLINE_EDGE_ORIGINS", o); err != nil {
			list = append(list, problem{[]string{"RINGLINE_EDGE_ORIGINS"}, err.Message})
		}
	}
	refuse(s.SessionsPerUser < 1, "RINGLINE_EDGE_SESSIONS_PER_USER", "must be at least 1, got %d", s.SessionsPerUser)
	refuse(s.SessionsPerAddress < 1, "RINGLINE_EDGE_SESSIONS_PER_ADDRESS", "must be at least 1, got %d", s.SessionsPerAddress)
	refuse(!(s.CommandRate >= leastRate && s.CommandRate <= mostRate), "RINGLINE_EDGE_COMMAND_RATE",
		"must be from %g to %g, got %g", leastRate, mostRate, s.CommandRate)
	refuse(!(s.InviteRate >= leastRate && s.InviteRate <= mostRate), "RINGLINE_EDGE_INVITE_RATE",
		"must be from %g to %g, got %g", leastRate, mostRate, s.InviteRate)
	refuse(s.SweepEvery < leastSweep, "RINGLINE_EDGE_SWEEP_EVERY", "must be at least %v, got %v", leastSweep, s.SweepEvery)
	refuse(s.CloseOver < 0, "RINGLINE_EDGE_CLOSE_OVER", "must not be below 0, got %v", s.CloseOver)
	return list
}

// The limits of rates, per second. The lowest allows one call in 100 s.
const (
	leastRate = 0.01
	mostRate  = 100_000.0
)

func (s edgeSettings) origins() (list []string) {
	for o := range strings.SplitSeq(s.Origins, ",") {
		if o = strings.TrimSpace(o); o != "" {
			list = append(list, o)
		}
	}
	return list
}

func (s edgeSettings) limits() session.Limits {
	l := session.DefaultLimits()
	l.SessionsPerUser, l.SessionsPerAddress = s.SessionsPerUser, s.SessionsPerAddress
	l.Commands = session.Rate{PerSecond: s.CommandRate, Burst: max(1, int(2*s.CommandRate))}
	l.UserCommands = session.Rate{PerSecond: 2 * s.CommandRate, Burst: max(1, int(4*s.CommandRate))}
	l.Invitations = session.Rate{PerSecond: s.InviteRate, Burst: max(1, int(10*s.InviteRate))}
	l.Sweep, l.CloseOver = s.SweepEvery, s.CloseOver
	return l
}

func newEdge() *cobra.Command {
	return serviceCommand(edgeRole(), "127.0.0.1:8083", "Run an edge, which client sessions connect to",
		"Runs an edge against a NATS that others run: browsers and phones connect to its HTTP address, by WebSocket, HTTP\n"+
			"streaming or SSE, with tokens of their app (see `ringline token` and `ringline app key`). On SIGTERM or Ctrl-C it\n"+
			"closes them, a few at a time. It waits for NATS, and for `ringline setup`. Run as many as you like.")
}

func edgeRole() role { return role{name: "edge", wire: wireEdge, routes: sessionRoutes, keeps: true} }

// sessionRoutes returns the routes of client sessions.
func sessionRoutes(sessions *late) (list []route) {
	for _, path := range session.Paths() {
		list = append(list, route{path, sessions})
	}
	return list
}

func wireEdge(ctx context.Context, c *crew) (front, back []part, err error) {
	nc, js, err := c.open(ctx, "edge")
	if err != nil {
		return nil, nil, err
	}
	err = c.await(ctx, js, []string{worker.StreamCommands, worker.StreamCalls}, []string{worker.BucketLines, worker.BucketApps, worker.BucketSecrets})
	if err != nil {
		return nil, nil, err
	}
	c.needs.js = js
	c.needs.may = append(c.needs.may, streamPart(worker.StreamCommands), streamPart(worker.StreamCalls), streamPart(worker.StreamSessions),
		bucketPart(worker.BucketLines), bucketPart(worker.BucketApps), bucketPart(worker.BucketSecrets),
		consumerPart(worker.StreamCommands, worker.ConsumerCoordinators))
	askNC, askJS, err := c.open(ctx, "edge commands")
	if err != nil {
		return nil, nil, err
	}
	asker, err := ask.New(askNC, askJS, c.settings.APITimeout, c.meter.Publishes(meter.ByEdge))
	if err != nil {
		return nil, nil, fmt.Errorf("hear answers: %w", err)
	}
	log := c.meter.Log(c.log, meter.Edge)
	apps := c.apps(js)
	calls := store.NewCalls(askNC, log, c.meter)
	tokens := token.New(apps.Settings, c.settings.Edge.Audience)
	if c.devKey != nil {
		tokens = tokens.WithKey(c.settings.App, *c.devKey)
	}
	secrets := store.NewSecrets(askNC, askJS, log)
	edge, err := session.New(session.Config{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(askNC, askJS, calls, log, c.meter), Apps: apps, Tokens: tokens,
		Limits: c.settings.Edge.limits(), Origins: c.settings.Edge.origins(), AddressHeader: c.settings.Edge.AddressHeader,
		Secrets: secrets, Via: c.settings.Edge.SendVia, Log: log, Meter: c.meter, Clock: c.clock, Stall: c.stall(nc, askNC),
		Health: c.health.Needs(health.Edge, health.Hold),
	})
	if err != nil {
		return nil, nil, err
	}
	c.sessions.set(edge)
	return []part{{"edge", edge.Run}}, []part{{"apps", apps.Run}, {"secrets", secrets.Run}}, nil
}

// late is a handler that is set later.
type late struct{ handler atomic.Pointer[http.Handler] }

func (l *late) set(h http.Handler) { l.handler.Store(&h) }

// ServeHTTP answers 503 until the handler is set.
func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := l.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "not ready yet, see /readyz", http.StatusServiceUnavailable)
}
