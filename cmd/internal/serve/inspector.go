package serve

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

const (
	inspectEvery = 5 * time.Second
	setupHold    = 10 * time.Second // how long a part is missing or altered before it is reported
)

// inspector repeatedly inspects the parts of NATS that the workers need, while they run.
type inspector struct {
	process *Process
	parts   map[string]*health.Condition // by Part.String()
	broker  *health.Condition
	cluster *health.Condition
	allowed *health.Condition // to inspect
}

// needs are the streams, buckets and consumers that the workers of a process use, each by its Part.String().
type needs struct {
	js   jetstream.JetStream // inspects the parts
	must []string            // the process is not ready without these
	may  []string            // these only degrade it: a load balancer keeps the edge
	rest bool                // all other parts degrade it too
}

// inspector creates the inspector for the wired roles.
func (c *Process) inspector() *inspector {
	i := &inspector{
		process: c, parts: map[string]*health.Condition{},
		broker: c.health.Degrades(health.Broker).Sampled(), cluster: c.health.Needs(health.Cluster, health.Hold).Sampled(),
		allowed: c.health.Degrades(health.Setup).Sampled(),
	}
	i.cluster.OK() // agree has checked it
	for _, name := range c.needs.must {
		if i.parts[name] == nil {
			i.parts[name] = c.health.Needs(health.Setup, setupHold).Sampled()
			i.parts[name].OK() // await has checked it
		}
	}
	for _, name := range c.needs.may {
		i.degrades(name)
	}
	return i
}

func (i *inspector) degrades(name string) {
	if i.parts[name] == nil {
		i.parts[name] = i.process.health.Degrades(health.Setup).Sampled()
	}
}

// run inspects every few seconds, and at once on a message from again, until ctx ends.
func (i *inspector) run(ctx context.Context, again <-chan struct{}) {
	tick := time.NewTicker(i.process.inspectEvery)
	defer tick.Stop()
	for {
		i.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-again:
		}
	}
}

func (i *inspector) look(ctx context.Context) {
	if !i.process.connected() {
		return // the condition NATS reports that
	}
	if why, err := i.process.split(ctx); err == nil {
		report(i.cluster, why)
	}
	i.process.connLog.MayNotAsk() // discard refusals from before this inspection
	found := streams.Look(ctx, i.process.needs.js, i.process.settings.Streams(), i.wanted)
	refused, silent, forbidden := i.process.connLog.MayNotAsk(), "", ""
	for _, f := range found {
		if i.process.needs.rest {
			i.degrades(f.String())
		}
		switch why := refused[f.AskedOn()]; {
		case ctx.Err() != nil:
		case f.Err != nil && why != "":
			forbidden = fmt.Sprintf("%v is not watched: %s", f.Part, why)
		case f.Err != nil:
			silent = "JetStream does not answer: " + f.Err.Error()
		default:
			report(i.parts[f.String()], f.Wrong())
			i.process.meter.SetUp(f.Label(), problemOf(f))
		}
	}
	if ctx.Err() == nil && i.process.connected() {
		report(i.broker, silent)
		report(i.allowed, forbidden)
	}
}

// wanted reports whether to inspect a part.
func (i *inspector) wanted(p streams.Part) bool {
	return i.process.needs.rest || i.parts[p.String()] != nil
}

func problemOf(f streams.Found) meter.Problem {
	switch {
	case f.Missing:
		return meter.Missing
	case len(f.Differences) > 0:
		return meter.Altered
	}
	return ""
}

// report sets the condition to failing for the reason why, or to OK if why is empty.
func report(c *health.Condition, why string) {
	if why == "" {
		c.OK()
	} else {
		c.Fail(why)
	}
}

// reached is the server and the commands stream that a connection reaches.
type reached struct {
	name, server string
	created      time.Time // of the commands stream; zero if there is none
}

func (r reached) String() string {
	if r.created.IsZero() {
		return fmt.Sprintf("%q reaches %s without it", r.name, r.server)
	}
	return fmt.Sprintf("%q reaches %s, where it is from %s", r.name, r.server, r.created.UTC().Format(time.RFC3339Nano))
}

// apart returns the reason why the connections do not reach the same streams, or an empty string if they do.
func apart(list []reached) string {
	for _, r := range list {
		if !r.created.Equal(list[0].created) {
			return fmt.Sprintf("RINGLINE_NATS_URL names servers that are not one cluster: they have different streams %s: %v, %v",
				streams.StreamCommands, list[0], r)
		}
	}
	return ""
}

// split compares the streams that the connections reach now. It returns an error while any connection gets no answer.
func (c *Process) split(ctx context.Context) (why string, err error) {
	list := make([]reached, len(c.conns))
	ask := make([]func() error, len(c.conns))
	for i, conn := range c.conns {
		ask[i] = func() (err error) {
			list[i] = reached{name: conn.Opts.Name, server: settings.WithoutSecrets(conn.ConnectedUrl())}
			list[i].created, err = streams.Created(ctx, conn.JS)
			return err
		}
	}
	if err := broker.RunAll(ask...); err != nil {
		return "", err
	}
	return apart(list), nil
}

// agree waits until all connections reach the same streams, and logs the reason if they do not.
func (c *Process) agree(ctx context.Context) error {
	const again = 500 * time.Millisecond
	var throttle broker.LogThrottle
	for {
		why, err := c.split(ctx)
		switch {
		case err != nil:
			c.waits(ctx, err, &throttle)
		case why == "":
			return nil
		default:
			c.health.Phase(why)
			if throttle.Allow(why) {
				c.log.Error().Msg(why)
			}
		}
		for _, conn := range c.conns {
			if conn.IsClosed() {
				return conn.Refusal()
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// waits reports why the start waits for JetStream: on /readyz, and in the log when the reason changes.
func (c *Process) waits(ctx context.Context, err error, throttle *broker.LogThrottle) {
	if ctx.Err() != nil {
		return
	}
	why := "waiting for JetStream: " + err.Error()
	for _, refused := range c.connLog.MayNotAsk() { // the client gets no answer to a refused request
		why = "waiting for JetStream: " + refused
	}
	c.health.Phase(why)
	if throttle.Allow(why) {
		c.log.Warn().Msg(why)
	}
}

// connected reports whether all connections are up.
func (c *Process) connected() bool {
	return !slices.ContainsFunc(c.conns, func(conn *natsconn.Conn) bool { return !conn.IsConnected() })
}

// reconnects counts the reconnects of all connections.
func (c *Process) reconnects() (n uint64) {
	for _, conn := range c.conns {
		n += conn.Stats().Reconnects
	}
	return n
}

// streamPart, bucketPart and consumerPart return the Part.String() of a part.
func streamPart(name string) string {
	return streams.Part{Kind: streams.KindStream, Name: name}.String()
}

func bucketPart(name string) string {
	return streams.Part{Kind: streams.KindBucket, Name: name}.String()
}

func consumerPart(stream, name string) string {
	return streams.Part{Kind: streams.KindConsumer, Name: name + " of " + stream}.String()
}
