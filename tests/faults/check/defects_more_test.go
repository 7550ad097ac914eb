package check_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// brokenUntilNow records a fault from the beginning until now.
func (w *world) brokenUntilNow() {
	w.h.Faults = append(w.h.Faults, record.Fault{Kind: "kill", Target: "coordinator-1", From: began, To: w.now})
	w.h.Run.Healed = w.now
}

func TestLost(t *testing.T) {
	runAll(t, []defect{
		{"an invitation", "lost", func(w *world) {
			w.send(w.invite("c1", "ann", "bob"))
			w.brokenUntilNow()
			w.pass(20 * second)
		}, nil, "but had no effect"},
		{"an accept that can't have been refused", "lost deadlines", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.send(w.command("c1", events.VerbAccept, "bob"))
			w.brokenUntilNow()
			w.pass(60 * second)
			w.timers = nil
		}, nil, "accept k2 of bob"},
		{"a merged invitation that accepts nothing", "lost", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.write(w.send(w.invite("c2", "bob", "ann")), 0, call.Claimed{Glare: &call.Glare{CallID: "c1", Attempt: 1}})
			w.brokenUntilNow()
		}, nil, "invite k2 of bob"},
		{"commands wait at rest", "lost", ended, func(h *record.History) { h.Rest.Waiting, h.Rest.InFlight = 2, 1 }, "at rest 2 commands wait"},
		{
			"a malformed command is not kept", "lost", func(w *world) { w.unreadable("x") },
			func(h *record.History) { h.Rest.Rejected = nil }, "0 of 1 like it are kept",
		},
		{"what can be read is given up", "lost", ended, func(h *record.History) {
			h.Rest.Rejected = append(h.Rest.Rejected, record.Stored{Subject: "ringline.demo.rejected.end", Data: h.Sent[3].Body})
		}, "that was never sent"},
	})
}

func TestWinner(t *testing.T) {
	runAll(t, []defect{
		{"answered ok before it was stored", "linearizable winner", func(w *world) {
			d := w.send(w.invite("c1", "ann", "bob"))
			before := w.now
			w.pass(100 * ms)
			w.handle(d)
			w.h.Answers[0].At = before + ms
		}, nil, "before it was stored: seq 1"},
		{"answered ok and never stored", "linearizable winner", func(w *world) {
			talk(w)
			d := w.send(w.command("c1", events.VerbLeave, "bob"))
			w.ok(d, w.newest("c1"))
		}, nil, "but no stored transition supports that"},
		{"two devices receive ok for an accept", "linearizable winner", func(w *world) {
			talk(w)
			cmd := w.command("c1", events.VerbAccept, "bob")
			cmd.DeviceID = "tablet"
			w.ok(w.send(cmd), w.newest("c1"))
		}, nil, "but no stored transition supports that"},
		{"continues after the end", "history winner", func(w *world) {
			ended(w)
			last := &w.stored["c1"][3].Transition
			last.Call.State = events.CallStateActive
			last.Call.Callees = slices.Clone(last.Call.Callees)
			last.Call.Callees[0].State = events.StateAccepted
			last.Call.EndReason = ""
			after := w.write(w.send(w.command("c1", events.VerbLeave, "bob")), 0, call.Claimed{})
			w.notify(after, after)
			w.brokenUntilNow()
		}, nil, "the call had ended (completed) with seq 4"},
	})
}

func TestClaims(t *testing.T) {
	runAll(t, []defect{
		{"busy, and on no call", "claims", func(w *world) {
			w.badly(w.send(w.invite("c1", "ann", "bob", "eve")), 0, call.Claimed{Busy: []string{"eve"}})
		}, nil, "eve is busy with seq 1"},
		{"busy long after", "claims", func(w *world) {
			ended(w)
			w.badly(w.send(w.invite("c2", "eve", "bob", "gil")), 0, call.Claimed{Busy: []string{"bob"}})
		}, nil, "was in 0 other calls"},
		{"the caller busy, and on no call", "claims", func(w *world) {
			w.badly(w.send(w.invite("c1", "ann", "bob")), 0, call.Claimed{CallerBusy: true})
		}, nil, "ann is busy with seq 1"},
		{"merged into a call that did not cross it", "claims", func(w *world) {
			w.do(w.invite("c1", "ann", "eve"))
			w.do(w.command("c1", events.VerbDecline, "eve"))
			g := call.Glare{CallID: "c1", Attempt: 1}
			d := w.send(w.invite("c2", "bob", "ann"))
			w.write(d, 0, call.Claimed{Glare: &g})
			w.join(d, g)
		}, nil, "which did not cross it"},
	})
}

