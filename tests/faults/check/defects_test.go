package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/check"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// defect is the history that a defective Ringline leaves, and the checks that must find the defect. No other
// check may find it.
type defect struct {
	name string
	want string
	make func(w *world)
	then func(h *record.History) // changes the history at the end; may be nil
	says string                  // a violation contains this text
}

func (d defect) run(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	d.make(w)
	h := w.rest()
	if d.then != nil {
		d.then(h)
	}
	report := check.Check(h, check.DefaultBounds())
	var found, texts []string
	for _, v := range report.Violations {
		texts = append(texts, v.Check+": "+v.Text)
		if !slices.Contains(found, v.Check) {
			found = append(found, v.Check)
		}
	}
	if got := strings.Join(found, " "); got != d.want {
		t.Errorf("found by %q, want %q:\n%s", got, d.want, strings.Join(texts, "\n"))
	}
	if all := strings.Join(texts, "\n"); !strings.Contains(all, d.says) {
		t.Errorf("no violation contains %q:\n%s", d.says, all)
	}
}

func runAll(t *testing.T, defects []defect) {
	t.Helper()
	for _, d := range defects {
		t.Run(d.name, d.run)
	}
}

// talk plays an answered call of ann and bob.
func talk(w *world) {
	w.do(w.invite("c1", "ann", "bob"))
	w.do(w.command("c1", events.VerbRing, "bob"))
	w.do(w.command("c1", events.VerbAccept, "bob"))
}

// ended plays an answered call of ann and bob, and ends it.
func ended(w *world) {
	talk(w)
	w.do(w.command("c1", events.VerbEnd, "ann"))
}

// write makes the transition of a command with the given claims, whatever they are. The clock of the worker
// is at now.
func (w *world) write(d *delivery, now time.Duration, claimed call.Claimed) events.Transition {
	w.t.Helper()
	before := w.newest(d.cmd.CallID)
	at := time.Unix(0, d.at).UTC()
	wr, ok := call.Decide(before, d.cmd, call.Input{At: at, Now: at.Add(now), Limits: w.limits, Claimed: claimed}).(call.Write)
	if !ok {
		w.t.Fatalf("%+v writes nothing", d.cmd)
	}
	return w.commit(before, wr)
}

// badly handles a command with incorrect claims.
func (w *world) badly(d *delivery, now time.Duration, claimed call.Claimed) {
	w.t.Helper()
	after := w.write(d, now, claimed)
	w.notify(after, after)
	if claimed.CallerBusy {
		w.refuse(d, after, events.Errorf(events.CodeCallerBusy, "busy"))
		return
	}
	w.ok(d, after)
}

// Correct histories of all kinds have no violation. So the tests below find only their defects.
func TestRightHistories(t *testing.T) {
	runAll(t, []defect{
		{name: "nothing happened", make: func(*world) {}},
		{name: "talking at the end", make: talk},
		{name: "ended", make: ended},
		{name: "timed out", make: func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.passTo(w.now + 10*second)
		}},
		{name: "ringing at the end", make: func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			w.do(w.command("c1", events.VerbDecline, "eve"))
		}},
		{name: "crossed", make: func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.do(w.invite("c2", "bob", "ann"))
		}},
		{name: "busy, caller busy", make: func(w *world) {
			talk(w)
			w.do(w.invite("c2", "eve", "bob", "gil"))
			w.do(w.invite("c3", "ann", "dan"))
		}},
		{name: "hung up before it began", make: func(w *world) {
			d := w.send(w.command("c1", events.VerbCancel, "ann"))
			w.pass(5100 * ms)
			w.handle(d)
			w.do(w.invite("c1", "ann", "bob"))
		}},
		{name: "handled too late to ring", make: func(w *world) {
			w.h.Faults = []record.Fault{{Kind: "pause", Target: "coordinator-1", From: w.now, To: w.now + 8*second}}
			d := w.send(w.invite("c1", "ann", "bob"))
			w.pass(8 * second)
			w.h.Run.Healed = w.now
			w.handle(d)
		}},
		{name: "sent again", make: func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			cmd := w.command("c1", events.VerbAccept, "bob")
			w.do(cmd)
			w.do(cmd)
			w.do(w.command("c1", events.VerbEnd, "ann"))
			w.do(cmd)
		}},
		{name: "taken over", make: func(w *world) {
			talk(w)
			w.pass(31 * second)
			cmd := w.invite("c2", "eve", "gil")
			d := w.send(cmd)
			cmd.CallID = "c1" // as if it had met a stale claim of the first
			in := call.Input{At: time.Unix(0, d.at).UTC(), Limits: w.limits}
			w.commit(w.newest("c1"), call.Fence(w.newest("c1"), cmd, in))
			w.handle(d)
		}},
		{name: "changed nothing, and forgotten", make: func(w *world) {
			ringsTwice(w)
			w.consumerDeleted(w.now - ms)
		}},
		{name: "malformed", make: func(w *world) { w.unreadable(`{"command_id":"k1"}`) }},
	})
}

