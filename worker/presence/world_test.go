package presence_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/store"
)

const (
	within = 20 * time.Second
	app    = "demo"
)

// world is a coordinator with edges whose sessions the test opens and closes.
type world struct {
	*testing.T
	server *natstest.Server
	asker  *ask.Asker
	calls  *store.Calls
	grace  int // seconds, in both phases
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	s := natstest.Start(t)
	asker, err := ask.New(s.NC, s.JS, within, nil)
	if err != nil {
		t.Fatal(err)
	}
	nc := s.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	limits := func(context.Context, string) (call.Limits, error) { return call.DefaultLimits(), nil }
	run(t, coordinator.New(nc, js, zerolog.Nop(), coordinator.Config{Parallel: 16, Limits: limits}).Run)
	return &world{T: t, server: s, asker: asker, calls: store.NewCalls(s.NC, zerolog.Nop(), nil), grace: 1}
}

// run runs a part until the test ends, or stop is called.
func run(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// edge is an edge with sessions but without sockets.
type edge struct {
	*presence.Checker
	nc    *nats.Conn
	meter *meter.Meter
	stop  func()

	mu     sync.Mutex
	state  map[devices.Key]devices.State
	logged strings.Builder
}

// Write receives the log.
func (e *edge) Write(line []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.logged.Write(line)
}

// count returns how often the edge has logged this text.
func (e *edge) count(text string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Count(e.logged.String(), text)
}

// Device implements presence.Local.
func (e *edge) Device(k devices.Key) devices.State {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state[k]
}

// InCall implements presence.Local.
func (e *edge) InCall() (count int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.state {
		if s.Connected {
			count++
		}
	}
	return count
}

func (e *edge) open(k devices.Key) {
	e.Announce()
	e.mu.Lock()
	e.state[k] = devices.State{Connected: true, Opened: time.Now()}
	e.mu.Unlock()
	e.Began(k)
}

func (e *edge) close(k devices.Key) {
	e.mu.Lock()
	e.state[k] = devices.State{Opened: e.state[k].Opened, Seen: time.Now(), Away: e.state[k].Away}
	e.mu.Unlock()
	e.Ended(k, true)
}

// edge starts an edge, with a changed configuration. Its times are short, so that a test does not wait.
func (w *world) edge(id string, change ...func(*presence.Config)) *edge {
	w.Helper()
	e := &edge{state: map[devices.Key]devices.State{}, meter: meter.New("test")}
	cfg := presence.Config{
		ID: id, Local: e, Log: zerolog.New(e), Meter: e.meter,
		Apps: func(context.Context, string) (events.AppSettings, error) {
			return events.AppSettings{LostRingingS: &w.grace, LostActiveS: &w.grace}, nil
		},
		Times: presence.Times{
			Tick: 20 * time.Millisecond, Beat: 50 * time.Millisecond, Lost: time.Second, Answer: time.Second, Again: 100 * time.Millisecond,
			Sweep: time.Hour,
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.NC == nil {
		cfg.NC = w.server.Connect(w.T)
	}
	e.nc = cfg.NC
	var err error
	if cfg.JS, err = jetstream.New(cfg.NC); err != nil {
		w.Fatal(err)
	}
	cfg.Calls = store.NewCalls(cfg.NC, zerolog.Nop(), nil)
	cfg.Lines = store.NewLines(cfg.NC, cfg.JS, cfg.Calls, zerolog.Nop(), nil)
	if e.Checker, err = presence.New(cfg); err != nil {
		w.Fatal(err)
	}
	e.stop = run(w.T, e.Run)
	w.Cleanup(func() {
		if w.Failed() {
			w.Logf("edge %s:\n%s", id, e.logged.String())
		}
	})
	return e
}

// send sends a command and returns its answer, which must be ok.
func (w *world) send(cmd events.Command) {
	w.Helper()
	if a := w.asker.Ask(w.Context(), cmd); !a.OK {
		w.Fatalf("%s: %+v", cmd.Verb, a.Error)
	}
}

// active makes an active call of ann and bob from sessions.
func (w *world) active(id string) (ann, bob devices.Key) {
	w.Helper()
	ann, bob = device(id+"ann"), device(id+"bob")
	w.send(events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: id, Verb: events.VerbInvite}, CommandID: "i", UserID: ann.UserID,
		DeviceID: ann.DeviceID, Callees: []events.Party{{UserID: bob.UserID}}, Via: events.ViaSession,
	})
	w.send(events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: id, Verb: events.VerbAccept}, CommandID: "a", UserID: bob.UserID,
		DeviceID: bob.DeviceID, Via: events.ViaSession,
	})
	return ann, bob
}

func device(user string) devices.Key {
	return devices.Key{App: app, UserID: user, DeviceID: user + "-phone"}
}

// call returns the newest version of a call.
func (w *world) call(id string) events.Call {
	w.Helper()
	now, err := w.calls.LoadFromLeader(w.Context(), app, id)
	if err != nil {
		w.Fatal(err)
	}
	return now.Call
}

// lost waits until the call has ended because its caller was lost.
func (w *world) lost(id string) (ended events.Call) {
	w.Helper()
	w.eventually(id+" ends", func() bool {
		ended = w.call(id)
		return ended.State == events.CallStateEnded
	})
	if ended.Caller.Reason != events.ReasonLost {
		w.Errorf("%s: the caller has reason %q, want lost", id, ended.Caller.Reason)
	}
	return ended
}

// lostAfter waits until the caller of c1 is lost, and requires that this happens no earlier than that long after since.
func (w *world) lostAfter(since time.Time, least time.Duration) {
	w.Helper()
	if took := w.lost("c1").EndedAt.Time().Sub(since); took < least-time.Millisecond {
		w.Errorf("c1: dropped after %v, want %v at least", took, least)
	}
}

// stays requires that a call is active.
func (w *world) stays(id string) {
	w.Helper()
	if c := w.call(id); c.State != events.CallStateActive {
		w.Errorf("a call whose devices are there: %+v", c)
	}
}

// eventually waits until so returns true.
func (w *world) eventually(what string, so func() bool) {
	w.Helper()
	for until := time.Now().Add(within); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			w.Fatalf("%s: not within %v", what, within)
		}
	}
}