func TestTwoCalls(t *testing.T) {
	runAll(t, []defect{
		{"rings twice", "two_calls", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.badly(w.send(w.invite("c2", "eve", "bob")), 0, call.Claimed{})
		}, nil, "bob is in 2 calls, but the line holds 1"},
		{"calls twice", "two_calls", func(w *world) {
			talk(w)
			w.badly(w.send(w.invite("c2", "ann", "eve")), 0, call.Claimed{})
		}, nil, "the user enters this one and is in c1"},
	})
}

func TestDeadlines(t *testing.T) {
	runAll(t, []defect{
		{"rings for ever", "deadlines", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.timers = nil
			w.passTo(w.now + 30*second)
		}, nil, "attempt 1 of bob had a deadline at"},
		{"rings too long", "deadlines", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.pass(26 * second)
			w.expire("c1", events.DeadlineID{Seq: 1})
		}, nil, "but ended only with seq 2"},
		{"talks for ever", "deadlines", func(w *world) {
			talk(w)
			w.timers = nil
			w.passTo(w.now + (longest+21)*second)
		}, nil, "the call had a deadline at"},
	})
}

func TestLines(t *testing.T) {
	runAll(t, []defect{
		{"of an ended call", "lines", ended, func(h *record.History) {
			h.Rest.Lines = append(h.Rest.Lines, record.Line{Key: "demo.ann", Data: `[{"call_id":"c1","seq":0,"at":"2026-11-24T10:00:00.000Z"}]`})
		}, "a dead entry"},
		{"of an ended call, claimed by a worker that was left behind", "", func(w *world) {
			ended(w)
			w.brokenUntilNow()
		}, func(h *record.History) {
			h.Rest.Lines = append(h.Rest.Lines, record.Line{
				Key: "demo.ann", Data: `[{"call_id":"c1","seq":0,"at":"2026-11-24T10:00:00.124Z"}]`, At: h.Run.Read,
			})
		}, ""},
		{"of an ended call, not released though something was broken", "lines", func(w *world) {
			ended(w)
			w.brokenUntilNow()
		}, func(h *record.History) {
			h.Rest.Lines = append(h.Rest.Lines, record.Line{
				Key: "demo.ann", Data: `[{"call_id":"c1","seq":0,"at":"2026-11-24T10:00:00.124Z"}]`, At: h.Rest.Calls[3].At - ms,
			})
		}, "a dead entry"},
		{"of a claim", "lines", ended, func(h *record.History) {
			h.Rest.Lines = append(h.Rest.Lines, record.Line{Key: "demo.ann", Data: `[{"call_id":"c1","seq":4,"at":"2026-11-24T10:00:00.000Z"}]`})
		}, "an uncommitted claim"},
		{"of no call", "lines", ended, func(h *record.History) {
			h.Rest.Lines = append(h.Rest.Lines, record.Line{Key: "demo.ann", Data: `[{"call_id":"c7","seq":0,"at":"2026-11-24T10:00:00.000Z"}]`})
		}, "does not exist"},
		{"no line", "lines", ended, func(h *record.History) {
			h.Rest.Lines = append(h.Rest.Lines, record.Line{Key: "demo.bob", Data: "x"})
		}, "read a line"},
		{"without the call", "lines", talk, func(h *record.History) { h.Rest.Lines = h.Rest.Lines[1:] }, "ann is in the call at the end, seq 3"},
	})
}

func TestTimers(t *testing.T) {
	runAll(t, []defect{
		{"none for a call that waits", "timers", talk, func(h *record.History) { h.Rest.Timers = nil }, "the store has no timer"},
		{"one for an ended call", "timers", func(w *world) {
			talk(w)
			left := maps.Clone(w.timers)
			w.do(w.command("c1", events.VerbEnd, "ann"))
			w.timers = left
		}, nil, "is not a current deadline of the call"},
		{"overdue", "timers", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			timer := w.timers["ringline.demo.timer.c1.1"]
			w.passTo(w.now + 30*second)
			w.timers["ringline.demo.timer.c1.1"] = timer
		}, nil, "was due at"},
		{"of no call", "timers", ended, func(h *record.History) {
			h.Rest.Timers = append(h.Rest.Timers, record.Stored{
				Subject: "ringline.demo.timer.c9.1", Data: `{"call_id":"c9","seq":1,"deadline":"2026-11-24T11:00:00.000Z"}`,
			})
		}, "to a call that does not exist"},
	})
}

