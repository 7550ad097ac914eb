package natstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/worker/streams"
)

const clusterSize = 3

// Cluster is three servers, with every stream on each. Each of them can be cut off from the others.
type Cluster struct {
	Servers [clusterSize]*Server

	links [clusterSize][clusterSize]*wire.Link // of the routes, by the server that opens them
}

// StartCluster starts three servers. They stop when the test ends.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	c := &Cluster{}
	var at [clusterSize]int // ports of the routes
	for i := range at {
		at[i] = FreePort(tb)
	}
	for i := range c.Servers {
		c.Servers[i] = c.start(tb, i, at)
	}
	for _, s := range c.Servers {
		s.server.Await(tb)
		s.NC = s.Connect(tb)
		var err error
		if s.JS, err = jetstream.New(s.NC, jetstream.WithDefaultTimeout(within)); err != nil {
			tb.Fatalf("natstest: jetstream: %v", err)
		}
	}
	settings := streams.DefaultSettings()
	settings.Replicas = clusterSize
	for until := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		err := streams.Setup(tb.Context(), c.Servers[0].JS, settings)
		if err == nil {
			return c
		}
		if time.Now().After(until) {
			tb.Fatalf("natstest: set up: %v", err)
		}
	}
}

func (c *Cluster) start(tb testing.TB, self int, at [clusterSize]int) *Server {
	tb.Helper()
	o := &server.Options{
		ServerName: fmt.Sprint("n", self), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: tb.TempDir(),
		JetStreamMaxStore: 64 << 30,
		Cluster:           server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: at[self], Advertise: "127.0.0.1:1", PoolSize: -1}, // they use only the links
	}
	for other, target := range at {
		if other == self {
			continue
		}
		l, err := wire.Listen(fmt.Sprintf("n%d→n%d", self, other), fmt.Sprintf("127.0.0.1:%d", target), false)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(l.Close)
		c.links[self][other] = l
		o.Routes = append(o.Routes, server.RoutesFromStr("nats://"+l.Addr())...)
	}
	return &Server{server: Begin(tb, o)}
}

// Leader returns the number of the server that leads a stream.
func (c *Cluster) Leader(tb testing.TB, stream string) int {
	tb.Helper()
	st, err := c.Servers[0].JS.Stream(tb.Context(), stream)
	if err != nil {
		tb.Fatal(err)
	}
	for i, s := range c.Servers {
		if s.server.Name() == st.CachedInfo().Cluster.Leader {
			return i
		}
	}
	tb.Fatalf("natstest: %s has no leader", stream)
	return 0
}

// Cut cuts a server off from the others. Its clients stay connected.
func (c *Cluster) Cut(i int) {
	c.each(i, func(l *wire.Link) { l.Cut(wire.Up); l.Cut(wire.Down) })
}

// Mend connects a server to the others again. What waited passes.
func (c *Cluster) Mend(i int) { c.each(i, (*wire.Link).Mend) }

func (c *Cluster) each(i int, f func(*wire.Link)) {
	for other := range c.links {
		if other != i {
			f(c.links[i][other])
			f(c.links[other][i])
		}
	}
}