func (w *world) unreadable(body string) {
	at := w.tick()
	n := len(w.h.Sent)
	w.h.Sent = append(w.h.Sent, record.Sent{
		N: n, Via: record.Subject, App: "demo", CallID: "c1", Verb: "end", Body: body, Bad: true, At: at, Acked: w.tick(),
	})
	w.h.Rest.Rejected = append(w.h.Rest.Rejected, record.Stored{Subject: "ringline.demo.rejected.end", At: w.tick(), Data: body})
	w.h.Answers = append(w.h.Answers, record.Answer{N: n, At: w.tick(), Body: `{"ok":false,"error":{"code":"invalid_argument","message":""}}`})
}

func TestRecord(t *testing.T) {
	runAll(t, []defect{
		{"an answer to nothing", "record", ended, func(h *record.History) {
			h.Answers = append(h.Answers, record.Answer{N: 99, At: h.Run.Read, Body: "{}"})
		}, "message 99, which was not sent"},
		{"a number twice", "record", ended, func(h *record.History) {
			s := h.Sent[0]
			s.Acked = 0
			h.Sent = append(h.Sent, s)
		}, "two messages have the number 0"},
		{"not to be read", "record", ended, func(h *record.History) {
			h.Sent = append(h.Sent, record.Sent{N: 4, App: "demo", CallID: "c1", Verb: "end", Body: "x", At: h.Run.Stopped})
		}, "malformed"},
		{"mended too late", "record", ended, func(h *record.History) {
			h.Faults = append(h.Faults, record.Fault{Kind: "kill", From: began, To: h.Run.Read})
		}, "all faults were repaired at"},
	})
}

func TestHistory(t *testing.T) {
	last := func(h *record.History) *record.Stored { return &h.Rest.Calls[len(h.Rest.Calls)-1] }
	runAll(t, []defect{
		{"of a command that was never sent", "history", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.handle(&delivery{n: -1, cmd: w.command("c1", events.VerbDecline, "bob"), at: w.now})
		}, nil, "no sent command could have made it"},
		{"forgets the command", "history", ended, func(h *record.History) {
			last(h).Data = strings.Replace(last(h).Data, `{"id":"k1","verb":"invite","user_id":"ann","seq":1},`, "", 1)
		}, "makes another transition from end k4 of ann"},
		{"a seq twice, as without an expected sequence", "history winner", func(w *world) {
			talk(w)
			before := w.newest("c1")
			a, b := w.send(w.command("c1", events.VerbEnd, "ann")), w.send(w.command("c1", events.VerbLeave, "bob"))
			w.handle(a)
			wr, _ := call.Decide(before, b.cmd, call.Input{At: time.Unix(0, b.at).UTC(), Limits: w.limits}).(call.Write)
			after := w.commit(before, wr)
			w.notify(after, after)
			w.ok(b, after)
		}, nil, "follows seq 4, want seq 5"},
		{"malformed transition", "history", ended, func(h *record.History) {
			h.Rest.Calls = append(h.Rest.Calls, record.Stored{Subject: "ringline.demo.call.c9", Seq: 99, At: h.Run.Stopped, Data: "{}"})
		}, "malformed transition"},
		{"expires before the deadline", "history deadlines", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			early := &delivery{n: -1, at: w.now + 6*second, cmd: events.Command{
				CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: events.VerbExpire},
				CommandID:      events.ExpireID("c1", events.DeadlineID{Seq: 1}), Service: events.ServiceTimeouts,
			}}
			w.write(early, 0, call.Claimed{})
			w.notify(w.newest("c1"), w.newest("c1"))
		}, nil, "after it was stored"},
		{"expires by a deadline that was never made", "history", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.pass(6 * second)
			w.expire("c1", events.DeadlineID{Seq: 7})
		}, nil, "no sent command"},
		{"timed out at once", "history", func(w *world) {
			w.badly(w.send(w.invite("c1", "ann", "bob")), time.Hour, call.Claimed{})
		}, nil, "its callees timed out after"},
		{"out of use at once", "history fences", func(w *world) {
			d := w.send(w.command("c1", events.VerbCancel, "ann"))
			after := w.write(d, time.Hour, call.Claimed{})
			w.refuse(d, after, events.Errorf(events.CodeNotFound, "no call"))
		}, nil, "its invitation may take 5s"},
		{"by a worker's clock", "history", func(w *world) {
			d := w.send(w.invite("c1", "ann", "bob"))
			d.at += 20 * ms
			w.pass(30 * ms)
			w.handle(d)
		}, nil, "at which no message with its command was stored"},
		{"a callee came from nowhere", "history linearizable", talk, func(h *record.History) {
			last(h).Data = strings.ReplaceAll(last(h).Data, `"room_id":"c1"`, `"room_id":"c2"`)
		}, ""},
	})
}