func TestNotified(t *testing.T) {
	drop := func(watcher int, event events.Kind) func(h *record.History) {
		return func(h *record.History) {
			h.Notifications = slices.DeleteFunc(h.Notifications, func(x record.Notification) bool {
				return (watcher < 0 || x.Watcher == watcher) && x.Event == string(event)
			})
		}
	}
	runAll(t, []defect{
		{"one watcher not", "notified", talk, drop(1, events.OutgoingCallRinging), "watcher 1 never received: to ann, outgoing_call_ringing (c1-2-0)"},
		{"no watcher", "notified", talk, drop(-1, events.OutgoingCallAccepted), "it was sent by"},
		{"no watcher of an invitation", "notified", talk, drop(-1, events.IncomingCallReceived), "incoming_call_received"},
		{"not, while disconnected", "", talk, func(h *record.History) {
			drop(0, events.OutgoingCallRinging)(h)
			h.Gaps = append(h.Gaps, record.Gap{Watcher: 0, From: began, To: began + 10*second})
		}, ""},
		{"not, while the other was disconnected", "notified", talk, func(h *record.History) {
			drop(0, events.OutgoingCallRinging)(h)
			h.Gaps = append(h.Gaps, record.Gap{Watcher: 1, From: began, To: began + 10*second})
		}, "watcher 0 never received"},
		{"not, and disconnected only later", "notified", func(w *world) {
			talk(w)
			w.pass(20 * second)
			w.h.Gaps = append(w.h.Gaps, record.Gap{Watcher: 0, From: w.now, To: w.now + second})
		}, drop(0, events.OutgoingCallRinging), "when the watcher missed nothing"},
		{"not the take of a caller who left later, while disconnected", "", func(w *world) {
			talk(w)
			take := w.command("c1", events.VerbTake, "ann")
			take.DeviceID, take.CustomData = "tablet", ""
			w.do(take)
			w.do(w.command("c1", events.VerbLeave, "ann"))
			w.h.Gaps = append(w.h.Gaps, record.Gap{Watcher: 0, From: began, To: began + 10*second})
		}, drop(0, events.CallTaken), ""},
		{"an invitation that ended too soon to be sent again", "", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.do(w.command("c1", events.VerbCancel, "ann"))
			w.brokenUntilNow()
		}, drop(-1, events.IncomingCallReceived), ""},
		{"an invitation that rang on long enough", "notified", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			w.brokenUntilNow()
			w.do(w.command("c1", events.VerbAccept, "bob"))
			w.pass(40 * second)
			w.do(w.command("c1", events.VerbEnd, "ann"))
		}, drop(-1, events.OutgoingCallAccepted), "outgoing_call_accepted"},
		{"what never happened", "notified", ended, func(h *record.History) {
			x := h.Notifications[0]
			x.Seq, x.ID = 9, strings.Replace(x.ID, "c1-1-", "c1-9-", 1)
			h.Notifications = append(h.Notifications, x)
		}, "the call has no such seq"},
		{"another reason", "notified", ended, func(h *record.History) {
			h.Notifications[len(h.Notifications)-1].Reason = "declined"
			h.Notifications[len(h.Notifications)-2].Reason = "declined"
		}, `reason "completed"`},
		{"before it was stored", "notified", talk, func(h *record.History) { h.Notifications[0].At -= ms }, "before it was stored"},
	})
}

// ringsTwice makes a second device ring, which changes nothing. The command is handled again after the call
// ended.
func ringsTwice(w *world) {
	w.do(w.invite("c1", "ann", "bob"))
	w.do(w.command("c1", events.VerbRing, "bob"))
	d := w.do(w.command("c1", events.VerbRing, "bob"))
	w.do(w.command("c1", events.VerbAccept, "bob"))
	w.do(w.command("c1", events.VerbEnd, "ann"))
	w.handle(d)
}

// consumerDeleted records a deleted consumer from then until now.
func (w *world) consumerDeleted(from int64) {
	w.h.Faults = []record.Fault{{Kind: "delete-consumer", Target: "coordinators", From: from, To: w.now}}
	w.h.Run.Healed = w.now
}

