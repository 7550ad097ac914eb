package quota_test

import (
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/quota"
)

// A command that was passed on and then refused counts as ten, so that a flood is refused where it arrives. An app that sends
// slightly too much still gets its whole quota, and never waits longer than a second.
func TestRefusedCommandsCount(t *testing.T) {
	t.Parallel()
	l := quota.LimitsOf(events.AppSettings{CommandsPerS: 500})
	hangUp := command("demo", events.VerbEnd, "ann")
	limited := events.Refusal("", events.Errorf(events.CodeRateLimited, "x"))
	unknown := events.Refusal("", events.Errorf(events.CodeNotFound, "x"))
	ok, ended := events.Answer{OK: true}, events.Refusal("", events.Errorf(events.CodeCallEnded, "x"))
	for _, x := range []struct {
		name     string
		answer   func(passed int) events.Answer
		from, to int // how many of 1,000 per second are passed on, in each second
	}{
		{"all right", func(int) events.Answer { return ok }, 500, 501},
		{"too late", func(int) events.Answer { return ended }, 500, 501},
		{"all refused", func(int) events.Answer { return limited }, 49, 51},
		{"no call found", func(int) events.Answer { return unknown }, 49, 51},
		{"every tenth refused", func(passed int) events.Answer {
			if passed%10 == 0 {
				return limited
			}
			return ok
		}, 250, 300},
	} {
		q, passed, before := quota.New(alone), 0, 0
		for i := range 10_000 {
			at := start.Add(time.Duration(i) * time.Millisecond)
			if q.Ask(at, l, hangUp, 100) == nil {
				passed++
				q.PassedOn(at, hangUp)
				q.Answered(at, l, hangUp, x.answer(passed))
			}
			if i%1000 != 999 {
				continue
			}
			if n := passed - before; i > 2000 && (n < x.from || n > x.to) {
				t.Errorf("%s: %d were passed on in second %d, want %d to %d", x.name, n, i/1000, x.from, x.to)
			}
			before = passed
		}
	}
	q := quota.New(alone)
	for range 500 { // at once, and answered later
		if bad := q.Ask(start, l, hangUp, 100); bad != nil {
			t.Fatal(bad)
		}
	}
	for range 500 {
		q.Answered(start, l, hangUp, limited)
	}
	if q.Ask(start.Add(time.Second), l, hangUp, 100) == nil {
		t.Error("it owes nothing for 500 commands that were refused")
	}
	if bad := q.Ask(start.Add(1010*time.Millisecond), l, hangUp, 100); bad != nil {
		t.Errorf("it still owes after a second: %v", bad)
	}
}

// The number of unanswered commands is limited. Otherwise commands that are stored faster than they are handled would wait
// longer than their senders do.
func TestUnansweredCommands(t *testing.T) {
	t.Parallel()
	q, l := quota.New(alone), quota.LimitsOf(events.AppSettings{CommandsPerS: 500})
	hangUp, other := command("demo", events.VerbEnd, "ann"), command("other", events.VerbEnd, "ann")
	at, passed := start, 0
	for range 4000 {
		at = at.Add(2 * time.Millisecond)
		if q.Ask(at, l, hangUp, 100) == nil {
			q.PassedOn(at, hangUp)
			passed++
		}
	}
	if passed != 250 {
		t.Errorf("%d commands are unanswered, want those of half a second", passed)
	}
	if bad := q.Ask(at, l, hangUp, 100); bad == nil || !strings.Contains(bad.Error(), "app demo has 250 unanswered commands in flight") {
		t.Errorf("refused with %v", bad)
	}
	if bad := q.Ask(at, l, other, 100); bad != nil {
		t.Errorf("another app: %v", bad)
	}
	q.Answered(at, l, hangUp, events.Refusal("", events.Errorf(events.CodeUnavailable, "x")))
	if bad := q.Ask(at, l, hangUp, 100); bad != nil {
		t.Errorf("after an answer: %v", bad)
	}
}

// A request is charged for what it has read. An app with many open calls may list them less often.
func TestCostOfReads(t *testing.T) {
	t.Parallel()
	q, l := quota.New(alone), quota.LimitsOf(events.AppSettings{CommandsPerS: 500})
	if bad := q.Read(start, l, "demo", 100); bad != nil {
		t.Fatal(bad)
	}
	q.HasRead(start, l, "demo", 1000) // it had 500
	if bad := q.Read(start.Add(1200*time.Millisecond), l, "demo", 1); bad == nil {
		t.Error("it may read on, and has read more than in a second")
	}
	if bad := q.Read(start.Add(1300*time.Millisecond), l, "demo", 1); bad != nil {
		t.Errorf("later: %v", bad)
	}
	if bad := q.Read(start, l, "other", 1); bad != nil {
		t.Errorf("another app: %v", bad)
	}
}
