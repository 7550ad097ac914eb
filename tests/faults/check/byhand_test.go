package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// leaves makes bob leave a call of three.
func leaves(w *world) {
	w.do(w.invite("c1", "ann", "bob", "eve"))
	w.do(w.command("c1", events.VerbAccept, "bob"))
	w.do(w.command("c1", events.VerbAccept, "eve"))
	w.do(w.command("c1", events.VerbLeave, "bob"))
}

// callerLeaves lets the caller leave a call while eve rings.
func callerLeaves(w *world) {
	w.do(w.invite("c1", "ann", "bob", "eve"))
	w.do(w.command("c1", events.VerbAccept, "bob"))
	w.do(w.command("c1", events.VerbLeave, "ann"))
}

// storedLate stores an invitation after its ring time, which was not over when the worker decided.
func storedLate(w *world) {
	d := w.send(w.invite("c1", "ann", "bob"))
	w.pass(6 * second)
	after := w.write(d, time.Second, call.Claimed{})
	w.notify(after, after)
	w.ok(d, after)
}

// withoutNotice removes a watcher's notifications of this event.
func withoutNotice(event string) func(h *record.History) {
	return func(h *record.History) {
		kept := h.Notifications[:0]
		for _, t := range h.Notifications {
			if t.Event != event || t.To != "eve" || t.Watcher != 0 {
				kept = append(kept, t)
			}
		}
		h.Notifications = kept
	}
}

func logged(h *record.History) {
	for _, c := range h.Rest.Calls {
		h.Rest.Events = append(h.Rest.Events, record.Stored{Subject: "ringline.demo.events", Data: c.Data})
	}
}

// firstNotification returns the first notification with a ring time.
func firstNotification(h *record.History) *record.Notification {
	for i := range h.Notifications {
		if h.Notifications[i].Remaining != nil {
			return &h.Notifications[i]
		}
	}
	return &record.Notification{}
}

// exhausted sends a command that is refused because the store is full.
func exhausted(verb events.Verb) func(*world) {
	return refused(verb, events.Errorf(events.CodeExhausted, "call storage is 81 %% full"))
}

// unanswered sends a command that nothing comes of.
func unanswered(verb events.Verb) func(*world) {
	return func(w *world) {
		talk(w)
		if verb == events.VerbInvite {
			w.send(w.invite("c2", "eve", "gil"))
			return
		}
		w.send(w.command("c1", verb, "ann"))
	}
}

// pausedWhenFull fills a store before the run begins. It has room again long before that, but the worker is paused until then.
func pausedWhenFull(worker string) func(*record.History) {
	return func(h *record.History) {
		h.Faults = []record.Fault{
			{Kind: "store-full", From: began - 30*second, To: began - 20*second},
			{Kind: "pause", Target: worker, From: began - 25*second, To: began},
		}
	}
}

// refused sends a command that is refused before it is processed.
func refused(verb events.Verb, why error) func(*world) {
	return func(w *world) {
		talk(w)
		cmd := w.command("c1", verb, "ann")
		if verb == events.VerbInvite {
			cmd = w.invite("c2", "eve", "gil")
		}
		d := w.send(cmd)
		w.answer(d, events.Refusal(cmd.CommandID, why))
	}
}

