package presence_test

import (
	"context"
	"fmt"
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
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/store"
)

const (
	within = time.Minute
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

// run runs a part until the test ends.
func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// edge is an edge with sessions but without sockets.
type edge struct {
	*presence.Checker
	nc *nats.Conn

	mu    sync.Mutex
	state map[devices.Key]devices.State
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

// edge starts an edge. Its times are short, so that a test does not wait.
func (w *world) edge(id string) *edge {
	w.Helper()
	nc := w.server.Connect(w.T)
	js, err := jetstream.New(nc)
	if err != nil {
		w.Fatal(err)
	}
	calls := store.NewCalls(nc, zerolog.Nop(), nil)
	e := &edge{nc: nc, state: map[devices.Key]devices.State{}}
	if e.Checker, err = presence.New(presence.Config{
		ID: id, NC: nc, JS: js, Local: e, Calls: calls, Lines: store.NewLines(nc, js, calls, zerolog.Nop(), nil), Log: zerolog.Nop(),
		Apps: func(context.Context, string) (events.AppSettings, error) {
			return events.AppSettings{LostRingingS: &w.grace, LostActiveS: &w.grace}, nil
		},
		Times: presence.Times{
			Tick: 20 * time.Millisecond, Beat: 50 * time.Millisecond, Lost: time.Second, Answer: time.Second, Again: 100 * time.Millisecond,
			Sweep: time.Hour,
		},
	}); err != nil {
		w.Fatal(err)
	}
	run(w.T, e.Run)
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
func (w *world) lost(id string) events.Call {
	w.Helper()
	for until := time.Now().Add(within); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if c := w.call(id); c.State == events.CallStateEnded {
			if c.Caller.Reason != events.ReasonLost {
				w.Errorf("%s: the caller has reason %q, want lost", id, c.Caller.Reason)
			}
			return c
		}
	}
	w.Fatalf("%s: the call does not end: %+v", id, w.call(id))
	return events.Call{}
}

// A device whose only session ends is dropped after the grace period, and not before.
func TestADeviceThatIsGoneIsDropped(t *testing.T) {
	w := newWorld(t)
	w.grace = 2
	a := w.edge("a")
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	gone := time.Now()
	a.close(ann)
	c := w.lost("c1")
	if took := c.EndedAt.Time().Sub(gone); took < 2*time.Second-time.Millisecond {
		t.Errorf("dropped after %v, within the grace period", took)
	}
}

// A device that comes back within the grace period, on the same edge or another one, is not dropped. The other call shows
// that drops are sent meanwhile.
func TestADeviceThatComesBackStays(t *testing.T) {
	w := newWorld(t)
	a, b := w.edge("a"), w.edge("b")
	ann, bob := w.active("c1")
	cid, dan := w.active("c2")
	for _, k := range []devices.Key{ann, bob, cid, dan} {
		a.open(k)
	}
	a.close(ann)
	b.open(ann)
	a.close(bob)
	a.open(bob)
	a.close(cid)
	w.lost("c2")
	if c := w.call("c1"); c.State != events.CallStateActive {
		t.Errorf("a call whose devices came back: %+v", c)
	}
}

// Rule `loss`: the devices of an edge that is killed are checked by another edge. Those that have connected there stay.
func TestTheDevicesOfAKilledEdge(t *testing.T) {
	w := newWorld(t)
	a, b := w.edge("a"), w.edge("b")
	ann, bob := w.active("c1")
	cid, dan := w.active("c2")
	for _, k := range []devices.Key{ann, bob, cid, dan} {
		b.open(k)
	}
	b.nc.Close() // it says nothing more
	a.open(ann)
	a.open(bob)
	w.lost("c2")
	if c := w.call("c1"); c.State != events.CallStateActive {
		t.Errorf("a call whose devices came back: %+v", c)
	}
}

// Rule `start`: the first edge that starts checks every party, because all edges may have been killed.
func TestTheFirstEdgeChecksEveryParty(t *testing.T) {
	w := newWorld(t)
	w.active("c1")
	w.edge("a")
	w.lost("c1")
}

// A party that no session has put in is not watched.
func TestAPartyWithoutASessionIsNotWatched(t *testing.T) {
	w := newWorld(t)
	w.send(events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: "c1", Verb: events.VerbInvite}, CommandID: "i", UserID: "ann",
		DeviceID: "desk", Callees: []events.Party{{UserID: "bob"}},
	})
	w.active("c2")
	w.edge("a")
	w.lost("c2")
	if c := w.call("c1"); c.State != events.CallStateRinging {
		t.Errorf("a call of the backend: %+v", c)
	}
}

// The guard holds the drops of a mass disconnect, and not those of a few devices.
func TestAMassDisconnectIsHeld(t *testing.T) {
	w := newWorld(t)
	a, b := w.edge("a"), w.edge("b")
	const calls = 12
	for i := range calls {
		ann, bob := w.active(fmt.Sprint("m", i))
		a.open(ann)
		b.open(bob)
	}
	for i := range calls {
		a.close(device(fmt.Sprint("m", i, "ann")))
	}
	ann, bob := w.active("later")
	time.Sleep(3 * time.Second) // three grace periods: nothing may happen
	for i := range calls {
		if c := w.call(fmt.Sprint("m", i)); c.State != events.CallStateActive {
			t.Fatalf("call %d of a mass disconnect: %+v", i, c)
		}
	}
	for i := range calls { // they come back, all but one
		if i > 0 {
			a.open(device(fmt.Sprint("m", i, "ann")))
		}
	}
	a.open(ann)
	b.open(bob)
	w.lost("m0")
	if c := w.call("m1"); c.State != events.CallStateActive {
		t.Errorf("a call whose devices came back: %+v", c)
	}
}
