package main

import (
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

func (st step) claims(c call.Claimed) step { st.claimed = c; return st }
func (st step) after(d time.Duration) step { st.late = d; return st }
func (st step) id(id string) step          { st.body["command_id"] = id; return st }

// reaches sends the step in an app with this reach_s.
func (st step) reaches(d time.Duration) step { st.reach = d; return st }

func many(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("u%d", i)
	}
	return list
}

// invitations renders the table of the outcomes of an invite.
func invitations() (string, error) {
	hangUp := by("ann/laptop", events.VerbCancel).after(6 * time.Second)
	return outcomes([]situation{
		{"lines have room", nil, 0, inviting("bob"), ""},
		{"the lines of all callees are full", nil, 0, inviting("bob").claims(call.Claimed{Busy: []string{"bob"}}), "an answer with ok; nothing rings"},
		{"the lines of some callees are full", nil, 0, inviting("bob", "eve").claims(call.Claimed{Busy: []string{"bob"}}), "these are busy (`line_busy`), the others ring"},
		{"the caller's own line is full", nil, 0, inviting("bob").claims(call.Claimed{CallerBusy: true}), "no party is notified"},
		{
			"it crosses an invitation in the other direction (glare) and has exactly one callee", nil, 0,
			inviting("bob").claims(call.Claimed{Glare: &call.Glare{CallID: "c0", Attempt: 1}}),
			"it accepts that call: the answer is that of the accept, with the first call",
		},
		{"it was processed only after more than 60 s, or its ring timeout if that is less", nil, 0, inviting("bob").after(61 * time.Second), "an answer with ok; nothing rings"},
		{"its id is in use by another call", []step{inviting("bob")}, 0, inviting("eve"), ""},
		{"its id was canceled before it arrived", []step{hangUp}, 0, inviting("bob"), "it never rings"},
		{"more callees than the app allows", nil, 0, inviting(many(events.MaxCallees + 1)...), ""},
		{"a callee is named twice", nil, 0, inviting("bob", "bob"), ""},
		{"the caller is among the callees", nil, 0, inviting("ann"), ""},
		{"the same command again", []step{inviting("bob").id("k9")}, 0, inviting("bob").id("k9"), "the answer has the same code and call id"},
	})
}

