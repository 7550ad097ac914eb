package call_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// FuzzDecide makes one command of every six bytes, and plays the commands to calls between the same users. It checks the
// results against invariants (invariants_test.go, memory_test.go, notifications_test.go, exchange_test.go).
func FuzzDecide(f *testing.F) {
	minimizeLess(f)
	for seed := range uint64(32) {
		f.Add(walk(seed, 250))
	}
	f.Fuzz(func(t *testing.T, data []byte) { newWorld(t).run(data) })
}

// minimizeLess limits the minimization of each interesting input, for which go test takes up to a minute by default. To
// minimize a failing input, pass -fuzzminimizetime 60s.
func minimizeLess(f *testing.F) {
	f.Helper()
	const name = "test.fuzzminimizetime"
	given := false
	flag.Visit(func(x *flag.Flag) { given = given || x.Name == name })
	if !given {
		if err := flag.Set(name, "10x"); err != nil {
			f.Fatal(err)
		}
	}
}

// TestWalksReachEveryState: a fuzz test whose commands have no effect would pass too.
func TestWalksReachEveryState(t *testing.T) {
	if testing.Short() {
		t.Skip("plays some 24,000 commands")
	}
	w := newWorld(t)
	for seed := range uint64(80) {
		w.run(walk(seed, 1801))
	}
	var want []string
	for _, e := range events.Events() {
		want = append(want, "event "+string(e))
	}
	for _, k := range events.Kinds() {
		want = append(want, "notified "+string(k))
	}
	for _, r := range events.EndReasons() {
		want = append(want, "end "+string(r))
	}
	for _, c := range []events.Code{
		events.CodeInvalidArgument, events.CodeNotFound, events.CodeAlreadyExists, events.CodePermissionDenied,
		events.CodeCallEnded, events.CodeAnsweredElsewhere, events.CodeNotPending, events.CodeCallerBusy,
	} {
		want = append(want, "refused "+string(c))
	}
	want = append(want, "repeat", "kept", "wait "+string(call.WaitForInvitation), "wait "+string(call.WaitForDeadline),
		"late", "attempt 3", "forgotten", "hidden", "canceled by the end", "others are notified", "without the call", "dropped", "from another device",
		"refused in part", "refused as a whole", "refused in part, again", "refused the caller", "refused an unseen attempt",
		"not reached", "not reached, at the ring deadline", "reach deadline confirmed")
	want = append(want, lineFacts()...)
	want = append(want, fieldFacts()...)
	for _, name := range want {
		if w.reached[name] == 0 {
			t.Errorf("never: %s", name)
		}
	}
}

func walk(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// world is a set of users and services, their lines, and the calls that they are in.
type world struct {
	t       *testing.T
	reached map[string]int
	limits  call.Limits
	now     time.Duration
	script  []line // all commands of this run, in the order of the decisions
	count   int    // number of commands, for their ids
	slots   []string
	lasting bool // use fewer commands that end calls
	exchange
	*history // the current call
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, reached: map[string]int{}}
}

// begin starts without calls. The byte selects how many calls are open at a time, the capacity of lines, and whether calls
// last.
func (w *world) begin(b byte) {
	w.limits = call.Limits{
		RingTimeout: 10 * time.Second, MaxCallees: 4, MaxDuration: 200 * time.Second, Capacity: pick([]int{1, 1, 2}, b),
		EndAlone: b%5 == 0,
		Reach:    pick([]time.Duration{0, 5 * time.Second}, b/4),
	}
	w.now, w.script, w.count, w.lasting, w.slots = 0, nil, 0, b%2 == 1, make([]string, pick([]int{1, 1, 1, 2, 3, 4}, b/8))
	w.exchange = exchange{calls: map[string]*history{}, lines: map[string][]entry{}}
	for i := range w.slots {
		w.newCall(i)
	}
}

func (w *world) newCall(slot int) {
	w.slots[slot] = fmt.Sprintf("c%d", len(w.calls)+1)
	w.turnTo(w.slots[slot])
}

// turnTo makes this call the current one.
func (w *world) turnTo(callID string) {
	if w.calls[callID] == nil {
		w.calls[callID] = newHistory()
	}
	w.history = w.calls[callID]
}