// Defects that the checks written from CONTRACT must find. worker/call could have each of them too, and the
// other checks use it as their oracle.
func TestByHand(t *testing.T) {
	runAll(t, []defect{
		{"a leaver is not missed", "notified parting", leaves, withoutNotice("participant_left"), "never received participant_left to"},
		{"a callee whose caller left rings on", "notified parting", callerLeaves, withoutNotice("participant_left"), "never received participant_left to"},
		{"an invitation is stored after its ring time", "", storedLate, nil, ""},
		{"a decline of another attempt", "history attempts", func(w *world) {
			w.do(w.invite("c1", "ann", "bob", "eve"))
			decline := w.command("c1", events.VerbDecline, "bob")
			decline.Attempt = 2
			d := w.send(decline)
			d.cmd.Attempt = 0
			w.handle(d)
		}, nil, "changed attempt 1 of bob"},
		{"taken over after a second", "fences", func(w *world) {
			talk(w)
			w.pass(time.Second.Nanoseconds())
			cmd := w.invite("c2", "eve", "gil")
			d := w.send(cmd)
			cmd.CallID = "c1"
			w.commit(w.newest("c1"), call.Fence(w.newest("c1"), cmd, call.Input{At: time.Unix(0, d.at).UTC(), Limits: w.limits}))
			w.handle(d)
		}, nil, "it may last for 30s"},
		{"the event log lacks the newest", "event_log", ended, func(h *record.History) {
			logged(h)
			h.Rest.Events = h.Rest.Events[:2]
		}, "the event log has 2 transitions, but 4 are stored"},
		{"the event log lacks the oldest", "event_log", ended, func(h *record.History) {
			logged(h)
			h.Rest.Events = h.Rest.Events[2:]
		}, "the event log has 2 transitions, but 4 are stored"},
		{"the oldest are gone, as the log was full", "", ended, func(h *record.History) {
			logged(h)
			h.Rest.Events = h.Rest.Events[2:]
			h.Faults = []record.Fault{{Kind: "events-full", From: began, To: began}}
		}, ""},
		{"the event log says something else", "event_log", ended, func(h *record.History) {
			logged(h)
			h.Rest.Events[1].Data = strings.Replace(h.Rest.Events[1].Data, "ringing", "singing", 1)
		}, "transition 2 of the event log"},
		{"rings for longer than is left", "frames", ended, func(h *record.History) {
			x := *firstNotification(h).Remaining + 1000
			firstNotification(h).Remaining = &x
		}, "from its server_time to the deadline it is 49"},
		{"leaves out the call", "frames", ended, func(h *record.History) { firstNotification(h).Bare = true }, "it has the call: false"},
		{"does not say how long it rings", "frames", ended, func(h *record.History) { firstNotification(h).Remaining = nil }, "a callee rings: true"},
		{"a clock that is ahead", "frames", ended, func(h *record.History) { firstNotification(h).Server += 70 * second }, "with server_time"},
		{"exhausted without need", "admissions", exhausted(events.VerbInvite), nil, "no store was full"},
		{"exhausted while the store is full", "", exhausted(events.VerbInvite), func(h *record.History) {
			h.Faults = []record.Fault{{Kind: "store-full", From: began, To: began}}
		}, ""},
		{"exhausted by a coordinator that was paused", "", exhausted(events.VerbInvite), pausedWhenFull("coordinator-1"), ""},
		{"exhausted long after the store was full", "admissions", exhausted(events.VerbInvite), pausedWhenFull("timeouts-1"), "no store was full"},
		{"refused as exhausted, and the answer is lost", "", unanswered(events.VerbInvite), pausedWhenFull("coordinator-1"), ""},
		{"a hang-up is lost while a store is full", "lost", unanswered(events.VerbEnd), pausedWhenFull("coordinator-1"), "but had no effect"},
		{"a hang-up finds the store full", "admissions", exhausted(events.VerbEnd), func(h *record.History) {
			h.Faults = []record.Fault{{Kind: "store-full", From: began, To: began}}
		}, "an existing call continues"},
		{"limited without a limit", "admissions", refused(events.VerbEnd, events.Errorf(events.CodeRateLimited, "too many")), nil, "its app is unlimited"},
		{"not answered, as all is slow", "lost slowed", func(w *world) {
			w.send(w.invite("c1", "ann", "bob"))
			w.pass(60 * second)
		}, func(h *record.History) {
			h.Run.Healed = h.Run.Stopped
			h.Faults = []record.Fault{{Kind: "broker-slow", From: began, To: began + 8*second}}
		}, "although links were only slow"},
		{"the api says nothing", "lost prompt", ended, func(h *record.History) {
			h.Sent = append(h.Sent, record.Sent{
				N: len(h.Sent), Via: record.API, App: "demo", CallID: "c9", Verb: "ring", Body: `{"command_id":"k9","user_id":"bob"}`, At: h.Run.Stopped,
				Failed: "timeout",
			})
			h.Run.Read += 60 * second
		}, "was never answered"},
	})
}

// A correct run with all of these events has no violation.
func TestByHandRight(t *testing.T) {
	runAll(t, []defect{
		{"a party leaves", "", leaves, logged, ""},
		{"many parties", "", func(w *world) {
			names := []string{"bob", "eve", "gil", "dan"}
			w.do(w.invite("c1", "ann", names...))
			for _, u := range names {
				accept := w.command("c1", events.VerbAccept, u)
				accept.Attempt = 1
				w.do(accept)
			}
			for _, u := range names {
				w.do(w.command("c1", events.VerbLeave, u))
			}
			w.do(w.invite(fmt.Sprint("c", 2), "bob", "ann"))
		}, logged, ""},
	})
}
