package session_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	links "ringline.io/ringline/internal/wire"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/meter/metertest"
)

// over makes an edge use this connection for notifications, without a sweep.
func over(nc *nats.Conn) func(*session.Config) {
	return func(c *session.Config) { c.NC, c.Limits.Sweep = nc, time.Hour }
}

// states returns the states of the calls in a snapshot.
func states(s events.PushedSnapshot) map[string]events.CallState {
	list := map[string]events.CallState{}
	for _, c := range s.Calls {
		list[c.Call.CallID] = c.Call.State
	}
	return list
}

// Sessions learn what their edge missed while it was cut off from NATS, once it has reconnected.
func TestReconnectToNATS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	apps := []*app{}
	for range transports() {
		apps = append(apps, w.app(t)) // before the edge reads the apps
	}
	link, err := links.Listen("edge", strings.TrimPrefix(w.URL(), "nats://"), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	nc, err := nats.Connect(link.Addr(), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1), nats.Timeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	gone := nc.StatusChanged(nats.RECONNECTING)
	e := w.start(t, over(nc))
	for _, dial := range transports() {
		a := apps[0]
		apps = apps[1:]
		bob, eve := a.open(e, "bob", dial, ""), a.open(e, "eve", dial, "")
		a.ring("c1", "ann")
		bob.expect("c1", events.IncomingCallReceived)
		link.Cut(links.Up)
		link.Cut(links.Down)
		link.Reset()
		receive(t, "the end of the connection", gone)
		a.cancel("c1", "ann")
		a.ring("c2", "dan")
		link.Mend()
		got := bob.renewed()
		if s := states(got); s["c1"] != events.CallStateEnded || s["c2"] != events.CallStateRinging || len(s) != 2 {
			t.Errorf("the calls: %v", s)
		}
		if !slices.Equal(got.Showing, []string{"c1"}) || got.UserID != "bob" || got.DeviceID != bob.first.DeviceID {
			t.Errorf("the snapshot: %+v", got)
		}
		a.nothingMore("bob", bob)
		a.nothingMore("eve", eve) // there is nothing new for eve
		a.cancel("c2", "dan")
		bob.expect("c2", events.IncomingCallCanceled)
		bob.expect("c2", events.CallEnded)
	}
}

// gated dials connections that block a SUB while the gate is locked.
type gated struct{ gate *sync.RWMutex }

type gatedConn struct {
	net.Conn
	gate *sync.RWMutex
}

func (d gated) Dial(network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(context.Background(), network, address)
	return gatedConn{c, d.gate}, err
}

func (c gatedConn) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("SUB ")) {
		c.gate.RLock()
		defer c.gate.RUnlock()
	}
	return c.Conn.Write(b)
}

// nats.go reports a reconnect before it has restored the subscriptions. Messages in between are not lost either.
func TestReconnectWithLateSubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	var gate sync.RWMutex
	nc, err := nats.Connect(w.URL(), nats.Timeout(within), nats.SetCustomDialer(gated{&gate}), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	e := w.start(t, over(nc))
	bob := a.open(e, "bob", dialWebsocket, "")
	a.ring("c1", "ann")
	bob.expect("c1", events.IncomingCallReceived)
	back := nc.StatusChanged(nats.CONNECTED)
	gate.Lock()
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	receive(t, "the connection", back)
	a.cancel("c1", "ann")
	gate.Unlock()
	if s := states(bob.renewed()); s["c1"] != events.CallStateEnded {
		t.Errorf("the calls: %v", s)
	}
}

// stuck is a log writer that blocks while it is locked. A relay that logs a malformed notification blocks there.
type stuck struct{ sync.Mutex }

// Write implements io.Writer.
func (s *stuck) Write(b []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return len(b), nil
}

// flooded returns an app, and a session of ann on an edge for which NATS drops every message from now on.
func flooded(t *testing.T, checks time.Duration) (a *app, ann *device) {
	t.Helper()
	const more = 10_000 // than the channel holds
	w := newWorld(t)
	a = w.app(t)
	nc, err := nats.Connect(w.URL(), nats.Timeout(within), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	var log stuck
	e := w.start(t, over(nc), func(c *session.Config) { c.Limits.Revoked, c.Log = checks, zerolog.New(&log) })
	ann = a.open(e, "ann", dialWebsocket, "")
	a.ring("c1", "ann")
	log.Lock()
	t.Cleanup(log.Unlock)
	for range more {
		a.notify("ann", []byte("x"))
	}
	eventually(t, "NATS drops", func() bool { return metertest.Values(t, e.meter)["ringline_slow_consumer_total"] > 0 })
	return a, ann
}

// If NATS reports a slow consumer, the session gets a new snapshot.
func TestSlowConsumerGetsASnapshot(t *testing.T) {
	t.Parallel()
	_, ann := flooded(t, time.Hour)
	if s := states(ann.renewed()); s["c1"] != events.CallStateRinging {
		t.Errorf("the calls: %v", s)
	}
}

// NATS reports only the first of several dropped messages. The session still gets the final state.
func TestSlowConsumerSeesTheEnd(t *testing.T) {
	t.Parallel()
	a, ann := flooded(t, 20*time.Millisecond)
	ann.renewed()
	a.cancel("c1", "ann")
	if s := states(ann.renewed()); s["c1"] != events.CallStateEnded {
		t.Errorf("the calls: %v", s)
	}
}

const renewals = "ringline_snapshots_renewed_total"

// A session that shows a call learns at the next sweep what core NATS lost silently.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Sweep = 10 * time.Millisecond })
	bob := a.open(e, "bob", dialWebsocket, "")
	call := a.ring("c1", "ann")
	bob.expect("c1", events.IncomingCallReceived)
	before := metertest.Values(t, e.meter)[renewals]
	eventually(t, "it is swept", func() bool { return metertest.Values(t, e.meter)[renewals] > before+1 })
	a.nothingMore("bob", bob) // there was nothing new
	call.Seq, call.State = call.Seq+1, events.CallStateEnded
	end := events.Transition{
		CommandID: "k", Event: events.EventEnded, Seq: call.Seq, By: events.By{Kind: events.ByTimer},
		Changes: []events.Change{}, Call: call, Commands: []events.Remembered{},
	}
	body, err := end.Encode(events.TimeOf(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	m := nats.NewMsg(events.TransitionSubject(a.name, "c1"))
	m.Header.Set(events.HeaderEvent, string(end.Event))
	m.Data = body
	if _, err := w.JS.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if s := states(bob.renewed()); s["c1"] != events.CallStateEnded {
		t.Errorf("the calls: %v", s)
	}
}
