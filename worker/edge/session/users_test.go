package session

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/store"
)

// edgeOn returns an edge that does not run, and a valid token.
func edgeOn(t *testing.T) (e *Edge, tok string) {
	t.Helper()
	s := natstest.Start(t)
	nc, err := nats.Connect(s.URL(), nats.Timeout(within), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	asker, err := ask.New(s.NC, s.JS, within/3, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := token.Generate("k")
	settings := func(context.Context, string) (events.AppSettings, bool, error) {
		return events.AppSettings{TokenKeys: []events.TokenKey{key}}, true, nil
	}
	calls := store.NewCalls(s.NC, zerolog.Nop(), nil)
	e, err = New(Config{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(s.NC, s.JS, calls, zerolog.Nop(), nil),
		Apps:   store.NewApps(s.JS, zerolog.Nop(), call.DefaultLimits(), time.Hour, nil),
		Tokens: token.New(settings, ""), Limits: DefaultLimits(), Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	e.stopping.Store(false)
	signing, err := token.Secret(key)
	if err == nil {
		tok, err = token.Mint(signing, token.Claims{App: "demo", UserID: "ann", Expires: time.Now().Add(time.Hour)}, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return e, tok
}

// A connection may end at any moment while its session opens. Nothing of the session stays.
func TestClosedBeforeItIsOpen(t *testing.T) {
	t.Parallel()
	e, tok := edgeOn(t)
	none := e.NC.NumSubscriptions()
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := e.open(ctx, hello{token: tok}); err != nil || e.Sessions() != 1 {
		t.Fatal(err)
	}
	cancel() // before it has started
	for range 100 {
		if _, _, err := e.open(ctx, hello{token: tok}); err == nil {
			t.Fatal("a session is open whose connection has ended")
		}
	}
	for deadline := time.Now().Add(within); e.Sessions() > 0 || e.NC.NumSubscriptions() > none; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions and %d subscriptions are left", e.Sessions(), e.NC.NumSubscriptions()-none)
		}
	}
}

// A command is carried out even if its client has disconnected since.
func TestCommandOfAClosedSession(t *testing.T) {
	t.Parallel()
	e, _ := edgeOn(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	sub, err := e.NC.SubscribeSync(events.CommandSubject("demo", "c1", events.VerbDecline))
	if err == nil {
		err = e.NC.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	ann := &session{app: "demo", user: &user{allowance: e.Limits.allowance()}, by: events.Sender{UserID: "ann", DeviceID: "d"}}
	go e.answer(gone, ann, "decline", []byte(`{"call_id":"c1"}`), time.Now())
	if _, err := sub.NextMsg(within); err != nil {
		t.Error(err)
	}
}

// An edge that may not send via sends nothing else that an older coordinator refuses: neither pictures, nor the name of who
// answers.
func TestFieldsForOlderCoordinators(t *testing.T) {
	t.Parallel()
	e, _ := edgeOn(t)
	sub, err := e.NC.SubscribeSync(events.CommandSubject("demo", "c1", "*"))
	if err == nil {
		err = e.NC.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	ann := &session{
		app: "demo", user: &user{allowance: e.Limits.allowance()},
		by: events.Sender{UserID: "ann", UserName: "Ann", UserAvatar: "https://a.example/x", DeviceID: "d"},
	}
	for _, x := range []struct {
		via        bool
		verb, body string
		want       string
	}{
		{true, "accept", `{"call_id":"c1","command_id":"k1"}`, "Ann https://a.example/x"},
		{false, "accept", `{"call_id":"c1","command_id":"k2"}`, " "},
		{true, "invite", `{"call_id":"c1","command_id":"k3","call_type":0,"callees":[{"user_id":"bob"}]}`, "Ann https://a.example/x"},
		{false, "invite", `{"call_id":"c1","command_id":"k4","call_type":0,"callees":[{"user_id":"bob"}]}`, "Ann "},
	} {
		e.Via = x.via
		go e.answer(t.Context(), ann, x.verb, []byte(x.body), time.Now())
		m, err := sub.NextMsg(within)
		if err != nil {
			t.Fatal(err)
		}
		cmd, err := events.ReadCommand(events.CommandAddress{App: "demo", CallID: "c1", Verb: events.Verb(x.verb)}, m.Data)
		if got := cmd.UserName + " " + cmd.UserAvatar; err != nil || got != x.want || (cmd.Via != "") != x.via {
			t.Errorf("%+v: %s, %v", x, m.Data, err)
		}
	}
}

// NATS reports only the first of several drops in a row. The others are found too.
func TestLost(t *testing.T) {
	t.Parallel()
	e, _ := edgeOn(t)
	s := &session{app: "demo", by: events.Sender{UserID: "ann"}}
	if err := e.join(t.Context(), s, 0); err != nil {
		t.Fatal(err)
	}
	publish := func(n int) { // no goroutine reads the lanes
		t.Helper()
		for i := range n {
			if err := e.NC.Publish(s.user.subject, []byte(strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.NC.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		messages int
		want     []*session
	}{{laneSize, nil}, {1, []*session{s}}, {0, nil}, {2, []*session{s}}, {0, nil}} {
		publish(step.messages)
		if got := e.users.lost(); !slices.Equal(got, step.want) {
			t.Errorf("after %d more messages: %d sessions have lost something", step.messages, len(got))
		}
	}
}

// An allowance is kept until it is full again, and no longer.
func TestAllowanceIsKept(t *testing.T) {
	t.Parallel()
	e, _ := edgeOn(t)
	e.users.limits.Invitations = Rate{1, 2}
	come := func() *session {
		t.Helper()
		s := &session{app: "demo", by: events.Sender{UserID: "ann"}}
		if err := e.join(t.Context(), s, 0); err != nil {
			t.Fatal(err)
		}
		return s
	}
	now := time.Now()
	first := come()
	first.user.invitations.AllowN(now, 2)
	e.users.leave(first)
	e.users.forget(now.Add(time.Second))
	second := come()
	if second.user.invitations != first.user.invitations || len(e.users.left) != 0 {
		t.Error("who comes again has a new allowance")
	}
	e.users.leave(second)
	e.users.forget(now.Add(3 * time.Second))
	if len(e.users.left) != 0 {
		t.Errorf("%d allowances are kept", len(e.users.left))
	}
}

// A page whose app can't be read is refused for now and not for good, because its origin may be one of the app.
func TestOriginOfAnUnreadableApp(t *testing.T) {
	t.Parallel()
	e, tok := edgeOn(t) // its apps are never read
	e.Limits.Open = 50 * time.Millisecond
	_, _, err := e.open(t.Context(), hello{token: tok, pageOrigin: pageOrigin{origin: "https://app.example"}})
	var r refusal
	if !errors.As(err, &r) || r.Code != Unavailable {
		t.Errorf("refused with %v", err)
	}
}
