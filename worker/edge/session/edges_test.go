package session_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/streams"
)

// Behind a load balancer a stream and its commands can reach different edges. The command still finds its session.
func TestCommandsThroughAnotherEdge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	one, two := w.start(t), w.start(t)
	for _, transport := range []string{session.PathHTTPStream, session.PathSSE} {
		ann := a.open(one, "ann", transports()[transport], "")
		stream := ann.wire.(*streamWire)
		stream.url = two.url
		stream.mu.Lock()
		node := stream.node
		stream.mu.Unlock()
		eventually(t, "the edges know each other", func() bool { return probe(t, two.url, node) == http.StatusNoContent })
		ann.works()
		if got := probe(t, two.url, "unknown"); got != http.StatusNotFound {
			t.Errorf("%s: an edge that is not there: %d", path.Base(transport), got)
		}
	}
}

// probe posts an empty command for an unknown session to this node.
func probe(t *testing.T, url, node string) (status int) {
	t.Helper()
	return post(t, url+session.PathEmulation, fmt.Sprintf(`{"session":"unknown","node":%q,"data":"{}"}`, node))
}

// A disconnect ends the user's sessions on every edge, for good. The user with the same id in another app stays
// connected.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	const forceDisconnect = 3503
	w := newWorld(t)
	a, other := w.app(t), w.app(t)
	one, two := w.start(t), w.start(t)
	here, there := a.open(one, "ann", dialWebsocket, ""), a.open(two, "ann", transports()[session.PathSSE], "")
	bob, namesake := a.open(two, "bob", dialWebsocket, ""), other.open(two, "ann", dialWebsocket, "")
	if err := one.Disconnect(a.name, "ann"); err != nil {
		t.Fatal(err)
	}
	here.closed(t, forceDisconnect)
	there.closed(t, forceDisconnect)
	bob.works()
	namesake.works()
	eventually(t, "the sessions are gone", func() bool { return one.Sessions() == 0 && two.Sessions() == 2 })
}

// A client that does not answer pings is closed. A client that answers stays connected. An unexpected pong closes a
// client.
func TestPings(t *testing.T) {
	t.Parallel()
	const noPong, badRequest = 3012, 3501
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Ping, c.Limits.Pong = 2*time.Second, time.Second })
	var silent, there []*device
	for _, dial := range transports() {
		d := a.open(e, "ann", dial, "")
		d.mu.Lock()
		d.deaf = true
		d.mu.Unlock()
		silent, there = append(silent, d), append(there, a.open(e, "bob", dial, ""))
	}
	for _, d := range silent {
		d.closed(t, noPong)
	}
	for i, dial := range []dial{dialWebsocket, transports()[session.PathSSE]} {
		there[i].works()
		eager := a.open(e, "eve", dial, "")
		_ = eager.wire.send([]byte(`{}`)) // if this fails, it is closed already
		eager.closed(t, badRequest)
	}
}

// A session accepts only commands and refreshes of the centrifuge protocol, because nothing else has limits.
func TestOtherCommandsOfTheProtocol(t *testing.T) {
	t.Parallel()
	const badRequest = 3501
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t)
	for _, command := range []string{
		`"subscribe":{"channel":"c"}`, `"publish":{"channel":"c","data":{}}`, `"presence":{"channel":"c"}`,
		`"history":{"channel":"c"}`, `"unsubscribe":{"channel":"c"}`, `"ping":{}`, `"send":{"data":{}}`, `"sub_refresh":{"channel":"c"}`,
		`"rpc":{"method":"line"},"ping":{}`, `"rpc":{"method":"line"},"subscribe":{"channel":"c"}`, `"refresh":{},"rpc":{"method":"line"}`,
	} {
		ann := a.open(e, "ann", dialWebsocket, "")
		ann.ask(command, func(reply) {})
		ann.closed(t, badRequest)
	}
}

// Token refreshes count as commands: they are limited, and a client that keeps sending them is closed.
func TestRefreshesAreLimited(t *testing.T) {
	t.Parallel()
	const tooManyRequests, enough = 3013, 1000
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Commands = session.Rate{PerSecond: 1e-6, Burst: 2} })
	ann := a.open(e, "ann", dialWebsocket, "")
	for i := range enough {
		code, ok := receive(t, "a reply", ann.Refresh(a.token("ann")))
		if !ok {
			break
		}
		if (code == 0) != (i < 2) {
			t.Fatalf("refresh %d: %d", i, code)
		}
	}
	ann.closed(t, tooManyRequests)
}

// Adding a callee counts as an invitation.
func TestAddsAreInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Invitations = session.Rate{PerSecond: 1e-6, Burst: 1} })
	ann := a.open(e, "ann", dialWebsocket, "")
	for i, verb := range []string{"add", "add", "invite"} {
		answer, _ := receive(t, "an answer", ann.Call(verb, `{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}]}`))
		if limited := strings.Contains(string(answer), "rate_limited"); limited != (i > 0) {
			t.Errorf("%d: %s is answered %s", i, verb, answer)
		}
	}
}

