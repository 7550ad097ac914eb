package check_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

const (
	ms      = int64(time.Millisecond)
	second  = int64(time.Second)
	longest = 45 // maximum duration of a call, in seconds
)

// began is the start time of every run.
var began = time.Date(2026, 11, 24, 10, 0, 0, 123_456_789, time.UTC).UnixNano()

// world simulates a correct Ringline. The test moves its clock. It writes the history that a run would leave.
type world struct {
	t      testing.TB
	now    int64
	h      *record.History
	limits call.Limits
	stored map[string][]stored // by call
	ids    []string            // of all calls, in order
	timers map[string]record.Stored
	count  int
	pick   func(n int) int // random source; nil: always 0
}

type stored struct {
	events.Transition
	at int64
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	limits := call.DefaultLimits()
	limits.MaxDuration = longest * time.Second
	return &world{
		t: tb, now: began, limits: limits, stored: map[string][]stored{}, timers: map[string]record.Stored{},
		h: &record.History{Run: record.Run{Nodes: 1, Capacity: 1, MaxDurationS: longest, Began: began, Watchers: 2}},
	}
}

// pass lets time pass.
func (w *world) pass(ns int64) { w.now += ns }

// tick lets a fraction of a millisecond pass, because everything takes some time.
func (w *world) tick() int64 { w.now += 137_001; return w.now }

// command returns a command with a unique id.
func (w *world) command(callID string, verb events.Verb, user string) events.Command {
	w.count++
	c := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: callID, Verb: verb},
		CommandID:      fmt.Sprintf("k%d", w.count), UserID: user, DeviceID: "phone",
	}
	if verb != events.VerbRing {
		c.CustomData = "data of " + c.CommandID
	}
	return c
}

func (w *world) invite(callID, caller string, callees ...string) events.Command {
	c := w.command(callID, events.VerbInvite, caller)
	c.RingTimeoutS = 5
	for _, u := range callees {
		c.Callees = append(c.Callees, events.Party{UserID: u})
	}
	return c
}

// delivery is a command that a coordinator handles.
type delivery struct {
	n         int
	cmd       events.Command
	at        int64 // time of storage
	delivered int
}

// send publishes a command and records its acknowledgement.
func (w *world) send(cmd events.Command) *delivery {
	w.t.Helper()
	body, err := cmd.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	s := record.Sent{
		N: len(w.h.Sent), Via: record.Subject, App: cmd.App, CallID: cmd.CallID, Verb: string(cmd.Verb), Body: string(body),
		At: w.tick(),
	}
	at := w.tick()
	s.Acked = w.tick()
	w.h.Sent = append(w.h.Sent, s)
	return &delivery{n: s.N, cmd: cmd, at: at}
}

// do sends a command and handles it.
func (w *world) do(cmd events.Command) *delivery {
	w.t.Helper()
	d := w.send(cmd)
	w.handle(d)
	return d
}

func (w *world) newest(callID string) events.Transition {
	if s := w.stored[callID]; len(s) > 0 {
		return s[len(s)-1].Transition
	}
	return events.Transition{}
}

// handle handles a command. It returns the time of the redelivery, or 0 if the command is done.
func (w *world) handle(d *delivery) (again int64) {
	w.t.Helper()
	d.delivered++
	base := w.newest(d.cmd.CallID)
	in := call.Input{At: time.Unix(0, d.at).UTC(), Now: time.Unix(0, w.tick()).UTC(), Limits: w.limits}
	if users := call.Claims(call.Decide(base, d.cmd, in), d.cmd); len(users) > 0 {
		in.Claimed = w.claim(d.cmd, users)
	}
	return w.carryOut(d, base, w.recall(d, base, call.Decide(base, d.cmd, in)))
}

// recall finds the transition that a ring, expire or drop made in an earlier delivery.
func (w *world) recall(d *delivery, now events.Transition, o call.Outcome) call.Outcome {
	_, writes := o.(call.Write)
	switch {
	case writes, d.cmd.Verb.Remembered():
		return o
	case call.MadeBy(now, d.cmd):
		return call.Keep{Made: now.Seq}
	case d.delivered == 1:
		return o
	}
	for _, s := range w.stored[d.cmd.CallID] {
		if call.MadeBy(s.Transition, d.cmd) {
			o = call.Keep{Made: s.Seq}
		}
	}
	return o
}