func TestSameAnswer(t *testing.T) {
	runAll(t, []defect{
		{"two to one message", "same_answer", func(w *world) {
			talk(w)
			cmd := w.command("c1", events.VerbAccept, "bob")
			cmd.DeviceID = "tablet"
			d := w.do(cmd)
			w.do(w.command("c1", events.VerbEnd, "ann"))
			w.handle(d)
		}, nil, "answered answered_elsewhere with call c1 at seq 3"},
		{"two to one ring that changed nothing", "same_answer", ringsTwice, nil, "answered call_ended with call c1 at seq 4"},
		{"two to one ring that made its transition", "same_answer", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			d := w.do(w.command("c1", events.VerbRing, "bob"))
			w.consumerDeleted(w.now)
			w.do(w.command("c1", events.VerbEnd, "ann"))
			w.refuse(d, w.newest("c1"), events.Errorf(events.CodeCallEnded, ""))
		}, nil, "answered call_ended with call c1 at seq 3"},
		{"of another command", "same_answer", talk, func(h *record.History) {
			h.Answers[1].Body = strings.Replace(h.Answers[1].Body, `"command_id":"k2"`, `"command_id":"k9"`, 1)
		}, `for command "k9"`},
		{"refused when sent again", "linearizable same_answer", func(w *world) {
			ended(w)
			cmd := w.command("c1", events.VerbAccept, "bob")
			cmd.CommandID, cmd.CustomData = "k3", "data of k3"
			w.refuse(w.send(cmd), w.newest("c1"), events.Errorf(events.CodeCallEnded, ""))
		}, nil, "sent again as message 4"},
		{"executed twice", "history same_answer", func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			cmd := w.command("c1", events.VerbAdd, "ann")
			cmd.Callees = []events.Party{{UserID: "gil"}}
			w.do(cmd)
			w.do(w.command("c1", events.VerbDecline, "gil"))
			memory := &w.stored["c1"][2].Commands
			*memory = slices.DeleteFunc(slices.Clone(*memory), func(r events.Remembered) bool { return r.ID == cmd.CommandID })
			w.do(cmd)
		}, nil, "was executed with seq 2, and again with seq 4"},
		{"an add that names another refused callee when sent again", "same_answer", func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			cmd := w.command("c1", events.VerbAdd, "ann")
			cmd.Callees = []events.Party{{UserID: "bob"}, {UserID: "gil"}}
			w.do(cmd)
			w.do(w.command("c1", events.VerbDecline, "gil"))
			seen := w.newest("c1").Call
			refused := []events.RefusedCallee{{UserID: "bob", Code: events.CodeAlreadyExists}, {UserID: "gil", Code: events.CodeAlreadyExists}}
			w.answer(w.send(cmd), events.Answer{CommandID: cmd.CommandID, OK: true, Call: &seen, Refused: refused})
		}, nil, "it left out [{bob already_exists}]"},
		{"an add that names no refused callee", "same_answer", func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			cmd := w.command("c1", events.VerbAdd, "ann")
			cmd.Callees = []events.Party{{UserID: "ann"}, {UserID: "gil"}}
			w.do(cmd)
		}, func(h *record.History) {
			h.Answers[1].Body = strings.Replace(h.Answers[1].Body, `"refused":`, `"unknown":`, 1)
		}, "it left out [{ann invalid_argument}]"},
		{"an accept that names a refused callee", "same_answer", talk, func(h *record.History) {
			h.Answers[1].Body = strings.Replace(h.Answers[1].Body, `"ok":true,`, `"ok":true,"refused":[{"user_id":"bob","code":"already_exists"}],`, 1)
		}, "it left out []"},
		{"garbage", "linearizable same_answer", ended, func(h *record.History) { h.Answers[1].Body = "x" }, "malformed answer"},
	})
}

func TestPrompt(t *testing.T) {
	runAll(t, []defect{
		{"waits for another", "prompt", func(w *world) {
			d := w.send(w.command("c1", events.VerbRing, "bob"))
			w.pass(31 * second)
			w.handle(d)
		}, nil, "had to be answered by 15000.4 ms"},
		{"not answered", "prompt", func(w *world) {
			w.send(w.command("c1", events.VerbRing, "bob"))
			w.pass(31 * second)
		}, nil, "was not answered until"},
		{"executed late, not answered", "prompt", func(w *world) {
			w.do(w.invite("c1", "ann", "bob"))
			d := w.send(w.command("c1", events.VerbAccept, "bob"))
			w.brokenUntilNow()
			w.pass(18 * second)
			after := w.write(d, 0, call.Claimed{})
			w.notify(after, after)
		}, nil, "was processed only with seq 2"},
	})
}
