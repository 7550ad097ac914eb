package main

import (
	"fmt"
	"strings"
)

// storeMalformed stores malformed messages on the subjects of calls, lines, deadlines and app settings.
func (f *feeder) storeMalformed() {
	f.onCalls()
	f.onLines()
	f.onDeadlines()
	f.onApps()
}

func (f *feeder) onCalls() {
	for n, body := range []string{
		canary, `"` + canary + `"`, `{"` + canary + `":1}`, `{"time":"` + canary + `"}`, `{"data":{"custom_data":{"` + canary + `":1}}}`,
		`{"data":{"custom_data":"` + canary + `","call":{"caller":{"user_name":"` + canary + `"},"created_at":"` + canary + `"}}}`,
		`{"data":{"custom_data":"` + canary + `","seq":1,"call":{"call_id":"other","custom_data":"` + canary + `"}}}`,
		`{"data":{"seq":"` + canary + `"}}`, `{"data":{"call":{"callees":"` + canary + `"}}}`, `{"id":["` + canary + `"]}`, `[` + canary,
		`{"id":"` + canary + `","source":"` + canary + `","type":"` + canary + `"}`,
	} {
		call := fmt.Sprintf("g%d", n)
		f.raw("ringline.demo.call."+call, body)
		f.request("get", `{"call_id":"`+call+`"}`)
		f.send("demo", call, "invite", invitationOf("gus"+call, "gil"+call, ""))
		f.raw("ringline.demo.call."+call, body)
		f.send("demo", call, "accept", people("gil"+call, ""))
	}
	f.handled()
	f.logged(f.coordinator, `"component":"api".*malformed transition ignored`)
	f.logged(f.coordinator, `"component":"coordinator".*malformed transition ignored`)
}

func (f *feeder) onLines() {
	for n, body := range []string{
		canary, `{"` + canary + `":1}`, `[{"call_id":{"` + canary + `":1}}]`, `[{"call_id":"x","at":"` + canary + `"}]`, `[{"call_id":"x","seq":"` + canary + `"}]`,
		`["` + canary + `"]`, `[` + canary,
	} {
		user := fmt.Sprintf("lin%d", n)
		f.raw("$KV.RINGLINE_LINES.demo."+user, body)
		f.request("line", `{"user_id":"`+user+`"}`)
		f.request("list", ``)
		f.send("demo", "l"+user, "invite", invitationOf("lou"+user, user, ""))
	}
	f.handled()
	f.logged(f.coordinator, `"component":"api".*malformed line taken as empty`)
	f.logged(f.coordinator, `"component":"api".*malformed line ignored`)
	f.logged(f.coordinator, `"component":"coordinator".*malformed line taken as empty`)
}

func (f *feeder) onDeadlines() {
	f.raw("ringline.demo.due.c1.soon", canary)
	f.raw("ringline.demo.due.c1.7", canary)
	f.raw("ringline.demo.due.c1.8", `{"deadline":"`+canary+`"}`)
	f.raw("ringline.demo.timer.c1.7", canary)
	f.raw("ringline.demo.timer.c1.8", `{"deadline":"`+canary+`"}`)
	f.raw("ringline.demo.timer.c1.9", `{"`+canary+`":1,"deadline":"2020-01-01T00:00:00.000Z"}`)
	f.logged(f.timeouts, `malformed deadline dropped`)
	f.logged(f.timeouts, `found missed deadlines`)
	f.handled()
}

func (f *feeder) onApps() {
	for n, body := range []string{
		canary, `{"` + canary + `":1}`, `{"capacity":"` + canary + `"}`, `{"capacity":{"` + canary + `":1}}`, `{"capacity":1,"` + canary + ``, `["` + canary + `"]`,
	} {
		app := fmt.Sprintf("app%d", n)
		f.raw("$KV.RINGLINE_APPS."+app, body)
		f.logged(f.coordinator, `"component":"apps".*"app":"`+app+`".*(malformed setting|unknown settings)`)
	}
}

// small makes a stream reject every message; undo restores it.
func (f *feeder) small(stream string) (undo func()) {
	f.t.Helper()
	st, err := f.js.Stream(f.t.Context(), stream)
	if err != nil {
		f.t.Fatal(err)
	}
	config := st.CachedInfo().Config
	set := func(most int32) {
		f.t.Helper()
		c := config
		c.MaxMsgSize = most
		if _, err := f.js.UpdateStream(f.t.Context(), c); err != nil {
			f.t.Fatal(err)
		}
	}
	set(1)
	return func() { f.t.Helper(); set(config.MaxMsgSize) }
}

// failingStores sends commands that are nak'ed with a delay, because a call, a line, a deadline or a rejected command
// cannot be written.
func (f *feeder) failingStores() {
	for n, x := range []struct{ stream, verb, body, says string }{
		{"RINGLINE_CALLS", "invite", invitationOf("fay0", "fox0", ""), "store: commit s0-1"},
		{"KV_RINGLINE_LINES", "invite", invitationOf("fay1", "fox1", ""), "store: write a line"},
		{"RINGLINE_TIMERS", "invite", invitationOf("fay2", "fox2", ""), "store: arm ringline.demo.timer.s2.1"},
		{"RINGLINE_REJECTED", "invite", `{"custom_data":"` + canary + `","` + canary + `":1}`, "store a malformed command"},
	} {
		undo := f.small(x.stream)
		f.send("demo", fmt.Sprintf("s%d", n), x.verb, x.body)
		f.logged(f.coordinator, `"level":"error".*"error":"[^"]*`+x.says+`.*"reason":"store".*"nak'ed"`)
		undo()
		f.handled()
	}
}

// deadlinesThatFail sends deadlines whose expire command cannot be stored.
func (f *feeder) deadlinesThatFail() {
	stored := func() uint64 {
		st, err := f.js.Stream(f.t.Context(), "RINGLINE_COMMANDS")
		if err != nil {
			f.t.Fatal(err)
		}
		return st.CachedInfo().State.LastSeq
	}
	undo, before := f.small("RINGLINE_COMMANDS"), stored()
	f.raw("ringline.demo.due.d1.1", `{"call_id":"d1","seq":1,"deadline":"2020-01-01T00:00:00.000Z"}`)
	f.logged(f.timeouts, `"level":"error".*"subject":"ringline.demo.due.d1.1".*"reason":"expire_not_stored".*"nak'ed"`)
	undo()
	poll(f.t, "expire of d1", func() bool { return stored() > before })
	f.handled()
}

// tokensThatMayNotBeUsed makes NATS report a permissions violation, whose text contains the answer token.
func (f *feeder) tokensThatMayNotBeUsed() {
	f.send("mute", "m1", "invite", strings.Replace(invitationOf("moe", "meg", ""), "bob", "meg", 1))
	f.logged(f.coordinator, `"level":"error".*"error":".*ermissions [vV]iolation.*ringline.mute.answer.`)
	f.handled()
	m, err := f.js.Stream(f.t.Context(), "RINGLINE_CALLS")
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := m.GetLastMsgForSubject(f.t.Context(), "ringline.mute.call.m1"); err != nil {
		f.t.Errorf("it is not written: %v", err)
	}
}