func (w *world) run(data []byte) {
	if len(data) == 0 {
		return
	}
	w.begin(data[0])
	for data = data[1:]; len(data) >= 6 && !w.t.Failed(); data = data[6:] {
		w.step([6]byte(data))
		w.checkLines()
	}
	w.settle()
	for _, c := range w.calls {
		w.checkKept(c)
	}
}

func pick[T any](from []T, b byte) T { return from[int(b)%len(from)] }

// step makes a command of six bytes: verb, sender, named users, content, time and call. Before that, it may continue a waiting
// delivery.
func (w *world) step(b [6]byte) {
	w.now += pick([]time.Duration{0, 1, 1e8, 4e8, 4e8, 1e9, 1e9, 6e9}, b[4])
	switch {
	case b[5]>>3 == 6 && len(w.waiting) > 0:
		w.now += 31 * time.Second // the claims of waiting deliveries become stale
	case b[5]>>4 == 0 || len(w.waiting) > 4:
		w.resume()
	}
	slot := int(b[5]) % len(w.slots)
	if w.stopped(w.slots[slot]) && b[1]%8 > 0 {
		slot = (slot + 1) % len(w.slots) // leave its call unchanged in most cases
	}
	w.turnTo(w.slots[slot])
	if w.last.Call.State == events.CallStateEnded {
		if w.after++; w.after > 4 {
			w.newCall(slot)
		}
	}
	if l, ok := w.command(b, slot); ok {
		w.sent = append(w.sent, l)
		w.handle(delivery{line: l, stops: stops(l.cmd.Verb, b[5]>>4)})
	}
}

// stops returns the step after which a command stops, or an empty string. An add stops more often, because its claims rarely
// block another command.
func stops(v events.Verb, b byte) string {
	switch {
	case b == 1, b == 12, v == events.VerbAdd && b >= 4 && b < 6:
		return "claimed"
	case b == 2, b == 13:
		return "merged"
	}
	return ""
}

// decide decides a command, checks the outcome, and writes the transition if there is one.
func (w *world) decide(d delivery) call.Outcome {
	in := d.input(w.limits)
	o := w.twice(d.line, func(last events.Transition) call.Outcome { return call.Decide(last, d.cmd, in) })
	before := w.last
	w.checkOutcome(before, d.line, o)
	if wr, ok := o.(call.Write); ok {
		w.write(d, wr)
	}
	return o
}

// twice decides on the last transition, once as it was decided and once as it was read back. Both outcomes must be the same,
// and the decision must not change its input.
func (w *world) twice(l line, decide func(events.Transition) call.Outcome) call.Outcome {
	w.script = append(w.script, l)
	last, was := w.json(w.last), w.json(l.cmd)
	o := decide(w.last)
	same := decide(w.read)
	if w.json(o) != w.json(same) || reflect.TypeOf(o) != reflect.TypeOf(same) {
		w.failf("%s: %s, but %s after a round trip", was, w.json(o), w.json(same))
	}
	if w.json(w.last) != last || w.json(l.cmd) != was {
		w.failf("%s changed its input", was)
	}
	return o
}

// write appends a transition to the current call and checks it.
func (w *world) write(d delivery, wr call.Write) {
	before := w.last
	w.read = reread(w.t, wr)
	w.last = wr.Transition
	w.keep(before, d.line, wr)
	w.checkTransition(before, d, wr)
	w.checkMemory(wr.Transition)
	w.checkDeadlines(before, wr.Transition)
	w.checkNotifications(before.Call, wr.Transition, d.now)
}

// json encodes v for comparisons. Two values that differ in a field or in the length of a slice differ in JSON too.
func (w *world) json(v any) string {
	b, err := events.Encode(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	var b bytes.Buffer
	for _, l := range w.script {
		fmt.Fprintf(&b, "%v %v %s %s %s\n", l.at, l.now, l.cmd.CallID, w.json(l.cmd), w.json(l.claimed))
	}
	w.t.Fatalf("%s\nafter\n%s", fmt.Sprintf(format, args...), b.String())
}
