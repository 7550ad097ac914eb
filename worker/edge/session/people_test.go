package session_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/streams"
)

// app is an app with helpers for its users.
type app struct {
	tb   testing.TB
	w    world
	nc   *nats.Conn
	name string
	key  events.TokenKey
}

// app makes an app with these origins.
func (w world) app(tb testing.TB, origins ...string) *app {
	tb.Helper()
	return w.appOf(tb, events.AppSettings{Origins: origins})
}

// appOf makes an app with these settings and a key.
func (w world) appOf(tb testing.TB, settings events.AppSettings) *app {
	tb.Helper()
	a := &app{tb: tb, w: w, nc: w.Connect(tb), name: "app-" + nuid.Next(), key: token.Generate("k1")}
	settings.TokenKeys = []events.TokenKey{a.key}
	kv, err := w.JS.KeyValue(tb.Context(), streams.BucketApps)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := kv.Put(tb.Context(), a.name, encode(tb, settings)); err != nil {
		tb.Fatal(err)
	}
	return a
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	body, err := events.Encode(v)
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// token returns a token for one hour, without a device.
func (a *app) token(user string) string { return a.mint(user, "", time.Hour) }

// expired returns an expired token.
func (a *app) expired(user string) string { return a.mint(user, "", -time.Second) }

// bound returns a token for this device.
func (a *app) bound(user, device string) string { return a.mint(user, device, time.Hour) }

func (a *app) mint(user, device string, left time.Duration) string {
	a.tb.Helper()
	now := time.Now().Truncate(time.Second)
	key, err := token.Secret(a.key)
	if err != nil {
		a.tb.Fatal(err)
	}
	text, err := token.Mint(key, token.Claims{App: a.name, UserID: user, Device: device, IssuedAt: now, Expires: now.Add(left)}, "")
	if err != nil {
		a.tb.Fatal(err)
	}
	return text
}

// send publishes a command on NATS that must be accepted, and returns the call.
func (a *app) send(callID string, verb events.Verb, format string, args ...any) events.Call {
	a.tb.Helper()
	inbox := nuid.Next()
	sub, err := a.nc.SubscribeSync(events.AnswerSubject(a.name, inbox))
	if err != nil {
		a.tb.Fatal(err)
	}
	m := nats.NewMsg(events.CommandSubject(a.name, callID, verb))
	m.Header.Set(events.HeaderAnswer, inbox)
	m.Data = fmt.Appendf(nil, format, args...)
	if err := a.nc.PublishMsg(m); err != nil {
		a.tb.Fatal(err)
	}
	got, err := sub.NextMsg(within)
	if err != nil {
		a.tb.Fatal(err)
	}
	var answer events.Answer
	if err := json.Unmarshal(got.Data, &answer); err != nil || !answer.OK {
		a.tb.Fatalf("%s of %s: %s", verb, callID, got.Data)
	}
	return *answer.Call
}

// ring publishes an invitation of bob, whose devices then ring for ten minutes.
func (a *app) ring(callID, caller string) events.Call {
	a.tb.Helper()
	return a.send(callID, events.VerbInvite,
		`{"command_id":"ring-%s","user_id":"%s","call_type":1,"callees":[{"user_id":"bob"}],"ring_timeout_s":600}`, callID, caller)
}

// cancel publishes the caller's cancel.
func (a *app) cancel(callID, caller string) {
	a.tb.Helper()
	a.send(callID, events.VerbCancel, `{"command_id":"cancel-%s","user_id":"%s"}`, callID, caller)
}

// notice returns a notification as a coordinator publishes it. If fill is not 0, its custom data has that many bytes.
func (a *app) notice(callID string, seq, fill int) []byte {
	a.tb.Helper()
	n := events.Notification{
		Event: events.OutgoingCallRinging, ID: fmt.Sprintf("%s-%d-0", callID, seq), CallID: callID, Seq: seq, UserID: "x",
		By: events.By{Kind: events.ByUser, UserID: "x"}, ServerTime: events.TimeOf(time.Now()),
		Call: events.Call{CallID: callID, App: a.name, State: events.CallStateRinging, Seq: seq, Callees: []events.Callee{}},
	}
	if fill > 0 {
		n.CustomData = fmt.Sprintf("%0*d", fill, 0)
	}
	return encode(a.tb, n)
}

// notify publishes a notification to a user.
func (a *app) notify(user string, body []byte) {
	a.tb.Helper()
	if err := a.nc.Publish(events.UserSubject(a.name, user), body); err != nil {
		a.tb.Fatal(err)
	}
}

// device is a client with a session.
type device struct {
	*client

	tb    testing.TB
	first events.Snapshot
}

// open opens a session that must not be refused.
func (a *app) open(e *edge, user string, by dial, from page) *device {
	a.tb.Helper()
	d := &device{client: by(a.tb, e.url, edgetest.Client{Token: a.token(user)}, from), tb: a.tb}
	d.next(&d.first)
	return d
}

// next waits for the next message to the client.
func (d *device) next(into any) json.RawMessage {
	d.tb.Helper()
	raw, ok := receive(d.tb, "the next push", d.Pushes())
	if !ok {
		d.tb.Fatalf("closed with %d", <-d.Code())
	}
	if err := json.Unmarshal(raw, into); err != nil {
		d.tb.Fatalf("%v\n%s", err, raw)
	}
	return raw
}

// expect expects this as the next push.
func (d *device) expect(callID string, kind events.Kind) {
	d.tb.Helper()
	var n events.Notification
	if raw := d.next(&n); n.Event != kind || n.CallID != callID {
		d.tb.Fatalf("received %s, want %s of %s", raw, kind, callID)
	}
}

// renewed expects a snapshot as the next push.
func (d *device) renewed() events.PushedSnapshot {
	d.tb.Helper()
	var p events.SnapshotPush
	if raw := d.next(&p); p.Event != events.PushSnapshot {
		d.tb.Fatalf("received %s, want a snapshot", raw)
	}
	return p.Snapshot
}

// nothingMore checks that no push is pending: a notification that is published now is the next one.
func (a *app) nothingMore(user string, d *device) {
	a.tb.Helper()
	id := nuid.Next()
	a.notify(user, a.notice(id, 1, 0))
	d.expect(id, events.OutgoingCallRinging)
}

// works expects that a command is answered.
func (d *device) works() {
	d.tb.Helper()
	raw, ok := receive(d.tb, "an answer", d.Call("line", `{}`))
	var a events.LineAnswer
	if !ok || json.Unmarshal(raw, &a) != nil || !a.OK {
		d.tb.Fatalf("the answer: %s", raw)
	}
}

// closed expects that the connection ends with this code.
func (c *client) closed(tb testing.TB, want int) {
	tb.Helper()
	if got, _ := receive(tb, "the end", c.Code()); got != want {
		tb.Errorf("closed with %d, want %d", got, want)
	}
}

// receive waits for a value of a channel. It returns false if the channel is closed.
func receive[T any](tb testing.TB, what string, from <-chan T) (v T, ok bool) {
	tb.Helper()
	select {
	case v, ok = <-from:
		return v, ok
	case <-time.After(within):
		tb.Fatalf("%s did not arrive within %v", what, within)
		return v, false
	}
}
