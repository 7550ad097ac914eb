package call_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// FuzzDecide makes commands of bytes, five a command, plays them to one call after another and holds all that comes
// of it against what has to be so whatever happens (invariants_test.go, memory_test.go, told_test.go).
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
		t.Skip("plays some 20,000 commands")
	}
	w := newWorld(t)
	for seed := range uint64(64) {
		w.run(walk(seed, 1500))
	}
	var want []string
	for _, e := range events.Events() {
		want = append(want, "event "+string(e))
	}
	for _, k := range events.Kinds() {
		want = append(want, "told "+string(k))
	}
	for _, r := range []events.EndReason{
		events.EndCompleted, events.EndDeclined, events.EndBusy, events.EndTimedOut, events.EndCanceled, events.EndExpired,
		events.EndServerEnded, events.EndFailed,
	} {
		want = append(want, "end "+string(r))
	}
	for _, c := range []events.Code{
		events.CodeInvalidArgument, events.CodeNotFound, events.CodeAlreadyExists, events.CodePermissionDenied,
		events.CodeCallEnded, events.CodeAnsweredElsewhere, events.CodeNotPending,
	} {
		want = append(want, "refused "+string(c))
	}
	want = append(want, "repeat", "kept", "wait "+string(call.WaitForInvitation), "wait "+string(call.WaitForDeadline),
		"late", "attempt 3", "forgotten", "hidden", "canceled by the end", "others hear")
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

// world is a cast of users and services, and the call that they are in.
type world struct {
	t       *testing.T
	reached map[string]int
	calls   int
	sent    []line // all commands of this call
	now     time.Duration
	after   int // commands since the call ended

	limits call.Limits
	last   events.Transition // as decided
	read   events.Transition // the same as read back from its event

	history
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, reached: map[string]int{}, limits: call.Limits{
		RingTimeout: 10 * time.Second, MaxCallees: 4, MaxDuration: 100 * time.Second,
	}}
	w.newCall()
	return w
}

func (w *world) newCall() {
	w.checkKept()
	w.calls++
	w.last, w.read, w.sent, w.now, w.after = events.Transition{}, events.Transition{}, nil, 0, 0
	w.history = history{owners: map[string][]string{}, due: map[int]events.Time{}, maker: map[string]int{}, winner: map[string]string{}}
}

func (w *world) run(data []byte) {
	for len(data) >= 5 && !w.t.Failed() {
		w.step([5]byte(data))
		data = data[5:]
		if w.last.Call.State == events.CallStateEnded {
			if w.after++; w.after > 4 {
				w.newCall()
			}
		}
	}
	w.checkKept()
}

func pick[T any](from []T, b byte) T { return from[int(b)%len(from)] }

// step makes a command of five bytes: verb, sender, whom it names, what it says, when.
func (w *world) step(b [5]byte) {
	l := line{cmd: events.Command{CommandAddress: events.CommandAddress{
		App: "demo", CallID: fmt.Sprintf("c%d", w.calls), Verb: pick(often(), b[0]),
	}}}
	if w.last.Seq == 0 && b[0]%4 > 0 {
		l.cmd.Verb = events.VerbInvite
	}
	w.now += pick([]time.Duration{0, 1, 1e8, 4e8, 4e8, 1e9, 1e9, 6e9}, b[4])
	w.sender(&l.cmd, b[1])
	w.names(&l.cmd, b[2])
	w.says(&l.cmd, b[3])
	l.at = w.now
	l.now = w.now + pick(lags(), b[4]/8)
	if l.cmd.Verb == events.VerbExpire {
		w.expires(&l, b[2])
	}
	w.repeats(&l, b[3], b[2])
	body, err := l.cmd.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd, refused := events.ReadCommand(l.cmd.CommandAddress, body)
	if refused != nil {
		return // nobody has to decide it
	}
	l.cmd = cmd
	w.decide(l)
}

// often lists the verbs, those that keep a call going more often than those that end it.
func often() []events.Verb {
	return []events.Verb{
		events.VerbAccept, events.VerbAccept, events.VerbAccept, events.VerbAccept, events.VerbAdd, events.VerbAdd, events.VerbAdd,
		events.VerbAdd, events.VerbAdd, events.VerbRing, events.VerbRing, events.VerbRing, events.VerbExpire, events.VerbExpire,
		events.VerbDecline, events.VerbDecline, events.VerbCancel, events.VerbCancel, events.VerbLeave, events.VerbLeave,
		events.VerbInvite, events.VerbEnd,
	}
}

// lags lists how long after it was stored a command may be handled; a worker's clock may be behind.
func lags() []time.Duration {
	list := make([]time.Duration, 32)
	copy(list, []time.Duration{4e9, 5e9, 11e9, 61e9, -1e9})
	return list
}

var people = []string{"ann", "bob", "eve", "gil", "dan"}

// sender is one of the cast. In an open call it often is somebody who can do what he asks for.
func (w *world) sender(cmd *events.Command, b byte) {
	if b%16 < 2 && (cmd.Verb != events.VerbEnd || b > 128) && cmd.Verb != events.VerbInvite || cmd.Verb == events.VerbExpire && b%8 > 0 {
		cmd.Service = pick([]string{"desk", "pbx", events.ServiceTimeouts}, b/16)
		if cmd.Verb == events.VerbExpire {
			cmd.Service = pick([]string{events.ServiceTimeouts, events.ServiceTimeouts, events.ServiceTimeouts, "desk"}, b/16)
		}
		return
	}
	cmd.UserID = pick(append([]string{"mal"}, people...), b/16)
	if able := w.able(cmd.Verb); b%16 > 3 && len(able) > 0 {
		cmd.UserID = pick(able, b/16)
	}
	if cmd.Verb == events.VerbInvite && b%8 > 0 {
		cmd.UserID = "ann"
	}
	if d := b % 16 / 6; d > 0 {
		cmd.DeviceID = fmt.Sprintf("device-%s-%d", cmd.UserID, d)
	}
}

