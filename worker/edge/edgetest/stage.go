package edgetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/streams"
)

// within is the timeout for things that should take some milliseconds.
const within = time.Minute

// stage is the environment of one test: an app with a key, and an edge.
type stage struct {
	*testing.T

	adapter Adapter
	edge    Edge
	nc      *nats.Conn
	js      jetstream.JetStream
	app     string
	key     events.TokenKey
	server  NATS
}

func newStage(t *testing.T, n NATS, a Adapter, l Limits) *stage {
	t.Helper()
	s := &stage{T: t, adapter: a, nc: n.Connect(t), app: "app-" + nuid.Next(), key: token.Generate("k1"), server: n}
	var err error
	if s.js, err = jetstream.New(s.nc); err != nil {
		t.Fatal(err)
	}
	s.set(events.AppSettings{TokenKeys: []events.TokenKey{s.key}})
	s.edge = a.Start(t, l)
	return s
}

// set writes the app's settings.
func (s *stage) set(to events.AppSettings) {
	s.Helper()
	kv, err := s.js.KeyValue(s.Context(), streams.BucketApps)
	if err != nil {
		s.Fatal(err)
	}
	if _, err := kv.Put(s.Context(), s.app, s.encode(to)); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) encode(v any) []byte {
	s.Helper()
	body, err := events.Encode(v)
	if err != nil {
		s.Fatal(err)
	}
	return body
}

// token mints a token for this user. It is valid for one hour unless change sets another time.
func (s *stage) token(user string, change ...func(*token.Claims)) string {
	s.Helper()
	now := time.Now().Truncate(time.Second)
	c := token.Claims{App: s.app, UserID: user, IssuedAt: now.Add(-time.Minute), Expires: now.Add(time.Hour)}
	for _, f := range change {
		f(&c)
	}
	key, err := token.Secret(s.key)
	if err != nil {
		s.Fatal(err)
	}
	text, err := token.Mint(key, c, "")
	if err != nil {
		s.Fatal(err)
	}
	return text
}

// receive waits for a value of a channel. It returns false if the channel is closed.
func receive[T any](s *stage, what string, from <-chan T) (v T, ok bool) {
	s.Helper()
	select {
	case v, ok = <-from:
		return v, ok
	case <-time.After(within):
		s.Fatalf("%s did not arrive within %v", what, within)
		return v, false
	}
}

// eventually waits until so returns true.
func (s *stage) eventually(what string, so func() bool) {
	s.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s: not within %v", what, within)
		}
	}
}

// code waits until the connection is refused or closed, and returns the code.
func (s *stage) code(c Conn) int {
	s.Helper()
	code, ok := receive(s, "a code", c.Code())
	if !ok {
		s.Fatal("the connection ended without a code")
	}
	return code
}

// refused expects that a client is refused with this code and receives no message.
func (s *stage) refused(what string, c Client, want int) {
	s.Helper()
	conn := s.edge.Dial(s.T, c)
	if got := s.code(conn); got != want {
		s.Errorf("%s: refused with %d, want %d", what, got, want)
	}
	if push, ok := <-conn.Pushes(); ok {
		s.Errorf("%s: receives %s", what, push)
	}
}

// send publishes a command on NATS and returns its answer.
func (s *stage) send(callID string, verb events.Verb, body string) events.Answer {
	s.Helper()
	inbox := nuid.Next()
	sub, err := s.nc.SubscribeSync(events.AnswerSubject(s.app, inbox))
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // if this fails, the connection is closed
	m := nats.NewMsg(events.CommandSubject(s.app, callID, verb))
	m.Header.Set(events.HeaderAnswer, inbox)
	m.Data = []byte(body)
	if err := s.nc.PublishMsg(m); err != nil {
		s.Fatal(err)
	}
	answer, err := sub.NextMsg(within)
	if err != nil {
		s.Fatalf("no answer to %s of %s: %v", verb, callID, err)
	}
	var a events.Answer
	s.decode(answer.Data, &a)
	return a
}

// sent publishes a command on NATS that must be accepted, and returns the call.
func (s *stage) sent(callID string, verb events.Verb, format string, args ...any) events.Call {
	s.Helper()
	body := fmt.Sprintf(format, args...)
	a := s.send(callID, verb, body)
	if !a.OK {
		s.Fatalf("%s of %s with %s: %s", verb, callID, body, s.encode(a))
	}
	return *a.Call
}

// ring publishes an invitation. The callees ring for ten minutes.
func (s *stage) ring(callID, caller string, callees ...string) events.Call {
	s.Helper()
	list := make([]events.Party, len(callees))
	for i, c := range callees {
		list[i].UserID = c
	}
	return s.sent(callID, events.VerbInvite,
		`{"command_id":"ring-%s","user_id":"%s","device_id":"%s-phone","call_type":1,"callees":%s,"custom_data":"hi","ring_timeout_s":600}`,
		callID, caller, caller, s.encode(list))
}

func (s *stage) decode(data []byte, into any) {
	s.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		s.Fatalf("%v\n%s", err, data)
	}
}

// sessionEvents subscribes to the session events of a user.
func (s *stage) sessionEvents(user string) *nats.Subscription {
	s.Helper()
	sub, err := s.nc.SubscribeSync(events.SessionSubject(s.app, user))
	if err == nil {
		err = s.nc.Flush()
	}
	if err != nil {
		s.Fatal(err)
	}
	return sub
}

// event waits for the next session event.
func (s *stage) event(sub *nats.Subscription) events.SessionEvent {
	s.Helper()
	m, err := sub.NextMsg(within)
	if err != nil {
		s.Fatalf("%s: %v", sub.Subject, err)
	}
	var e events.SessionEvent
	s.decode(m.Data, &e)
	return e
}

// notify publishes a notification as a coordinator does. If fill is not 0, its custom data has that many bytes.
func (s *stage) notify(user, callID string, seq, fill int) {
	s.Helper()
	n := events.Notification{
		Event: events.OutgoingCallRinging, ID: fmt.Sprintf("%s-%d-0", callID, seq), CallID: callID, Seq: seq, UserID: "x",
		By: events.By{Kind: events.ByUser, UserID: "x"}, ServerTime: events.TimeOf(time.Now()),
		Call: events.Call{CallID: callID, App: s.app, State: events.CallStateRinging, Seq: seq, Callees: []events.Callee{}},
	}
	if fill > 0 {
		n.CustomData = fmt.Sprintf("%0*d", fill, 0)
	}
	s.publish(events.UserSubject(s.app, user), n)
}

func (s *stage) publish(subject string, v any) {
	s.Helper()
	if err := s.nc.Publish(subject, s.encode(v)); err != nil {
		s.Fatal(err)
	}
}

// stopped stops the edge and returns how long that took.
func (s *stage) stopped() time.Duration {
	s.Helper()
	began := time.Now()
	s.edge.Stop()
	receive(s, "the end of the edge", s.edge.Stopped())
	return time.Since(began)
}

// ctx returns a context with the timeout of a test.
func (s *stage) ctx() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.Context(), within)
}
