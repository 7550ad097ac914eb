package session_test

import (
	"fmt"
	"testing"
	"time"

	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

const replaced = 4501

// by opens a session of this device that must not be refused.
func (a *app) by(e *edge, user, deviceID string) *device {
	a.tb.Helper()
	d := &device{client: dialWebsocket(a.tb, e.url, edgetest.Client{Token: a.token(user), Data: encodeDevice(a.tb, deviceID)}, ""), tb: a.tb}
	d.next(&d.first)
	return d
}

func encodeDevice(tb testing.TB, deviceID string) string {
	tb.Helper()
	return string(encode(tb, map[string]string{"device": deviceID}))
}

// A device that changes its network leaves a half-open connection behind. These do not lock the user out, neither with
// seven tabs that change three times, nor with one that changes 20 times.
func TestNetworkChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ tabs, changes int }{{7, 3}, {1, 20}} {
		t.Run(fmt.Sprint(test.tabs, " tabs"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.app(t)
			e := w.start(t)
			var now []*device
			for range 1 + test.changes {
				now = nil
				for tab := range test.tabs {
					now = append(now, a.by(e, "ann", fmt.Sprint("laptop.tab", tab)))
				}
			}
			for _, d := range now {
				d.works()
			}
			if n := e.Sessions(); n != test.tabs {
				t.Errorf("%d sessions count", n)
			}
		})
	}
}

// A new session of a device closes the older one, on the same edge and on another one. Other devices, users and apps
// keep theirs. Ids may contain any character.
func TestNewSessionReplacesTheOlder(t *testing.T) {
	t.Parallel()
	const user, phone = `ann.*> "ö` + "\u00a0", `phone.*.> =\"ß`
	w := newWorld(t)
	a, b := w.app(t), w.app(t)
	one, two := w.start(t), w.start(t)
	others := []*device{a.by(one, user, phone+"2"), a.by(one, "bob", phone), b.by(one, user, phone), a.by(two, user, "laptop")}
	first := a.by(one, user, phone)
	second := a.by(one, user, phone)
	first.closed(t, replaced)
	third := a.by(two, user, phone)
	second.closed(t, replaced)
	last := a.by(one, user, phone)
	third.closed(t, replaced)
	for _, d := range append(others, last) {
		d.works()
	}
	eventually(t, "the replaced sessions are gone", func() bool { return one.Sessions() == 4 && two.Sessions() == 1 })
}

// Of two sessions that open at the same time on two edges, exactly one stays, also if the edges read the same broker
// time.
func TestSessionsThatOpenTogether(t *testing.T) {
	t.Parallel()
	const rounds = 20
	now := time.Now().Add(30 * time.Minute)
	for name, local := range map[string]func() time.Time{"same time": func() time.Time { return now }, "own clocks": clock.Local} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.app(t)
			fixed := func(c *session.Config) {
				c.Clock = clock.New(local)
				c.Limits = limits(c.Limits, edgetest.Limits{})
				c.Limits.Connects = session.Rate{PerSecond: 1000, Burst: 1000}
			}
			edges := []*edge{w.start(t, fixed), w.start(t, fixed)}
			for i := range rounds {
				hello := edgetest.Client{Token: a.token("ann"), Data: encodeDevice(t, fmt.Sprint("phone", i))}
				one, two := dialWebsocket(t, edges[0].url, hello, ""), dialWebsocket(t, edges[1].url, hello, "")
				var closed int
				stays := one
				select {
				case closed = <-one.Code():
					stays = two
				case closed = <-two.Code():
				case <-time.After(within):
					t.Fatal("both stay")
				}
				if closed != replaced {
					t.Errorf("closed with %d", closed)
				}
				eventually(t, "one session is left", func() bool { return edges[0].Sessions()+edges[1].Sessions() == i+1 })
				(&device{client: stays, tb: t}).works()
			}
		})
	}
}

// The newer session stays, even if the older one is announced later: its edge was slower to open it.
func TestOlderSessionThatOpensLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	now := time.Now().Add(30 * time.Minute)
	at := func(ahead time.Duration) func(*session.Config) {
		return func(c *session.Config) { c.Clock = clock.New(func() time.Time { return now.Add(ahead) }) }
	}
	early, late := w.start(t, at(0)), w.start(t, at(time.Second))
	newer := a.by(late, "ann", "phone")
	older := dialWebsocket(t, early.url, edgetest.Client{Token: a.token("ann"), Data: `{"device":"phone"}`}, "")
	older.closed(t, replaced)
	newer.works()
	if n := late.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// A refused connect does not close the session that the device has.
func TestRefusedConnectReplacesNothing(t *testing.T) {
	t.Parallel()
	const unavailable = 100
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Connects = session.Rate{PerSecond: 1e-6, Burst: 1} })
	ann := a.by(e, "ann", "phone")
	dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann"), Data: `{"device":"phone"}`}, "").closed(t, unavailable)
	ann.works()
}

// A phone whose socket is half-open reaches a call that rings for 30 s: official SDKs reconnect 10 s after a ping that
// did not come.
func TestPingsAreOftenEnoughForRinging(t *testing.T) {
	t.Parallel()
	const ring, sdkWaits, toConnect, toAnswer = 30 * time.Second, 10 * time.Second, time.Second, 5 * time.Second
	l := session.DefaultLimits()
	if late := l.Ping + sdkWaits + toConnect; late > ring-toAnswer {
		t.Errorf("it may ring only after %v of %v", late, ring)
	}
	if l.Pong >= l.Ping || l.Ping%time.Second != 0 {
		t.Errorf("ping every %v, pong within %v", l.Ping, l.Pong)
	}
}
