package events_test

import (
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// matches reports whether a subject matches a pattern, by the rules of NATS.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case i >= len(s) || s[i] == "":
			return false
		case token == ">":
			return true
		case token != "*" && token != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}

// patterns are the subject patterns of streams and subscriptions.
var patterns = []string{
	events.CommandSubjects, events.TransitionSubjects, events.TimerSubjects, events.DueSubjects, events.EventsSubjects,
	events.CDRSubjects, events.RejectedSubjects, events.SessionSubjects, events.UserSubjects, events.AnswerSubjects,
}

func reach(seq int) events.DeadlineID {
	return events.DeadlineID{Seq: seq, Kind: events.DeadlineReach}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct{ got, want, pattern string }{
		{events.CommandSubject("demo", "c1", events.VerbDecline), "ringline.demo.cmd.c1.decline", events.CommandSubjects},
		{events.TransitionSubject("demo", "c1"), "ringline.demo.call.c1", events.TransitionSubjects},
		{events.AppTransitions("demo"), "ringline.demo.call.*", events.TransitionSubjects},
		{events.TimerSubject("demo", "c1", events.DeadlineID{Seq: 4}), "ringline.demo.timer.c1.4", events.TimerSubjects},
		{events.TimerSubject("demo", "c1", reach(4)), "ringline.demo.timer.c1.4.reach", events.TimerSubjects},
		{events.DueSubject("demo", "c1", events.DeadlineID{Seq: 4}), "ringline.demo.due.c1.4", events.DueSubjects},
		{events.DueSubject("demo", "c1", reach(4)), "ringline.demo.due.c1.4.reach", events.DueSubjects},
		{events.UserSubject("demo", "ann"), "ringline.demo.user.ann", events.UserSubjects},
		{events.UserSubject("demo", "a.b>*"), "ringline.demo.user.a=2Eb=3E=2A", events.UserSubjects},
		{events.AppNotifications("demo"), "ringline.demo.user.*", events.UserSubjects},
		{events.AnswerSubject("demo", "t7"), "ringline.demo.answer.t7", events.AnswerSubjects},
		{events.AnswerSubject("demo", "p1.t7"), "ringline.demo.answer.p1.t7", events.AnswerSubjects},
		{events.AnswersOf("p1"), "ringline.*.answer.p1.*", events.AnswerSubjects},
		{events.RejectedSubject("demo", events.VerbRing), "ringline.demo.rejected.ring", events.RejectedSubjects},
		{events.APISubject("demo", "invite"), "ringline.demo.api.invite", ""},
		{events.APISubject("*", "get"), "ringline.*.api.get", ""},
	} {
		if c.got != c.want {
			t.Errorf("got subject %s, want %s", c.got, c.want)
		}
		for _, p := range patterns {
			if got, want := matches(p, c.got), p == c.pattern; got != want {
				t.Errorf("%s matches %s: %t, want %t", c.got, p, got, want)
			}
		}
	}
	if !matches(events.AnswersOf("p1"), events.AnswerSubject("demo", "p1.t7")) {
		t.Error("AnswersOf(p1) does not match the answer to p1.t7")
	}
	if matches(events.AnswersOf("p1"), events.AnswerSubject("demo", "p1")) {
		t.Error("AnswersOf(p1) matches the answer to p1 alone")
	}
	if want := strings.Replace(events.EventsSubjects, "*", "{{wildcard(1)}}", 1); events.EventsTransform != want {
		t.Errorf("EventsTransform = %s, want %s", events.EventsTransform, want)
	}
}

