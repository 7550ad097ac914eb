package coordinator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/streams"
)

// bench handles commands without a Runner, one delivery at a time.
type bench struct {
	*testing.T
	c    *Coordinator
	js   jetstream.JetStream
	cons jetstream.Consumer
	sub  *nats.Subscription

	ahead *atomic.Int64 // how far the clock of the coordinator is ahead
}

// passes advances the clock of the coordinator until the test ends.
func (b *bench) passes(d time.Duration) {
	b.ahead.Add(int64(d))
	b.Cleanup(func() { b.ahead.Add(-int64(d)) })
}

// newBench makes the test parallel.
func newBench(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Answer, natstest.Notification, natstest.Logged)
	cons, err := s.JS.Consumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.NC.SubscribeSync("ringline.>")
	if err != nil {
		t.Fatal(err)
	}
	ahead := &atomic.Int64{}
	local := clock.New(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	cfg := Config{Clock: local, Parallel: 1, Limits: func(context.Context, string) (call.Limits, error) { return call.DefaultLimits(), nil }}
	return &bench{T: t, c: New(s.NC, s.JS, zerolog.Nop(), cfg), js: s.JS, cons: cons, sub: sub, ahead: ahead}
}

// deliver publishes a command and returns its first delivery. Every call has its own users.
func (b *bench) deliver(callID, verb, body string) worker.Msg {
	b.Helper()
	body = strings.ReplaceAll(body, `"user_id":"`, `"user_id":"`+callID+"-")
	m := nats.NewMsg("ringline.demo.cmd." + callID + "." + verb)
	m.Header.Set(events.HeaderAnswer, callID)
	m.Data = []byte(body)
	if _, err := b.js.PublishMsg(b.Context(), m); err != nil {
		b.Fatal(err)
	}
	return b.next()
}

func (b *bench) next() worker.Msg {
	b.Helper()
	m, err := b.cons.Next(jetstream.FetchMaxWait(time.Minute))
	if err != nil {
		b.Fatal(err)
	}
	return delivered{Msg: m, leased: true}
}

// delivered is a message as a Runner passes it.
type delivered struct {
	jetstream.Msg

	leased bool
}

func (d delivered) Leased() bool { return d.leased }
func (delivered) Crowded() bool  { return false }

// again naks a delivery, as if its worker had died, and returns the next one.
func (b *bench) again(m worker.Msg) worker.Msg {
	b.Helper()
	if err := m.Nak(); err != nil {
		b.Fatal(err)
	}
	m = b.next()
	if n := worker.Delivered(m); n != 2 {
		b.Fatalf("delivered %d times", n)
	}
	return m
}

