package presence_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/stall"
)

// The tests of this file are named after the rules of tests/model/edges. The rule `cut` is in worker/edge/session.

// link returns a link to the server, and an option that connects an edge over it.
func (w *world) link() (*wire.Link, func(*presence.Config)) {
	w.Helper()
	l, err := wire.Listen("edge", strings.TrimPrefix(w.server.URL(), "nats://"), true)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(l.Close)
	nc, err := nats.Connect(l.Addr(), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1), nats.Timeout(within))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(nc.Close)
	return l, func(c *presence.Config) { c.NC = nc }
}

// timed changes the times of an edge.
func timed(change func(*presence.Times)) func(*presence.Config) {
	return func(c *presence.Config) { change(&c.Times) }
}

// machine has a clock that moves only while the machine is stopped.
type machine struct {
	mu   sync.Mutex
	time time.Time
}

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.time
}

// stop stops the machine for longer than a watch tolerates.
func (m *machine) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.time = m.time.Add(2 * stall.Limit)
}

// talking makes two active calls whose four devices have a session on the edge.
func (w *world) talking(e *edge) (ann, cid devices.Key) {
	w.Helper()
	ann, bob := w.active("c1")
	cid, dan := w.active("c2")
	for _, k := range []devices.Key{ann, bob, cid, dan} {
		e.open(k)
	}
	return ann, cid
}

// answered receives the next answer to a question of any edge.
func (w *world) answered(answers <-chan *nats.Msg) {
	w.Helper()
	select {
	case <-answers:
	case <-time.After(within):
		w.Fatalf("no answer within %v", within)
	}
}

// Rule `loss`: the devices of an edge that is killed are checked by another edge. Those that have connected there stay.
func TestRuleLoss(t *testing.T) {
	w := newWorld(t)
	a, b := w.edge("a"), w.edge("b")
	w.eventually("the check after the start", func() bool { return a.count("every party is checked") > 0 })
	ann, _ := w.talking(b)
	b.nc.Close() // it says nothing more
	a.open(ann)
	a.open(device("c1bob"))
	w.lost("c2")
	w.stays("c1")
}

// Rule `start`: the first edge that starts checks every party, because all edges may have been killed.
func TestRuleStart(t *testing.T) {
	w := newWorld(t)
	w.active("c1")
	w.edge("a")
	w.lost("c1")
}

// Rule `ages`: the device opens and closes a session on the other edge between two answers, which both say that it has
// none. The grace period begins at the end of that session.
func TestRuleAges(t *testing.T) {
	w := newWorld(t)
	w.grace = 2
	answers := w.server.Requests(t, events.SubjectPresence+".>")
	a, b := w.edge("a", timed(func(x *presence.Times) { x.Again = time.Second })), w.edge("b")
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	a.close(ann)
	w.answered(answers)
	b.open(ann)
	b.close(ann)
	w.lostAfter(time.Now(), 2*time.Second)
}

// Rule `birth`: an edge is killed with a session of the device, and starts again with the same id. It does not know of the
// session, and the edge that asks has not noticed the loss.
func TestRuleBirth(t *testing.T) {
	w := newWorld(t)
	w.grace = 2
	answers := w.server.Requests(t, events.SubjectPresence+".>")
	a, b := w.edge("a", timed(func(x *presence.Times) { x.Again, x.Lost = time.Second, within })), w.edge("b")
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	a.close(ann)
	w.answered(answers)
	b.open(ann)
	b.nc.Close()
	gone := time.Now()
	w.edge("b")
	w.lostAfter(gone, 2*time.Second)
}

// Rule `forget`: the device has moved to an edge that is killed. Its grace period begins when the loss is noticed.
func TestRuleForget(t *testing.T) {
	w := newWorld(t)
	w.grace = 3
	answers := w.server.Requests(t, events.SubjectPresence+".>")
	a, b := w.edge("a", timed(func(x *presence.Times) { x.Again = time.Second })), w.edge("b")
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	a.close(ann)
	w.answered(answers)
	b.open(ann)
	b.nc.Close()
	w.lostAfter(time.Now(), 3*time.Second)
}

// Rule `forget`: an edge answers the second question about a device, which has no session. Before the last edge answers, the
// device moves to that first edge, which then stops. The question that began before is void.
func TestRuleForgetEndsQuestions(t *testing.T) {
	w := newWorld(t)
	answers := w.server.Requests(t, events.SubjectPresence+".>")
	slow, overLink := w.link()
	patient := timed(func(x *presence.Times) { x.Lost, x.Answer = within, within })
	a := w.edge("a", patient, timed(func(x *presence.Times) { x.Again, x.Beat = 1500*time.Millisecond, time.Second }))
	never := timed(func(x *presence.Times) { x.Beat = time.Hour }) // they check no party themselves
	b := w.edge("b", patient, never)
	w.edge("c", patient, never, overLink)
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	a.close(ann)
	w.answered(answers)
	w.answered(answers)
	slow.Cut(wire.Up)
	w.answered(answers)
	b.open(ann)
	b.stop()
	if err := b.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	slow.Mend()
	w.lostAfter(gone, time.Second)
}

