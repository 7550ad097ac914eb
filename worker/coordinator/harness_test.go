package coordinator_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/store"
)

// within is the timeout for things that should take milliseconds. They may take seconds if thousands wait at once.
const within = time.Minute

// soak makes the tests long: go test -soak, or make soak.
var soak = flag.Bool("soak", false, "many times as many rounds, and real waits")

// size returns how much a test does.
func size(short, normal, long int) int {
	switch {
	case *soak:
		return long
	case testing.Short():
		return short
	}
	return normal
}

// parallel makes the test parallel, except in a soak, whose figures are for one test at a time.
func parallel(t *testing.T) {
	t.Helper()
	if !*soak {
		t.Parallel()
	}
}

func logger() zerolog.Logger {
	if testing.Verbose() {
		return zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr}).With().Timestamp().Logger()
	}
	return zerolog.Nop()
}

// run runs f until the test ends, and waits for it.
func run(tb testing.TB, f func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("ended with %v", err)
		}
	})
}

// startWorkers starts coordinators with their own connections, a timeouts worker and the API. It counts conflicting commits.
func startWorkers(tb testing.TB, s *natstest.Server, coordinators int) (conflicts *atomic.Int64) {
	tb.Helper()
	conflicts = new(atomic.Int64)
	count := func(s meter.Step) {
		if s == meter.StepConflicted {
			conflicts.Add(1)
		}
	}
	for range coordinators {
		nc := s.Connect(tb)
		js := stream(tb, nc)
		apps := store.NewApps(js, logger(), call.DefaultLimits(), 17*time.Hour, nil)
		run(tb, apps.Run)
		run(tb, coordinator.New(nc, js, logger(), coordinator.Config{Parallel: 64, Limits: apps.Limits, OnStep: count}).Run)
	}
	nc := s.Connect(tb)
	js := stream(tb, nc)
	run(tb, timeouts.New(js, nil, logger(), timeouts.DefaultSweep(), nil).Run)
	asker, err := ask.New(nc, js, within/3, nil)
	if err != nil {
		tb.Fatal(err)
	}
	calls := store.NewCalls(nc, logger(), nil)
	api := &coordinator.API{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(nc, js, calls, logger(), nil), Log: logger(), Parallel: 64,
		InboxPrefix: "_INBOX", Secrets: store.NewSecrets(nc, js, logger()),
		Present: func(app, userID, deviceID string, until time.Time) error {
			return nc.Publish("present."+app+"."+userID+"."+deviceID, fmt.Append(nil, until.UnixMilli()))
		},
	}
	run(tb, api.Run)
	(&integrator{t: tb, nc: s.NC}).serves()
	return conflicts
}

func stream(tb testing.TB, nc *nats.Conn) jetstream.JetStream {
	tb.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	return js
}

// integrator uses Ringline as an integrator would: subjects and JSON, without the packages of this module.
type integrator struct {
	t   testing.TB
	nc  *nats.Conn
	app string
}

// serves waits until the API runs, because an earlier request would have no responder.
func (i *integrator) serves() {
	i.t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		if _, err := i.nc.Request("$SRV.PING.ringline", nil, time.Second); err == nil {
			return
		}
		if time.Now().After(deadline) {
			i.t.Fatal("the api does not start")
		}
	}
}

func newIntegrator(tb testing.TB, s *natstest.Server) *integrator {
	tb.Helper()
	return &integrator{t: tb, nc: s.Connect(tb), app: "demo"}
}

// object is a JSON object.
type object = map[string]any

// feed receives the notifications of a user.
type feed struct {
	t    testing.TB
	user string
	sub  *nats.Subscription
	last string // id of the newest notification
	seen map[string]bool
}

func (i *integrator) user(escaped string) *feed {
	i.t.Helper()
	sub, err := i.nc.SubscribeSync("ringline." + i.app + ".user." + escaped)
	if err != nil {
		i.t.Fatal(err)
	}
	if err := i.nc.Flush(); err != nil {
		i.t.Fatal(err)
	}
	return &feed{t: i.t, user: escaped, sub: sub, seen: map[string]bool{}}
}

// take returns the next notification and whether it is new. A redelivered command notifies again with the same id, for example
// after a worker stalls for 3 s.
func (f *feed) take() (n object, isNew bool, err error) {
	f.t.Helper()
	m, err := f.sub.NextMsg(within)
	if err != nil {
		return nil, false, err
	}
	n = decode(f.t, m.Data)
	id, _ := n["id"].(string)
	key := m.Subject + " " + id // by receiver and id
	isNew, f.seen[key] = !f.seen[key], true
	if isNew {
		f.last = id
	}
	return n, isNew, nil
}