// further renders the table of the other outcomes of commands.
func further() (string, error) {
	ringing := []step{inviting("bob", "eve")}
	hangUp := func(v events.Verb, late time.Duration) situation {
		s := situation{what: fmt.Sprintf("`%s` to an unused call id, in its first 5 s", v), last: by("ann/laptop", v).after(late), more: "it may have overtaken its invite"}
		if late > 5*time.Second {
			s.what, s.more = fmt.Sprintf("`%s` to an unused call id, after 5 s", v), "that id never rings, and `get` does not show it"
		}
		return s
	}
	answered := append(ringing, by("bob/phone", events.VerbAccept))
	declined := append(ringing, by("bob/phone", events.VerbDecline))
	again := append(declined, by("ann/laptop", events.VerbAdd, "callees", callees("bob")))
	add := func(users ...string) step { return by("ann/laptop", events.VerbAdd, "callees", callees(users...)) }
	return outcomes([]situation{
		{what: "`ring`, `accept` or `decline` to an unused call id", last: by("bob/phone", events.VerbAccept)},
		hangUp(events.VerbCancel, 0),
		hangUp(events.VerbCancel, 6*time.Second),
		{what: "`add` to an unused call id, after 5 s", last: add("gil").after(6 * time.Second)},
		{what: "`accept`, `ring`, `decline` or `leave` with another `attempt` than the newest", before: ringing, last: by("bob/phone", events.VerbAccept, "attempt", 2)},
		{what: "`accept` after the ring deadline, as long as the callee is pending", before: ringing, wait: time.Hour, last: by("bob/phone", events.VerbAccept)},
		{what: "`add` of a callee who is pending or has accepted, alone", before: ringing, last: add("bob")},
		{what: "`add` of the caller, alone", before: ringing, last: add("ann")},
		{what: "`add` of one of these and of others", before: ringing, last: add("bob", "gil"), more: "the others are invited, and the answer lists the rest in `refused`"},
		{what: "`add` of a new user", before: ringing, last: add("gil"), more: "attempt 1"},
		{
			what: "`add` of a callee whose attempt is over", before: append(ringing, by("bob/phone", events.VerbDecline)), last: add("bob"),
			more: "attempt 2, which resets everything except the user id",
		},
		{what: "`cancel` without `callees`", before: ringing, last: by("ann/laptop", events.VerbCancel), more: "all pending callees that the sender may cancel"},
		{what: "`cancel` of a user who is not in the call", before: ringing, last: by("ann/laptop", events.VerbCancel, "callees", []string{"gil"})},
		{
			what: "`cancel` by a participant of a callee that they did not invite", before: append(cast(), by("eve/phone", events.VerbAdd, "callees", callees("gil"))),
			last: by("eve/phone", events.VerbCancel, "callees", []string{"bob"}),
		},
		{what: "`cancel` if none of the callees is pending", before: append(ringing, by("bob/phone", events.VerbDecline)), last: by("ann/laptop", events.VerbCancel, "callees", []string{"bob"})},
		{what: "`leave` of the caller before any answer", before: ringing, last: by("ann/laptop", events.VerbLeave)},
		{what: "`leave` of a pending callee", before: ringing, last: by("bob/phone", events.VerbLeave)},
		{
			what:   "`leave`, `cancel` or `end` by another device than the one that is in, with a `seen` before that device answered or took the call",
			before: answered, last: by("bob/tablet", events.VerbLeave, "seen", 1),
		},
		{what: "the same from the device that is in, with a newer `seen`, or without `seen`", before: answered, last: by("bob/tablet", events.VerbLeave, "seen", 2)},
		{what: "`leave` of a pending callee who was invited again after `seen`", before: again, last: by("bob/phone", events.VerbLeave, "seen", 2)},
		{
			what: "`cancel` that names a callee who was invited again after `seen`", before: again,
			last: by("ann/laptop", events.VerbCancel, "callees", []string{"bob"}, "seen", 2),
		},
		{what: "`add` of a callee whose attempt ended after `seen`, alone", before: declined, last: by("ann/laptop", events.VerbAdd, "callees", callees("bob"), "seen", 1)},
		{what: "`take` from another device than the one that is in", before: answered, last: by("bob/tablet", events.VerbTake)},
		{what: "`take` with a `seen` before another device answered or took the call", before: answered, last: by("bob/tablet", events.VerbTake, "seen", 1)},
		{what: "`take` by a pending callee, who can accept instead", before: ringing, last: by("bob/phone", events.VerbTake)},
		{what: "`take` or `drop` to an unused call id", last: by("bob/phone", events.VerbTake)},
		{what: "`drop` of the caller before any answer", before: ringing, last: dropping("ann", "laptop")},
		{what: "`drop` of a party who is in with another device, or not in the call", before: answered, last: dropping("bob", "tablet")},
		{
			what: "`drop` of a party who answered or took the call after `seen`, or in a call that was answered after it", before: answered,
			last: by("service:presence", events.VerbDrop, "party", seat("bob", "phone"), "seen", 1),
		},
		{what: "`drop` that is more than 10 s old", before: answered, last: dropping("bob", "phone").after(11 * time.Second)},
		{what: "`end` by the caller after an answer", before: append(ringing, by("bob/phone", events.VerbAccept)), last: by("ann/laptop", events.VerbEnd)},
		{what: "`end` by a service", before: ringing, last: by("service:desk", events.VerbEnd)},
		{what: "a command that the call remembers, with the same verb", before: append(ringing, by("bob/phone", events.VerbAccept).id("k9")), last: by("bob/phone", events.VerbAccept).id("k9")},
		{what: "a command id that its sender used for another verb", before: append(ringing, by("bob/phone", events.VerbAccept).id("k9")), last: by("bob/phone", events.VerbLeave).id("k9")},
	})
}