func TestSubjectsRoundTrip(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, app := range []string{"demo", "-", "_", "cmd", long} {
		for _, call := range []string{"c1", "call", long} {
			for _, verb := range events.Verbs() {
				want := events.CommandAddress{App: app, CallID: call, Verb: verb}
				if got, err := events.ParseCommandSubject(events.CommandSubject(app, call, verb)); err != nil || got != want {
					t.Errorf("command of %+v: got %+v, %v", want, got, err)
				}
			}
			if a, c, ok := events.ParseTransitionSubject(events.TransitionSubject(app, call)); !ok || a != app || c != call {
				t.Errorf("transition of %s, %s: got %s, %s, %t", app, call, a, c, ok)
			}
			for _, d := range []events.DeadlineID{{Seq: 1}, {Seq: 4}, {Seq: 10}, {Seq: 123456789}, reach(1), reach(123456789)} {
				if a, c, got, ok := events.ParseDueSubject(events.DueSubject(app, call, d)); !ok || a != app || c != call || got != d {
					t.Errorf("due of %s, %s, %v: got %s, %s, %v, %t", app, call, d, a, c, got, ok)
				}
				if a, c, got, ok := events.ParseTimerSubject(events.TimerSubject(app, call, d)); !ok || a != app || c != call || got != d {
					t.Errorf("timer of %s, %s, %v: got %s, %s, %v, %t", app, call, d, a, c, got, ok)
				}
			}
		}
		if a, m, ok := events.ParseAPISubject(events.APISubject(app, "get")); !ok || a != app || m != "get" {
			t.Errorf("api of %s: got %s, %s, %t", app, a, m, ok)
		}
		for _, user := range hostile {
			a, token, ok := events.ParseUserSubject(events.UserSubject(app, user))
			if !ok || a != app || token != events.Escape(user) {
				t.Errorf("user %q of %s: got %s, %s, %t", user, app, a, token, ok)
			}
		}
	}
}

func TestParseCommandSubjectRefuses(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, c := range []struct{ subject, field, limit string }{
		{"", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"ringline", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"ringline.demo.cmd.c1", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"ringline.demo.cmd.c1.ring.x", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"ringline.demo.call.c1.ring", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"Ringline.demo.cmd.c1.ring", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"ringline.demo.CMD.c1.ring", "subject", "ringline.<app>.cmd.<call>.<verb>"},
		{"ringline..cmd.c1.ring", "app", "64"},
		{"ringline." + long + ".cmd.c1.ring", "app", "64"},
		{"ringline.a=2Eb.cmd.c1.ring", "app", "64"},
		{"ringline.*.cmd.c1.ring", "app", "64"},
		{"ringline.dé.cmd.c1.ring", "app", "64"},
		{"ringline.demo.cmd..ring", "call_id", "64"},
		{"ringline.demo.cmd." + long + ".ring", "call_id", "64"},
		{"ringline.demo.cmd.c 1.ring", "call_id", "64"},
		{"ringline.demo.cmd.c1.", "verb", "invite"},
		{"ringline.demo.cmd.c1.dance", "verb", "expire"},
		{"ringline.demo.cmd.c1.Ring", "verb", "ring"},
		{"ringline.demo.cmd.c1.get", "verb", "ring"},
		{"ringline.demo.cmd.c1.>", "verb", "ring"},
		{"ringline.demo.cmd.c1." + strings.Repeat("\x00", 300), "verb", "ring"},
	} {
		if a, err := events.ParseCommandSubject(c.subject); err == nil {
			t.Errorf("%s: got %+v, want an error", c.subject, a)
		} else {
			checkRefusal(t, err, c.field, c.limit)
		}
	}
}

// A malformed command is answered and stored under the address in its subject.
func TestParseCommandSubjectReturnsTheAddressWithTheError(t *testing.T) {
	for _, c := range []struct {
		subject string
		want    events.CommandAddress
	}{
		{"ringline.demo.cmd.c1.dance", events.CommandAddress{App: "demo", CallID: "c1", Verb: "dance"}},
		{"ringline.demo.cmd.c=1.ring", events.CommandAddress{App: "demo", CallID: "c=1", Verb: events.VerbRing}},
		{"ringline.d@mo.cmd.c1.ring", events.CommandAddress{App: "d@mo", CallID: "c1", Verb: events.VerbRing}},
	} {
		if got, err := events.ParseCommandSubject(c.subject); err == nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v and an error", c.subject, got, err, c.want)
		}
	}
}