// Rule `all`: the device has moved to an edge that does not answer, and is not lost. The other call shows that drops are
// sent, here and below.
func TestRuleAll(t *testing.T) {
	w := newWorld(t)
	slow, overLink := w.link()
	a := w.edge("a", timed(func(x *presence.Times) { x.Lost, x.Answer = within, 200*time.Millisecond }))
	b := w.edge("b", overLink)
	ann, cid := w.talking(a)
	b.open(ann)
	slow.Cut(wire.Up)
	a.close(ann)
	a.close(cid)
	w.eventually("no answer after the grace period", func() bool {
		return a.count("an edge does not answer") > 5 || w.call("c1").State == events.CallStateEnded
	})
	w.stays("c1")
	slow.Mend()
	w.lost("c2")
	w.stays("c1")
}

// Rule `hello`: the device moves to an edge that has just started, and has not sent a periodic beat yet.
func TestRuleHelloOfAnEdgeThatStarts(t *testing.T) {
	w := newWorld(t)
	a := w.edge("a", timed(func(x *presence.Times) { x.Lost = within }))
	ann, cid := w.talking(a)
	w.edge("b", timed(func(x *presence.Times) { x.Beat, x.Lost = time.Hour, within })).open(ann)
	a.close(ann)
	a.close(cid)
	w.lost("c2")
	w.stays("c1")
}

// Rule `hello`: the device moves to an edge that was silent for so long that others count it as lost.
func TestRuleHelloOfAnEdgeThatWorksAgain(t *testing.T) {
	w := newWorld(t)
	a := w.edge("a", timed(func(x *presence.Times) { x.Lost = 3 * time.Second }))
	b := w.edge("b", timed(func(x *presence.Times) { x.Beat = time.Hour }))
	ann, cid := w.talking(a)
	w.eventually("the silent edge is lost", func() bool { return a.count("an edge is gone") > 0 })
	b.open(ann)
	a.close(ann)
	a.close(cid)
	w.lost("c2")
	w.stays("c1")
}

// Rule `anew`: while an edge is without the broker, another one starts, has a session of the device, and is killed.
func TestRuleAnew(t *testing.T) {
	w := newWorld(t)
	w.grace = 2
	questions := w.server.Requests(t, events.SubjectPresence)
	link, overLink := w.link()
	a := w.edge("a", overLink, timed(func(x *presence.Times) { x.Again = time.Second }))
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	a.close(ann)
	w.answered(questions)
	link.Cut(wire.Up)
	link.Cut(wire.Down)
	link.Reset()
	w.eventually("it has lost the broker", func() bool { return !a.nc.IsConnected() })
	b := w.edge("b")
	b.open(ann)
	b.nc.Close()
	gone := time.Now()
	link.Mend()
	w.lostAfter(gone, 2*time.Second)
}

// Rule `pause`: a paused edge does not count the time. The other call shows that the grace period has passed meanwhile.
func TestRulePause(t *testing.T) {
	w := newWorld(t)
	m := &machine{time: time.Now()}
	nc := w.server.Connect(t)
	watch := stall.New(m.now, []*nats.Conn{nc}, zerolog.Nop(), nil)
	a := w.edge("a", timed(func(x *presence.Times) { x.Lost = within }))
	w.eventually("the check after the start", func() bool { return a.count("every party is checked") > 0 })
	b := w.edge("b", func(c *presence.Config) { c.NC, c.Stall, c.Times.Lost = nc, watch, within })
	ann, bob := w.active("c1")
	cid, dan := w.active("c2")
	b.open(ann)
	b.open(bob)
	a.open(cid)
	a.open(dan)
	m.stop()
	b.close(ann)
	a.close(cid)
	w.lost("c2")
	w.stays("c1")
	resumed := time.Now()
	run(t, watch.Run)
	w.lostAfter(resumed, time.Second)
}

// Rule `buffer`: an edge is paused when the grace period of a device is over. Meanwhile the device moves to an edge that
// starts. The announcement of that edge waits in the socket when the paused edge runs again.
func TestRuleBuffer(t *testing.T) {
	const late = 700 * time.Millisecond
	w := newWorld(t)
	m := &machine{time: time.Now()}
	link, overLink := w.link()
	var looks atomic.Int32
	var judges atomic.Bool
	var watch *stall.Watch
	a := w.edge("a", overLink, func(c *presence.Config) {
		watch = stall.New(m.now, []*nats.Conn{c.NC}, zerolog.Nop(), nil)
		c.Stall, c.Times.Answer, c.Times.Lost = watch, within, within
		settings := c.Apps
		c.Apps = func(ctx context.Context, app string) (events.AppSettings, error) {
			if looks.Add(1); !judges.Load() {
				return events.AppSettings{}, errors.New("not yet")
			}
			return settings(ctx, app)
		}
	})
	ann, cid := w.talking(a)
	a.close(ann)
	a.close(cid)
	w.eventually("the grace period is over", func() bool { return looks.Load() > 15 }) // one every Times.Again
	m.stop()
	judges.Store(true)
	link.Delay(wire.Down, late)
	w.edge("b").open(ann)
	run(t, watch.Run)
	w.lost("c2")
	w.stays("c1")
}

// Rule `wait`: the announcement of an edge was lost, and it has the device. Its next beat makes it known in time.
func TestRuleWait(t *testing.T) {
	w := newWorld(t)
	slowly := timed(func(x *presence.Times) { x.Beat, x.Lost = 2*time.Second, within })
	b := w.edge("b", slowly) // before the other one listens
	a := w.edge("a", slowly)
	ann, cid := w.talking(a)
	b.open(ann)
	a.close(ann)
	a.close(cid)
	w.lost("c2")
	w.stays("c1")
}