// next waits for the next new notification. It fails if that is not the expected event.
func (f *feed) next(event string) object {
	f.t.Helper()
	for {
		n, isNew, err := f.take()
		if err != nil {
			f.t.Fatalf("%s waits for %s: %v", f.user, event, err)
		}
		switch {
		case n["event"] == event:
			return n
		case isNew:
			f.t.Fatalf("%s receives %v, want %s\n%v", f.user, n["event"], event, n)
		}
	}
}

// rest returns the notifications that were received and not taken. Users are notified before the command is answered, so after
// an answer the list is complete.
func (f *feed) rest() (list []object) {
	f.t.Helper()
	for {
		if left, _, err := f.sub.Pending(); err != nil || left == 0 {
			return list
		}
		n, isNew, err := f.take()
		if err != nil {
			f.t.Fatal(err)
		}
		if isNew {
			list = append(list, n)
		}
	}
}

// nothing checks that no more notifications were received.
func (f *feed) nothing() {
	f.t.Helper()
	if more := f.rest(); len(more) > 0 {
		f.t.Fatalf("%s receives %d more: %v", f.user, len(more), more)
	}
}

// nothingNew checks that only repeated notifications were received. They have the same ids.
func (f *feed) nothingNew() {
	f.t.Helper()
	for {
		if n, _, err := f.sub.Pending(); err != nil || n == 0 {
			return
		}
		m, err := f.sub.NextMsg(within)
		if err != nil {
			f.t.Fatal(err)
		}
		if id, _ := decode(f.t, m.Data)["id"].(string); id == "" || id > f.last {
			f.t.Errorf("%s receives more than %s: %s", f.user, f.last, m.Data)
		}
	}
}

// send publishes a command and returns its answer.
func (i *integrator) send(callID, verb, body string) object {
	i.t.Helper()
	token := "it." + nuid.Next()
	sub, err := i.nc.SubscribeSync("ringline." + i.app + ".answer." + token)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	// If a worker stalls for 3 s with a command that is done, its answer is lost. Senders then repeat the command with the same
	// id.
	for end := time.Now().Add(2 * within); ; {
		i.publish(callID, verb, body, token)
		m, err := sub.NextMsg(within / 3)
		if err == nil {
			return decode(i.t, m.Data)
		}
		if time.Now().After(end) {
			i.t.Fatalf("no answer to %s of %s: %v", verb, callID, err)
		}
	}
}

func (i *integrator) publish(callID, verb, body, token string) {
	i.t.Helper()
	m := nats.NewMsg("ringline." + i.app + ".cmd." + callID + "." + verb)
	if token != "" {
		m.Header.Set("Ringline-Answer", token)
	}
	m.Data = []byte(body)
	if err := i.nc.PublishMsg(m); err != nil {
		i.t.Fatal(err)
	}
}

// ok sends a command that must be accepted, and returns the call.
func (i *integrator) ok(callID, verb, body string) object {
	i.t.Helper()
	a := i.send(callID, verb, body)
	if a["ok"] != true {
		i.t.Fatalf("%s of %s: %v", verb, callID, a)
	}
	return a["call"].(object)
}

// refused sends a command that must be refused with this code, and returns the message.
func (i *integrator) refused(callID, verb, body, code string) string {
	i.t.Helper()
	a := i.send(callID, verb, body)
	e, _ := a["error"].(object)
	if a["ok"] != false || e["code"] != code {
		i.t.Fatalf("%s of %s with %.200s: %v, want %s", verb, callID, body, a, code)
	}
	return e["message"].(string)
}

func decode(tb testing.TB, data []byte) object {
	tb.Helper()
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		tb.Fatalf("%v\n%s", err, data)
	}
	return o
}

func decodeList(tb testing.TB, data []byte) []object {
	tb.Helper()
	var l []object
	if err := json.Unmarshal(data, &l); err != nil {
		tb.Fatalf("%v\n%s", err, data)
	}
	return l
}

// expect compares some fields of a message.
func expect(tb testing.TB, got object, want object) {
	tb.Helper()
	for k, v := range want {
		if got[k] != v {
			tb.Errorf("%s is %v, want %v, in %v", k, got[k], v, got)
		}
	}
}

// codeOf returns the error code of an answer; "" where it is ok.
func codeOf(answer object) string {
	e, _ := answer["error"].(object)
	code, _ := e["code"].(string)
	return code
}