// able lists the users who can do something by this verb.
func (w *world) able(v events.Verb) []string {
	var pending, in []string
	if w.last.Call.Caller.State == events.StateIn {
		in = append(in, w.last.Call.Caller.UserID)
	}
	for _, x := range w.last.Call.Callees {
		switch {
		case x.Pending():
			pending = append(pending, x.UserID)
		case x.State == events.StateAccepted:
			in = append(in, x.UserID)
		}
	}
	if v == events.VerbRing || v == events.VerbAccept || v == events.VerbDecline {
		return pending
	}
	return in
}

func (w *world) names(cmd *events.Command, b byte) {
	if cmd.Verb == events.VerbCancel && b%3 == 0 || cmd.Verb != events.VerbInvite && cmd.Verb != events.VerbAdd && cmd.Verb != events.VerbCancel {
		return
	}
	for i, u := range append(slices.Clone(people[1:]), "ann", "hal", "ivo") {
		if b>>i&1 == 1 && u != cmd.UserID && (u != "ann" || b>>7 == 1) {
			cmd.Callees = append(cmd.Callees, events.Party{UserID: u, UserName: "Name of " + u})
		}
	}
	if len(cmd.Callees) > 2 && b>>7 == 0 && cmd.Verb != events.VerbCancel {
		cmd.Callees = cmd.Callees[:1+b%3]
	}
}

// says gives the command its id and, mostly, custom data that no other command has.
func (w *world) says(cmd *events.Command, b byte) {
	n := len(w.sent) + 1
	cmd.CommandID = fmt.Sprintf("k%d", n)
	v := cmd.Verb
	if v != events.VerbRing && v != events.VerbExpire && b%4 > 0 {
		cmd.CustomData = fmt.Sprintf("data-%d-", n)
	}
	if (v == events.VerbInvite || v == events.VerbAdd) && b%8 > 4 {
		cmd.RingTimeoutS = 1 + int(b)
	}
	if v == events.VerbDecline && b%8 > 5 {
		cmd.Reason = events.ReasonBusy
	}
	if v == events.VerbRing || v == events.VerbAccept || v == events.VerbDecline || v == events.VerbLeave {
		cmd.Attempt = pick([]int{0, 0, 0, 0, 1, 2, 3}, b/8)
	}
}

// expires makes it the expire of a deadline, mostly of one that the call waits for and often just in time.
func (w *world) expires(l *line, b byte) {
	list := call.Deadlines(w.last)
	if len(list) == 0 || b%4 == 0 {
		l.cmd.CommandID = events.ExpireID(l.cmd.CallID, int(b)%8)
		return
	}
	d := pick(list, b/4)
	l.cmd.CommandID = events.ExpireID(l.cmd.CallID, d.Seq)
	if due := d.At.Time().Sub(start); b%4 == 1 && due > w.now {
		w.now, l.at, l.now = due, due, due
	}
}

// repeats makes it, now and then, a command that was sent before: altogether, or its id with another verb or sender.
func (w *world) repeats(l *line, b, which byte) {
	if len(w.sent) == 0 || b < 208 {
		return
	}
	old := pick(w.sent, which).cmd
	switch {
	case b < 232:
		l.cmd = old
	case b < 244 && old.Verb != events.VerbExpire:
		l.cmd.CommandID, l.cmd.UserID, l.cmd.Service, l.cmd.DeviceID = old.CommandID, old.UserID, old.Service, old.DeviceID
	default:
		l.cmd.CommandID = old.CommandID
	}
}

// decide decides twice, by the transition as it was decided and as it was read back, and checks what comes of it.
func (w *world) decide(l line) {
	w.sent = append(w.sent, l)
	in := call.Input{At: start.Add(l.at), Now: start.Add(l.now), Limits: w.limits}
	last, cmd := w.json(w.last), w.json(l.cmd)
	o := call.Decide(w.last, l.cmd, in)
	same := call.Decide(w.read, l.cmd, in)
	if w.json(o) != w.json(same) || reflect.TypeOf(o) != reflect.TypeOf(same) {
		w.t.Fatalf("%s: %s, but by what was read back %s", w.json(l.cmd), w.json(o), w.json(same))
	}
	if w.json(w.last) != last || w.json(l.cmd) != cmd {
		w.t.Fatalf("%s changed its input", cmd)
	}
	before := w.last
	w.checkOutcome(before, l, o)
	if wr, ok := o.(call.Write); ok {
		w.read = reread(w.t, wr)
		w.last = wr.Transition
		w.keep(before, l, wr)
		w.checkTransition(before, l, wr)
		w.checkMemory(wr.Transition)
		w.checkDeadlines(before, wr.Transition)
		w.checkTold(before.Call, wr.Transition, l.now)
	}
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
	for _, l := range w.sent {
		fmt.Fprintf(&b, "%v %v %s\n", l.at, l.now, w.json(l.cmd))
	}
	w.t.Fatalf("%s\nafter\n%s", fmt.Sprintf(format, args...), b.String())
}