// claim returns the result of claiming the lines of these users.
func (w *world) claim(cmd events.Command, users []string) (got call.Claimed) {
	for _, u := range slices.Sorted(slices.Values(users)) {
		live := 0
		for _, id := range w.ids {
			c := w.newest(id).Call
			if id == cmd.CallID || !c.On(u) {
				continue
			}
			if g := call.FindGlare(cmd, c); g != nil {
				return call.Claimed{Glare: g}
			}
			live++
		}
		switch {
		case live < w.limits.Capacity:
		case cmd.Verb == events.VerbInvite && u == cmd.UserID:
			return call.Claimed{CallerBusy: true}
		default:
			got.Busy = append(got.Busy, u)
		}
	}
	return got
}

func (w *world) carryOut(d *delivery, base events.Transition, o call.Outcome) (again int64) {
	w.t.Helper()
	switch o := o.(type) {
	case call.Write:
		after := w.commit(base, o)
		if w.dies("committed") {
			return w.now + 3*second
		}
		w.notify(after, after)
		if w.dies("notify") {
			return w.now + 3*second
		}
		return w.committed(d, after, o.Err)
	case call.Keep:
		return w.keep(d, base, o)
	case call.Refuse:
		w.refuse(d, base, o.Err)
	case call.Wait:
		return min(o.Until.UnixNano()+1, w.now+500*ms)
	}
	return 0
}

// committed answers a committed command. A merged invitation joins the call that it met first.
func (w *world) committed(d *delivery, after events.Transition, refusal *events.Error) (again int64) {
	if refusal != nil {
		w.refuse(d, after, refusal)
		return 0
	}
	if g := call.Merged(after); g != nil {
		return w.join(d, *g)
	}
	w.ok(d, after)
	return 0
}

// join makes a merged invitation accept the call that it met.
func (w *world) join(d *delivery, g call.Glare) (again int64) {
	base := w.newest(g.CallID)
	in := call.Input{At: time.Unix(0, d.at).UTC(), Now: time.Unix(0, w.tick()).UTC(), Limits: w.limits}
	return w.carryOut(d, base, call.Join(base, d.cmd, g, in))
}

func (w *world) keep(d *delivery, base events.Transition, o call.Keep) (again int64) {
	if o.Made > 0 {
		w.notify(w.stored[base.Call.CallID][o.Made-1].Transition, base)
	}
	if g := call.Merged(base); g != nil && d.cmd.Verb == events.VerbInvite {
		return w.join(d, *g)
	}
	w.ok(d, base)
	return 0
}

// commit stores a transition with its deadline, and removes deadlines that no call waits for.
func (w *world) commit(before events.Transition, wr call.Write) events.Transition {
	w.t.Helper()
	data, err := wr.Transition.Encode(wr.At)
	if err != nil {
		w.t.Fatal(err)
	}
	app, id := wr.Transition.Call.App, wr.Transition.Call.CallID
	t, _, err := events.ReadTransition(app, id, data)
	if err != nil {
		w.t.Fatal(err)
	}
	at := w.tick()
	w.h.Rest.Calls = append(w.h.Rest.Calls, record.Stored{
		Subject: events.TransitionSubject(app, id), Seq: uint64(len(w.h.Rest.Calls) + 1), At: at, Data: string(data),
	})
	w.stored[id] = append(w.stored[id], stored{t, at})
	if i, known := slices.BinarySearch(w.ids, id); !known {
		w.ids = slices.Insert(w.ids, i, id)
	}
	for _, gone := range call.DeadlinesRemoved(before, t) {
		delete(w.timers, events.TimerSubject(app, id, gone))
	}
	for _, due := range call.DeadlinesMade(t, t.Seq) {
		body, err := events.Encode(events.Deadline{CallID: id, Seq: due.Seq, Kind: due.Kind, Deadline: due.At})
		if err != nil {
			w.t.Fatal(err)
		}
		subject := events.TimerSubject(app, id, due.DeadlineID)
		w.timers[subject] = record.Stored{Subject: subject, At: w.tick(), Data: string(body)}
	}
	return t
}

