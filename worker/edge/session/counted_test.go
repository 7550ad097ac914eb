package session_test

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/streams"
)

// Every refusal is counted by its reason.
func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t, ofApp)
	w.app(t, ofOther)
	e := w.start(t, func(c *session.Config) {
		c.Limits.SessionsPerUser, c.Limits.MessageSize = 2, 2048
		c.Limits.Commands = session.Rate{PerSecond: 1e-6, Burst: 1}
	})
	ann := a.open(e, "ann", dialWebsocket, "")
	comes := func(c edgetest.Client, from page) func() {
		return func() { receive(t, "the end", dialStream(session.PathHTTPStream, "")(t, e.url, c, from).Code()) }
	}
	good := edgetest.Client{Token: a.token("ann")}
	want := map[string]float64{}
	for _, step := range []struct {
		refusal string
		provoke func()
	}{
		{"origin", comes(good, foreign)},
		{"token", comes(edgetest.Client{Token: "garbage"}, "")},
		{"expired", comes(edgetest.Client{Token: a.expired("ann")}, "")},
		{"device", comes(edgetest.Client{Token: a.bound("ann", "phone"), Data: `{"device":"laptop"}`}, "")},
		{"data", comes(edgetest.Client{Token: good.Token, Data: `[]`}, "")},
		{"size", comes(edgetest.Client{Token: good.Token, Data: `"` + strings.Repeat("x", 3000) + `"`}, "")},
		{"rate", func() { ann.works(); receive(t, "an answer", ann.Call("line", `{}`)) }},
		{"user", func() { a.open(e, "ann", dialWebsocket, ""); comes(good, "")() }},
		{"revoked", func() {
			a.open(e, "bob", dialWebsocket, "")
			a.revoke("bob")
			eventually(t, "bob is gone", func() bool { return e.Sessions() == 2 })
		}},
	} {
		step.provoke()
		const name = "ringline_sessions_refused_total"
		want[name+`{refusal="`+step.refusal+`"}`] = 1
		metertest.Eventually(t, e.meter, want, name)
	}
}

// The session library closes a WebSocket with an oversized or malformed frame before Ringline sees a command. Its own metric counts
// that, and the edge exports it.
func TestClosesOfTheLibraryAreExported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.MessageSize = 2048 })
	dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann"), Data: `"` + strings.Repeat("x", 3000) + `"`}, "")
	eventually(t, "the close with 1009 is counted", func() bool { return metertest.Closes(t, e.meter)["1009"] == 1 })
}

// The number of connections of an address is limited, and refusals are counted.
func TestConnectionsOfAnAddressAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.SessionsPerAddress = 1 })
	a.open(e, "ann", dialWebsocket, "")
	dialStream(session.PathHTTPStream, "")(t, e.url, edgetest.Client{Token: a.token("bob")}, "").closed(t, http.StatusTooManyRequests)
	const name = "ringline_sessions_refused_total"
	metertest.Eventually(t, e.meter, map[string]float64{name + `{refusal="address"}`: 1}, name)
}

// Sessions are counted by transport, and by how they end.
func TestSessionsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t)
	want := map[string]float64{`ringline_sessions_ended_total{end="client"}`: 3}
	for transport, dial := range transports() {
		label := `{transport="` + path.Base(transport) + `"}`
		want["ringline_sessions"+label], want["ringline_sessions_total"+label] = 1, 2
		a.open(e, "ann", dial, "").Break()
		ann := a.open(e, "ann", dial, "")
		a.nothingMore("ann", ann)
		a.notify("ann", a.notice("c1", 1, 0))
		ann.expect("c1", events.OutgoingCallRinging)
	}
	names := []string{"ringline_sessions", "ringline_sessions_total", "ringline_sessions_ended_total"}
	metertest.Eventually(t, e.meter, want, names...)
	if n := metertest.Values(t, e.meter)["ringline_pushes_total"]; n < 6 {
		t.Errorf("%v pushes", n)
	}
}

// revoke revokes the tokens of this user.
func (a *app) revoke(user string) {
	a.tb.Helper()
	kv, err := a.w.JS.KeyValue(a.tb.Context(), streams.BucketApps)
	if err != nil {
		a.tb.Fatal(err)
	}
	body := encode(a.tb, events.AppSettings{
		TokenKeys: []events.TokenKey{a.key}, NotBefore: map[string]events.Time{user: events.TimeOf(time.Now().Add(time.Minute))},
	})
	if _, err := kv.Put(a.tb.Context(), a.name, body); err != nil {
		a.tb.Fatal(err)
	}
}