func TestLinearizable(t *testing.T) {
	runAll(t, []defect{
		{"refused by an old call", "linearizable", func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			w.do(w.command("c1", events.VerbAccept, "bob"))
			old := w.newest("c1")
			w.do(w.command("c1", events.VerbDecline, "eve"))
			cmd := w.command("c1", events.VerbAccept, "bob")
			cmd.DeviceID = "tablet"
			w.refuse(w.send(cmd), old, events.Errorf(events.CodeAnsweredElsewhere, "another device"))
		}, nil, "that is so only at seq 2, which was replaced at"},
		{"refused, and remembered", "linearizable", ended, func(h *record.History) {
			a := &h.Answers[2]
			a.Body = strings.Replace(a.Body, `"ok":true`, `"ok":false,"error":{"code":"not_pending","message":""}`, 1)
		}, "seq 3 gives ok with the current call"},
		{"refused, but executed", "linearizable", func(w *world) {
			accept := w.send(w.command("c1", events.VerbAccept, "bob"))
			w.refuse(accept, events.Transition{}, events.Errorf(events.CodeNotFound, ""))
			w.do(w.invite("c1", "ann", "bob"))
			after := w.write(accept, 0, call.Claimed{})
			w.notify(after, after)
		}, nil, "but it made seq 2"},
		{"an impossible answer", "linearizable", func(w *world) {
			talk(w)
			w.refuse(w.send(w.command("c1", events.VerbLeave, "bob")), w.newest("c1"), events.Errorf(events.CodeInternal, "a defect"))
		}, nil, "gives that it is executed (left)"},
		{"shows private data of others", "linearizable", func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			w.do(w.command("c1", events.VerbAccept, "bob"))
			d := w.send(w.command("c1", events.VerbRing, "eve"))
			after := w.write(d, 0, call.Claimed{})
			w.notify(after, after)
			c := after.Call
			w.answer(d, events.Answer{CommandID: d.cmd.CommandID, OK: true, Call: &c})
		}, nil, "ok with the current call"},
		{"two answers that exclude each other", "linearizable", func(w *world) {
			invite := w.send(w.invite("c1", "ann", "bob"))
			first := w.send(w.command("c1", events.VerbRing, "mal"))
			after := w.write(invite, 0, call.Claimed{})
			w.refuse(first, after, events.Errorf(events.CodePermissionDenied, ""))
			second := w.send(w.command("c1", events.VerbRing, "mal"))
			w.refuse(second, events.Transition{}, events.Errorf(events.CodeNotFound, ""))
			w.notify(after, after)
			w.ok(invite, after)
		}, nil, "but not in any common order"},
		{"not found too soon", "linearizable", func(w *world) {
			cmd := w.command("c1", events.VerbAdd, "ann")
			cmd.Callees = []events.Party{{UserID: "bob"}}
			w.refuse(w.send(cmd), events.Transition{}, events.Errorf(events.CodeNotFound, ""))
		}, nil, "seq 0 gives that it waits"},
	})
}