// The edge refuses commands above the quota of an app before they are stored, because all apps share the stream. A
// command that coordinators refuse counts as ten. Other apps are not affected.
func TestQuotaOfAnAppAtTheEdge(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, verb, data string
		fits             int // accepted at once, with a quota of 20 a second
	}{
		{"invitations leave the reserve", "invite", `{"call_id":"c%d-%d","call_type":0,"callees":[{"user_id":"bob"}]}`, 50},
		{"commands of unknown calls", "accept", `{"call_id":"c%d-%d"}`, 7},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, other := w.appOf(t, events.AppSettings{CommandsPerS: 20}), w.app(t)
			now := time.Now().Add(30 * time.Minute) // later than any iat, however slow the machine is, and before any exp

			e := w.start(t, func(c *session.Config) {
				c.Clock = clock.New(func() time.Time { return now }) // a fixed clock, so that the quota does not refill
				c.Limits = limits(c.Limits, edgetest.Limits{})
			})
			before := w.written(t)
			refused := 0
			for i := range 5 {
				mallory := a.open(e, fmt.Sprint("mallory", i), dialWebsocket, "")
				for n := range 20 {
					answer, _ := receive(t, "an answer", mallory.Call(x.verb, fmt.Sprintf(x.data, i, n)))
					if strings.Contains(string(answer), "20 commands a second (commands_per_s)") {
						refused++
					}
				}
			}
			// On a slow machine a command whose ack comes late is stored twice.
			if stored := w.written(t) - before; refused != 100-x.fits || stored < uint64(x.fits) || stored > uint64(x.fits)+5 {
				t.Errorf("of 100 commands %d were stored and %d refused, want %d stored", stored, refused, x.fits)
			}
			for n := range 20 {
				answer, _ := receive(t, "an answer", other.open(e, fmt.Sprint("eve", n), dialWebsocket, "").Call("accept", `{"call_id":"c1"}`))
				if strings.Contains(string(answer), "rate_limited") {
					t.Errorf("another app is refused: %s", answer)
				}
			}
		})
	}
}

// A user who gets many refusals gets them late. Meanwhile their sessions can have no more commands in flight than
// allowed.
func TestRefusalsAreDelayed(t *testing.T) {
	t.Parallel()
	const late = 2 * time.Second
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) {
		c.Limits = limits(c.Limits, edgetest.Limits{Commands: 1})
		c.Limits.Refusals, c.Limits.InFlight = session.Rate{PerSecond: 1e-6, Burst: 1}, 3
	})
	ann := a.open(e, "ann", dialWebsocket, "")
	begun := time.Now()
	ask := func(says string) <-chan json.RawMessage {
		t.Helper()
		got := ann.Call("line", `{}`)
		if says != "" {
			if answer, _ := receive(t, "an answer", got); !strings.Contains(string(answer), says) {
				t.Fatalf("answered %s, want %q", answer, says)
			}
		}
		return got
	}
	ask(`"ok":true`)
	ask("a session may send")
	var waiting []<-chan json.RawMessage
	for range 3 {
		waiting = append(waiting, ask(""))
	}
	ask("more than 3 commands of this session are in flight")
	for _, got := range waiting {
		if answer, _ := receive(t, "a late answer", got); !strings.Contains(string(answer), "a session may send") {
			t.Errorf("late, answered %s", answer)
		}
	}
	if took := time.Since(begun); took < late {
		t.Errorf("the refusals came after %v, want %v at the soonest", took, late)
	}
	more := ask("")
	if answer, _ := receive(t, "a late answer", more); !strings.Contains(string(answer), "a session may send") {
		t.Errorf("once there is room, answered %s", answer)
	}
}

// written returns how many commands were ever stored.
func (w world) written(t *testing.T) uint64 {
	t.Helper()
	st, err := w.JS.Stream(t.Context(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	return st.CachedInfo().State.LastSeq
}

// The connects of a user are limited.
func TestConnectsAreLimited(t *testing.T) {
	t.Parallel()
	const unavailable = 100
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Connects = session.Rate{PerSecond: 1e-6, Burst: 3} })
	a.open(e, "ann", dialWebsocket, "")
	a.open(e, "ann", dialWebsocket, "")
	a.open(e, "ann", dialWebsocket, "")
	late := dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann")}, "")
	late.closed(t, unavailable)
	a.open(e, "bob", dialWebsocket, "")
}

// An edge that has stopped has ended its sessions. An edge that does not run yet accepts none.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t)
	for i := range 120 { // more than one batch
		a.open(e, fmt.Sprint("u", i), dialWebsocket, "")
	}
	if n := e.Sessions(); n != 120 {
		t.Errorf("%d sessions", n)
	}
	e.Stop()
	receive(t, "the end", e.Stopped())
	if n := e.Sessions(); n != 0 {
		t.Errorf("it stopped with %d sessions", n)
	}
	dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann")}, "").closed(t, http.StatusServiceUnavailable)
}