func TestParsersRefuse(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, s := range []string{
		"", "ringline.demo.call", "ringline.demo.call.c1.x", "ringline.demo.user.c1", "x.demo.call.c1",
		"ringline..call.c1", "ringline.demo.call.", "ringline.demo.call.*", "ringline.demo.call." + long, "ringline.a b.call.c1",
	} {
		if app, call, ok := events.ParseTransitionSubject(s); ok {
			t.Errorf("ParseTransitionSubject(%q) = %q, %q, want none", s, app, call)
		}
	}
	for _, s := range []string{
		"", "ringline.demo.due.c1", "ringline.demo.due.c1.4.4", "ringline.demo.timer.c1.4", "x.demo.due.c1.4",
		"ringline..due.c1.4", "ringline.demo.due..4", "ringline.demo.due." + long + ".4", "ringline.demo.due.c1.",
		"ringline.demo.due.c1.0", "ringline.demo.due.c1.-1", "ringline.demo.due.c1.x", "ringline.demo.due.c1.1e3",
		"ringline.demo.due.c1.99999999999999999999", "ringline.demo.due.c1.4.", "ringline.demo.due.c1.4.max", "ringline.demo.due.c1.reach",
		"ringline.demo.due.c1.0.reach", "ringline.demo.due.c1.4.reach.4",
	} {
		if app, call, seq, ok := events.ParseDueSubject(s); ok {
			t.Errorf("ParseDueSubject(%q) = %q, %q, %v, want none", s, app, call, seq)
		}
	}
	for _, s := range []string{"", "ringline.demo.api", "ringline.demo.api.get.x", "ringline.demo.call.get", "x.demo.api.get", "ringline.*.api.get"} {
		if app, method, ok := events.ParseAPISubject(s); ok {
			t.Errorf("ParseAPISubject(%q) = %q, %q, want none", s, app, method)
		}
	}
	for _, s := range []string{"", "ringline.demo.user", "ringline.demo.user.a.b", "ringline.demo.call.a", "x.demo.user.a", "ringline.*.user.a"} {
		if app, user, ok := events.ParseUserSubject(s); ok {
			t.Errorf("ParseUserSubject(%q) = %q, %q, want none", s, app, user)
		}
	}
}

func TestRejectedSubjectIsAlwaysASubject(t *testing.T) {
	for _, app := range hostile {
		for _, verb := range hostile {
			s := events.RejectedSubject(app, events.Verb(verb))
			tokens := strings.Split(s, ".")
			if len(tokens) != 4 || !matches(events.RejectedSubjects, s) || !escaped.MatchString(tokens[1]) || !escaped.MatchString(tokens[3]) {
				t.Fatalf("RejectedSubject(%q, %q) = %q", app, verb, s)
			}
		}
	}
}

func TestCheckAnswerToken(t *testing.T) {
	most := strings.Repeat("x", 64)
	for _, c := range []struct {
		token string
		good  bool
	}{
		{"t7", true},
		{"p1.t7", true},
		{"_-A9", true},
		{most, true},
		{most + "." + most, true},
		{"", false},
		{".", false},
		{"t7.", false},
		{".t7", false},
		{"a.b.c", false},
		{"a..b", false},
		{most + "x", false},
		{"a." + most + "x", false},
		{"*", false},
		{"a.*", false},
		{">", false},
		{"a.>", false},
		{"a b", false},
		{"a.b\n", false},
		{"a=2E", false},
		{"é", false},
		{"\xff", false},
		{strings.Repeat("a.", 5000), false},
	} {
		checkVerdict(t, "CheckAnswerToken", events.CheckAnswerToken(c.token), c.token, c.good, events.HeaderAnswer, "64")
	}
}

func FuzzParseCommandSubject(f *testing.F) {
	for _, s := range []string{
		"", ".", "....", "ringline.demo.cmd.c1.ring", "ringline.demo.cmd.c1.dance", "ringline..cmd..", "ringline.*.cmd.>.ring",
		"ringline.demo.cmd.c1.ring.", "ringline.d\x00.cmd.c1.ring", "ringline.demo.cmd.c1.\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := events.ParseCommandSubject(s)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if back := events.CommandSubject(a.App, a.CallID, a.Verb); back != s {
			t.Fatalf("%q is %+v, which is %q", s, a, back)
		}
	})
}