// handled handles a delivery and acks it.
func (b *bench) handled(m worker.Msg) {
	b.Helper()
	b.c.handle(b.Context(), m)
	if err := m.DoubleAck(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// published lists what was published about a call since the last time: the ids of notifications by user, and the answer without its
// call.
func (b *bench) published(callID string) []string {
	b.Helper()
	if err := b.c.nc.Flush(); err != nil {
		b.Fatal(err)
	}
	list := []string{}
	for {
		n, _, err := b.sub.Pending()
		if err != nil {
			b.Fatal(err)
		}
		if n == 0 {
			slices.Sort(list)
			return list
		}
		m, err := b.sub.NextMsg(time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		var o struct {
			Event string        `json:"event"`
			ID    string        `json:"id"`
			OK    bool          `json:"ok"`
			Error *events.Error `json:"error"`
			Call  events.Call   `json:"call"`
		}
		if _, _, isUser := events.ParseUserSubject(m.Subject); isUser {
			if err := json.Unmarshal(m.Data, &o); err != nil {
				b.Fatal(err)
			}
			list = append(list, fmt.Sprintf("%s %s %s", m.Subject, o.ID, o.Event))
		} else if m.Subject == events.AnswerSubject("demo", callID) {
			if err := json.Unmarshal(m.Data, &o); err != nil {
				b.Fatal(err)
			}
			list = append(list, fmt.Sprintf("answer ok=%v error=%v call=%s", o.OK, o.Error, o.Call.CallID))
		}
	}
}

// commits carries out a command up to the commit, like a worker that dies after it.
func (b *bench) commits(m worker.Msg) {
	b.Helper()
	d, bad := read(m)
	if bad != nil {
		b.Fatal(bad)
	}
	base, err := b.c.calls.Load(b.Context(), d.cmd.App, d.cmd.CallID)
	if err != nil {
		b.Fatal(err)
	}
	limits, err := b.c.cfg.Limits(b.Context(), d.cmd.App)
	if err != nil {
		b.Fatal(err)
	}
	o := call.Decide(base.Transition, d.cmd, call.Input{At: d.at, Now: b.c.now(d), Limits: limits})
	w, ok := o.(call.Write)
	if !ok {
		b.Fatalf("%#v", o)
	}
	if _, err := b.c.calls.Commit(b.Context(), base, w.Transition, w.At); err != nil {
		b.Fatal(err)
	}
}

// redelivered is a command that is delivered twice, with the commands before it.
type redelivered struct {
	verb   string
	body   string
	before [][2]string
	armed  bool // the call still waits for the command's own deadline
}

// sender returns a party who may send the verb in a call from ann to bob: bob, if it is about their own attempt.
func sender(v events.Verb) string {
	if v.Has("attempt") {
		return "bob"
	}
	return "ann"
}

// At whatever step a worker died, the redelivery changes nothing more. It sends the same answer and the same notifications.
func TestRedeliveryOfEveryVerb(t *testing.T) {
	const (
		invite = `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"},{"user_id":"eve"}],"ring_timeout_s":600}`
		quick  = `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":60}`
		accept = `{"command_id":"a1","user_id":"bob","device_id":"phone"}`
		drop   = `{"command_id":"x","service":"presence","party":{"user_id":"bob","device_id":"phone"},"seen":2}`
	)
	cases := []redelivered{ // the other verbs need only their sender, and an invitation
		{"invite", invite, nil, true},
		{"add", `{"command_id":"x","user_id":"ann","callees":[{"user_id":"bob"},{"user_id":"joe"}]}`, [][2]string{{"invite", invite}}, true},
		{"accept", `{"command_id":"x","user_id":"bob"}`, [][2]string{{"invite", invite}}, true},
		{"leave", `{"command_id":"x","user_id":"bob"}`, [][2]string{{"invite", invite}, {"accept", accept}}, false},
		{"end", `{"command_id":"x","service":"desk"}`, [][2]string{{"invite", invite}, {"accept", accept}}, false},
		{"expire", `{"command_id":"x","service":"timeouts"}`, [][2]string{{"invite", quick}}, false},
		{"take", `{"command_id":"x","user_id":"bob","device_id":"laptop","seen":2}`, [][2]string{{"invite", invite}, {"accept", accept}}, false},
		{"drop", drop, [][2]string{{"invite", invite}, {"accept", accept}}, false},
	}
	for _, v := range events.Verbs() {
		if !slices.ContainsFunc(cases, func(c redelivered) bool { return c.verb == string(v) }) {
			body := fmt.Sprintf(`{"command_id":"x","user_id":%q}`, sender(v))
			cases = append(cases, redelivered{string(v), body, [][2]string{{"invite", invite}}, false})
		}
	}
	b := newBench(t)
	for _, c := range cases {
		for i, died := range []string{"before the commit", "after the commit", "before the acknowledgement"} {
			callID := fmt.Sprintf("%s-%d", c.verb, i)
			t.Run(c.verb+" "+died, func(t *testing.T) {
				b := &bench{T: t, c: b.c, js: b.js, cons: b.cons, sub: b.sub, ahead: b.ahead}
				for _, x := range c.before {
					b.handled(b.deliver(callID, x[0], x[1]))
				}
				if c.verb == "expire" {
					b.passes(time.Minute)
				}
				b.published(callID)
				m := b.deliver(callID, c.verb, c.body)
				switch died {
				case "after the commit":
					b.commits(m)
				case "before the acknowledgement":
					b.c.handle(t.Context(), m)
				}
				first := b.published(callID)
				b.handled(b.again(m))
				second := b.published(callID)
				b.isDone(callID, len(c.before)+1, second)
				if died == "before the acknowledgement" && !slices.Equal(first, second) {
					t.Errorf("first\n%q\nthen\n%q", first, second)
				}
				if got := b.isArmed(callID, len(c.before)+1); got != c.armed {
					t.Errorf("its deadline is armed: %v, want %v", got, c.armed)
				}
			})
		}
	}
}

// A redelivered expire may time out another callee, whose deadline has passed in the meantime. The effects of its earlier
// transition are repeated too, because the earlier worker may have died before them.
func TestRedeliveredExpireNotifiesAgain(t *testing.T) {
	b := newBench(t)
	b.handled(b.deliver("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":60}`))
	b.handled(b.deliver("c1", "add", `{"command_id":"k2","user_id":"ann","callees":[{"user_id":"eve"}],"ring_timeout_s":600}`))
	b.passes(time.Minute)
	m := b.deliver("c1", "expire", `{"command_id":"x","service":"timeouts"}`)
	b.commits(m)
	b.passes(10 * time.Minute)
	b.published("c1")
	b.handled(b.again(m))
	published := strings.Join(b.published("c1"), "\n")
	for _, want := range []string{"c1-bob c1-3-0 incoming_call_timeout", "c1-bob c1-3-1 call_ended", "c1-eve c1-4-0 incoming_call_timeout"} {
		if !strings.Contains(published, want) {
			t.Errorf("no user received %q:\n%s", want, published)
		}
	}
}

// A drop that waited for too long changes nothing. If an earlier delivery carried it out, its effects are repeated all the same.
func TestDropsThatWaited(t *testing.T) {
	b := newBench(t)
	b.handled(b.deliver("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"},{"user_id":"eve"}]}`))
	b.handled(b.deliver("c1", "accept", `{"command_id":"k2","user_id":"bob","device_id":"phone"}`))
	b.handled(b.deliver("c1", "accept", `{"command_id":"k3","user_id":"eve","device_id":"phone"}`))
	const drop = `{"command_id":"%s","service":"presence","party":{"user_id":"bob","device_id":"phone"},"seen":3}`
	m := b.deliver("c1", "drop", fmt.Sprintf(drop, "x1"))
	b.passes(11 * time.Second)
	b.published("c1")
	b.handled(m)
	if got := b.published("c1"); len(got) > 0 { // the answer follows the ack
		t.Errorf("published %q", got)
	}
	if lines, err := b.c.lines.CallsOf(t.Context(), "demo", "c1-bob"); err != nil || len(lines) != 1 {
		t.Errorf("the line of bob: %v, %v", lines, err)
	}
	b.ahead.Store(0)
	m = b.deliver("c1", "drop", fmt.Sprintf(drop, "x2"))
	b.commits(m)
	b.published("c1")
	b.ahead.Store(int64(11 * time.Second))
	b.handled(b.again(m))
	published := strings.Join(b.published("c1"), "\n")
	for _, want := range []string{"answer ok=true", "c1-bob c1-4-0 call_ended", "c1-ann c1-4-0 participant_left", "c1-eve c1-4-0 participant_left"} {
		if !strings.Contains(published, want) {
			t.Errorf("no user received %q:\n%s", want, published)
		}
	}
	if lines, err := b.c.lines.CallsOf(t.Context(), "demo", "c1-bob"); err != nil || len(lines) != 0 {
		t.Errorf("the line of bob: %v, %v", lines, err)
	}
}

// isDone compares the published messages with those expected for the newest transition of the call.
func (b *bench) isDone(callID string, seq int, published []string) {
	b.Helper()
	now, err := b.c.calls.LoadFromLeader(b.Context(), "demo", callID)
	if err != nil {
		b.Fatal(err)
	}
	if now.Seq != seq {
		b.Errorf("the call is at %d, want %d", now.Seq, seq)
	}
	want := []string{fmt.Sprintf("answer ok=true error=<nil> call=%s", callID)}
	for _, n := range call.Notify(now.Transition) {
		want = append(want, fmt.Sprintf("%s %s %s", events.UserSubject("demo", n.To), n.ID, n.Event))
	}
	slices.Sort(want)
	if len(want) < 2 || !slices.Equal(published, want) {
		b.Errorf("published\n%q\nwant\n%q", published, want)
	}
}

// An invitation makes two deadlines. The redelivery writes both, whatever the first worker wrote, and ring removes only the reach
// deadline.
func TestRedeliveryWritesBothDeadlines(t *testing.T) {
	b := newBench(t)
	b.c.cfg.Limits = func(context.Context, string) (call.Limits, error) {
		l := call.DefaultLimits()
		l.Reach = 5 * time.Second
		return l, nil
	}
	ring, reach := events.DeadlineID{Seq: 1}, events.DeadlineID{Seq: 1, Kind: events.DeadlineReach}
	m := b.deliver("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":600}`)
	b.commits(m)
	if b.holds("c1", ring) || b.holds("c1", reach) {
		t.Error("a deadline is armed before the redelivery")
	}
	b.handled(b.again(m))
	if !b.holds("c1", ring) || !b.holds("c1", reach) {
		t.Errorf("armed: ring %t, reach %t", b.holds("c1", ring), b.holds("c1", reach))
	}
	b.handled(b.deliver("c1", "ring", `{"command_id":"x","user_id":"bob"}`))
	if err := b.c.nc.Flush(); err != nil { // the removal is not acked
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); b.holds("c1", reach) && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if !b.holds("c1", ring) || b.holds("c1", reach) {
		t.Errorf("after ring: ring %t, reach %t", b.holds("c1", ring), b.holds("c1", reach))
	}
}

// isArmed reports whether the stream holds the scheduled message of the ring deadline, or the maximum duration, of a transition.
func (b *bench) isArmed(callID string, seq int) bool {
	b.Helper()
	return b.holds(callID, events.DeadlineID{Seq: seq})
}

// holds reports whether the stream holds the scheduled message of a deadline.
func (b *bench) holds(callID string, d events.DeadlineID) bool {
	b.Helper()
	st, err := b.js.Stream(b.Context(), streams.StreamTimers)
	if err != nil {
		b.Fatal(err)
	}
	m, err := st.GetLastMsgForSubject(b.Context(), events.TimerSubject("demo", callID, d))
	return err == nil && m.Header.Get("Nats-Schedule") != ""
}
