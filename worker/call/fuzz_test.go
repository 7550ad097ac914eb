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

// FuzzDecide makes commands of bytes, six a command, plays them to calls between the same users and holds all that comes
// of it against what has to be so whatever happens (invariants_test.go, memory_test.go, told_test.go, exchange_test.go).
func FuzzDecide(f *testing.F) {
	minimizeLess(f)
	for seed := range uint64(32) {
		f.Add(walk(seed, 250))
	}
	f.Fuzz(func(t *testing.T, data []byte) { newWorld(t).run(data) })
}

// minimizeLess keeps go test from spending a minute, its default, on every input that finds something new. Who wants a
// failing input made small says so: -fuzzminimizetime 60s.
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

// TestWalksReachEverything: a fuzz test that never gets anywhere would hold too.
func TestWalksReachEverything(t *testing.T) {
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
		want = append(want, "told "+string(k))
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
		"late", "attempt 3", "forgotten", "hidden", "canceled by the end", "others hear", "without the call")
	want = append(want, lineFacts()...)
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

// world is a cast of users and services, their lines and the calls that they are in.
type world struct {
	t       *testing.T
	reached map[string]int
	limits  call.Limits
	now     time.Duration
	script  []line // all commands of this run, in the order in which they are decided
	count   int    // of commands, for their ids
	slots   []string
	lasting bool // are the calls to last
	exchange
	*history // the call that is played now
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, reached: map[string]int{}}
}

// begin forgets all calls. The byte says how many of them go on at a time, how many a line holds, and whether they are
// to last.
func (w *world) begin(b byte) {
	w.limits = call.Limits{
		RingTimeout: 10 * time.Second, MaxCallees: 4, MaxDuration: 200 * time.Second, Capacity: pick([]int{1, 1, 2}, b),
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

// turnTo makes it the call that is played.
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

// step makes a command of six bytes: verb, sender, whom it names, what it says, when, and which call it is for. First
// it may be that what had to wait goes on.
func (w *world) step(b [6]byte) {
	w.now += pick([]time.Duration{0, 1, 1e8, 4e8, 4e8, 1e9, 1e9, 6e9}, b[4])
	switch {
	case b[5]>>3 == 6 && len(w.waiting) > 0:
		w.now += 31 * time.Second // which makes the claims of what waits too old
	case b[5]>>4 == 0 || len(w.waiting) > 4:
		w.resume()
	}
	slot := int(b[5]) % len(w.slots)
	if w.stopped(w.slots[slot]) && b[1]%8 > 0 {
		slot = (slot + 1) % len(w.slots) // mostly its call stays as it is
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

// stops says where a command stops, if it does; an add, whose claims are rarely in somebody's way, more often.
func stops(v events.Verb, b byte) string {
	switch {
	case b == 1, b == 12, v == events.VerbAdd && b >= 4 && b < 6:
		return "claimed"
	case b == 2, b == 13:
		return "merged"
	}
	return ""
}

// decide decides and writes what there is to write, and checks what comes of it.
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

// twice decides by the transition as it was decided and as it was read back, which is the same, and changes nothing.
func (w *world) twice(l line, decide func(events.Transition) call.Outcome) call.Outcome {
	w.script = append(w.script, l)
	last, was := w.json(w.last), w.json(l.cmd)
	o := decide(w.last)
	same := decide(w.read)
	if w.json(o) != w.json(same) || reflect.TypeOf(o) != reflect.TypeOf(same) {
		w.failf("%s: %s, but by what was read back %s", was, w.json(o), w.json(same))
	}
	if w.json(w.last) != last || w.json(l.cmd) != was {
		w.failf("%s changed its input", was)
	}
	return o
}

// write writes a transition of the call that is played, whose last is before.
func (w *world) write(d delivery, wr call.Write) {
	before := w.last
	w.read = reread(w.t, wr)
	w.last = wr.Transition
	w.keep(before, d.line, wr)
	w.checkTransition(before, d, wr)
	w.checkMemory(wr.Transition)
	w.checkDeadlines(before, wr.Transition)
	w.checkTold(before.Call, wr.Transition, d.now)
}

// json is v as text, to compare by. What differs in length of a slice or in a value differs there too.
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