// notify notifies all connected watchers. No callee rings after their ring time.
func (w *world) notify(t, now events.Transition) {
	for _, n := range call.Notify(t) {
		x, then := now.Call.Callee(n.To), t.Call.Callee(n.To)
		at := w.tick()
		late := x == nil || !x.Pending() || x.Attempt != then.Attempt || x.RingDeadline.Time().UnixNano() <= at
		if n.Event == events.IncomingCallReceived && late {
			continue
		}
		for i := range w.h.Run.Watchers {
			if w.gone(i, at) {
				continue
			}
			w.h.Notifications = append(w.h.Notifications, record.Notification{
				Watcher: i, At: at + 1000, App: t.Call.App, To: events.Escape(n.To), ID: n.ID, Event: string(n.Event), CallID: n.CallID,
				Seq: n.Seq, UserID: n.UserID, Reason: n.Reason, Server: at, Remaining: events.RingRemaining(n.Call, n.To, time.Unix(0, at)),
				Bare: n.Call.IsZero(),
			})
		}
	}
}

func (w *world) gone(watcher int, at int64) bool {
	return slices.ContainsFunc(w.h.Gaps, func(g record.Gap) bool { return g.Watcher == watcher && g.From <= at && at <= g.To })
}

func (w *world) ok(d *delivery, now events.Transition) {
	seen := w.view(d, now)
	a := events.Answer{CommandID: d.cmd.CommandID, OK: true, Call: &seen}
	for _, s := range w.stored[d.cmd.CallID] {
		if call.MadeBy(s.Transition, d.cmd) {
			a.Refused = call.Refused(d.cmd, s.Transition)
		}
	}
	w.answer(d, a)
}

func (w *world) refuse(d *delivery, now events.Transition, why error) {
	a := events.Refusal(d.cmd.CommandID, why)
	if c := now.Call; c.EndReason != events.EndFailed && (c.Has(d.cmd.UserID) || c.Seq > 0 && d.cmd.Service != "") {
		seen := w.view(d, now)
		a.Call = &seen
	}
	w.answer(d, a)
}

func (w *world) view(d *delivery, now events.Transition) events.Call {
	if d.cmd.Service != "" {
		return now.Call
	}
	return now.Call.For(d.cmd.UserID)
}

func (w *world) answer(d *delivery, a events.Answer) {
	w.t.Helper()
	if d.n < 0 || w.dies("answered") {
		return // from a deadline, or lost
	}
	body, err := events.Encode(a)
	if err != nil {
		w.t.Fatal(err)
	}
	w.h.Answers = append(w.h.Answers, record.Answer{N: d.n, At: w.tick(), Body: string(body)})
}

// dies reports whether a worker dies now, or an answer is lost. Both occur only during a fault.
func (w *world) dies(string) bool { return w.pick != nil && w.broken() && w.pick(6) == 0 }

func (w *world) broken() bool {
	return slices.ContainsFunc(w.h.Faults, func(f record.Fault) bool { return f.From <= w.now && w.now <= f.To })
}

// expire publishes and handles the command of a deadline that is due.
func (w *world) expire(callID string, id events.DeadlineID) (again *delivery, at int64) {
	d := &delivery{n: -1, at: w.tick(), cmd: events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: callID, Verb: events.VerbExpire},
		CommandID:      events.ExpireID(callID, id), Service: events.ServiceTimeouts,
	}}
	delete(w.timers, events.TimerSubject("demo", callID, id))
	return d, w.handle(d)
}

// due lists the deadlines that are due.
func (w *world) due() []events.Deadline {
	var list []events.Deadline
	if len(w.timers) == 0 {
		return list
	}
	for _, id := range w.ids {
		for _, d := range call.Deadlines(w.newest(id)) {
			if d.At.Time().UnixNano() > w.now {
				continue
			}
			if _, there := w.timers[events.TimerSubject("demo", id, d.DeadlineID)]; there {
				list = append(list, events.Deadline{CallID: id, Seq: d.Seq, Kind: d.Kind, Deadline: d.At})
			}
		}
	}
	return list
}

// passTo lets time pass until at, and handles deadlines that come due.
func (w *world) passTo(at int64) {
	for w.now < at {
		w.now += min(20*ms, at-w.now)
		for _, d := range w.due() {
			w.expire(d.CallID, d.ID())
		}
	}
}
