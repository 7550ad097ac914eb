package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

const (
	inspectEvery = 5 * time.Second
	setupHold    = 10 * time.Second // how long a part is missing or altered before that is shown
)

// inspector looks again and again at what the workers need of NATS, while they run.
type inspector struct {
	crew    *crew
	parts   map[string]*health.Condition // by the text of the part
	broker  *health.Condition
	cluster *health.Condition
}

// needs are the streams, buckets and consumers that the workers of a process use, each by its text.
type needs struct {
	js   jetstream.JetStream // where they are looked at
	must []string            // without these the process is not ready
	may  []string            // these only degrade it: a balancer takes no edge away for them
	rest bool                // all others degrade it too
}

// inspector makes one for the roles that are wired.
func (c *crew) inspector() *inspector {
	i := &inspector{
		crew: c, parts: map[string]*health.Condition{},
		broker: c.health.Degrades(health.Broker), cluster: c.health.Needs(health.Cluster, health.Hold),
	}
	i.cluster.OK() // agree has seen it
	for _, name := range c.needs.must {
		if i.parts[name] == nil {
			i.parts[name] = c.health.Needs(health.Setup, setupHold)
			i.parts[name].OK() // await has seen it
		}
	}
	for _, name := range c.needs.may {
		i.degrades(name)
	}
	return i
}

func (i *inspector) degrades(name string) {
	if i.parts[name] == nil {
		i.parts[name] = i.crew.health.Degrades(health.Setup)
	}
}

// run looks every few seconds, and at once when again says so, until ctx ends.
func (i *inspector) run(ctx context.Context, again <-chan struct{}) {
	tick := time.NewTicker(i.crew.inspectEvery)
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
	if !i.crew.connected() {
		return // that is told otherwise
	}
	if why, known := i.crew.split(ctx); known {
		report(i.cluster, why)
	}
	silent := ""
	for _, f := range worker.Look(ctx, i.crew.needs.js, i.crew.settings.streams()) {
		if i.crew.needs.rest {
			i.degrades(f.String())
		}
		about, looked := i.parts[f.String()]
		switch {
		case ctx.Err() != nil || !looked:
			continue
		case f.Err != nil:
			silent = "JetStream does not answer: " + f.Err.Error()
			continue
		}
		report(about, f.Wrong())
		i.crew.meter.SetUp(f.Label(), problemOf(f))
	}
	if ctx.Err() == nil && i.crew.connected() {
		report(i.broker, silent)
	}
}

func problemOf(f worker.Found) meter.Problem {
	switch {
	case f.Missing:
		return meter.Missing
	case len(f.Differences) > 0:
		return meter.Altered
	}
	return ""
}

// report reports why a condition fails; empty: it does not.
func report(c *health.Condition, why string) {
	if why == "" {
		c.OK()
	} else {
		c.Fail(why)
	}
}

// reached is what a connection has found at the other end.
type reached struct {
	name, server string
	created      time.Time // of the stream of commands; zero: there is none
}

func (r reached) String() string {
	if r.created.IsZero() {
		return fmt.Sprintf("%q reaches %s without it", r.name, r.server)
	}
	return fmt.Sprintf("%q reaches %s, where it is from %s", r.name, r.server, r.created.UTC().Format(time.RFC3339Nano))
}

// apart says why the connections do not reach the same streams; empty: they do.
func apart(list []reached) string {
	for _, r := range list {
		if !r.created.Equal(list[0].created) {
			return fmt.Sprintf("RINGLINE_NATS_URL names servers that are not one cluster: they have different streams %s: %v, %v",
				worker.StreamCommands, list[0], r)
		}
	}
	return ""
}

// split compares what all connections reach now. It is not known while one of them gets no answer.
func (c *crew) split(ctx context.Context) (why string, known bool) {
	list := make([]reached, len(c.conns))
	ask := make([]func() error, len(c.conns))
	for i, conn := range c.conns {
		ask[i] = func() (err error) {
			list[i] = reached{name: conn.Opts.Name, server: withoutSecrets(conn.ConnectedUrl())}
			list[i].created, err = worker.Created(ctx, conn.js)
			return err
		}
	}
	if err := worker.Together(ask...); err != nil {
		return "", false
	}
	return apart(list), true
}

// agree waits until all connections reach the same streams, and logs why not.
func (c *crew) agree(ctx context.Context) error {
	const again = 500 * time.Millisecond
	for told := ""; ; {
		why, known := c.split(ctx)
		if known && why == "" {
			return nil
		}
		if known && why != told {
			told = why
			c.health.Phase(why)
			c.log.Error().Msg(why)
		}
		for _, conn := range c.conns {
			if conn.IsClosed() {
				return conn.refusal()
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// connected says whether all connections are there.
func (c *crew) connected() bool {
	return !slices.ContainsFunc(c.conns, func(conn *connection) bool { return !conn.IsConnected() })
}

// reconnects counts how often any connection was made anew.
func (c *crew) reconnects() (n uint64) {
	for _, conn := range c.conns {
		n += conn.Stats().Reconnects
	}
	return n
}

// The texts of parts.
func streamPart(name string) string { return worker.Part{Kind: worker.KindStream, Name: name}.String() }

func bucketPart(name string) string { return worker.Part{Kind: worker.KindBucket, Name: name}.String() }

func consumerPart(stream, name string) string {
	return worker.Part{Kind: worker.KindConsumer, Name: name + " of " + stream}.String()
}
