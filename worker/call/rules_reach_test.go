package call_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// TestReachRulesOfTheModel: each rule of tests/model that concerns reach deadlines holds here, and so do its scenarios reach*. The
// app's reach_s is 5. A result is the word of the outcome, then each callee with their reason or state, then the deadlines of the
// call. tests/faults/defects has a defect for each rule, with the name of the rule, that this test finds, or TestNotReached in
// worker/coordinator.
func TestReachRulesOfTheModel(t *testing.T) {
	const (
		alone   = "0s ann/laptop invite bob voice"
		both    = "0s ann/laptop invite bob,eve voice"
		confirm = "\n1s bob/phone ring"
		readds  = both + "\n2s bob/phone decline\n3s ann/laptop add bob"
	)
	for _, c := range []struct {
		rule  string
		tries []try
	}{
		{"reach-id", []try{
			{"one invitation makes two deadlines", "", both, "invited bob:invited eve:invited 1.reach@5s 1@60s"},
			{"its two expires are two commands", both + confirm + "\n5s timer expire c1.1.reach", "60s timer expire c1.1", "timed_out! bob:timed_out eve:not_reached"},
			{"an early one waits for its own deadline", alone, "4.999s timer expire c1.1.reach", "early bob:invited 1.reach@5s 1@60s"},
			{"and not for the other one", alone, "5s timer expire c1.1.reach", "timed_out! bob:not_reached"},
			{"the ring deadline is early at the reach deadline", alone, "5s timer expire c1.1", "early bob:invited 1.reach@5s 1@60s"},
		}},
		{"reach-handled", []try{
			{"an invitation that waited (reach-late)", "", alone + " handled=20s", "invited bob:invited 1.reach@25s 1@60s"},
			{"is not due at once", alone + " handled=20s", "20s timer expire c1.1.reach", "early bob:invited 1.reach@25s 1@60s"},
			{"an add that waited", both + "\n1s eve/phone accept", "2s ann/laptop add gil handled=12s", "added bob:invited eve:accepted gil:invited 1.reach@5s 1@60s 3.reach@17s 3@62s 2@43200s"},
			{"by a clock that is behind", "", "10s ann/laptop invite bob voice handled=9s", "invited bob:invited 1.reach@15s 1@70s"},
			{"an aged invitation rings nowhere (reach-aged)", "", alone + " handled=61s", "invited! bob:timed_out"},
		}},
		{"reach-cut", []try{
			{"never after the ring deadline", "", alone + " timeout=3", "invited bob:invited 1.reach@3s 1@3s"},
			{"counted from when it is handled", "", alone + " timeout=22 handled=20s", "invited bob:invited 1.reach@22s 1@22s"},
		}},
		{"reach-rang", []try{
			{"ring removes the deadline (reach)", alone, "1s bob/phone ring", "ringing bob:ringing 1@60s"},
			{"an expire that still comes changes nothing", alone + confirm, "5s timer expire c1.1.reach", "- bob:ringing 1@60s"},
			{"a ring after the deadline counts until the expire", alone + "\n6s bob/phone ring", "7s timer expire c1.1.reach", "- bob:ringing 1@60s"},
			{"the callee who rang times out", alone + confirm, "60s timer expire c1.1", "timed_out! bob:timed_out"},
			{"an accept without ring (reach-accept)", alone, "1s bob/phone accept", "accepted bob:accepted 2@43200s"},
			{"after it an expire changes nothing", alone + "\n1s bob/phone accept", "5s timer expire c1.1.reach", "- bob:accepted 2@43200s"},
			{"a ring that is too late", alone + "\n5s timer expire c1.1.reach", "6s bob/phone ring", "over bob:not_reached"},
			{"an accept that is too late", both + "\n5s eve/phone ring\n5s timer expire c1.1.reach", "6s bob/phone accept", "gone bob:not_reached eve:ringing 1@60s"},
		}},
		{"reach-group", []try{
			{"one of two confirms: the deadline stays", both, "1s bob/phone ring", "ringing bob:ringing eve:invited 1@60s 1.reach@5s"},
			{"and takes out the other", both + confirm, "5s timer expire c1.1.reach", "timed_out bob:ringing eve:not_reached 1@60s"},
			{"both confirm", both + confirm, "2s eve/phone ring", "ringing bob:ringing eve:ringing 1@60s"},
			{"one confirms, the other declines", both + confirm, "2s eve/phone decline", "declined bob:ringing eve:declined 1@60s"},
		}},
		{"reach-both", []try{
			{"both deadlines have passed", alone, "61s timer expire c1.1.reach", "timed_out! bob:not_reached"},
			{"whichever expire comes", alone, "61s timer expire c1.1", "timed_out! bob:not_reached"},
			{"at one time", alone + " timeout=3", "3s timer expire c1.1", "timed_out! bob:not_reached"},
		}},
		{"reach-readd", []try{
			{"a new attempt has new deadlines", both + "\n2s bob/phone decline", "3s ann/laptop add bob", "added bob:invited eve:invited 3.reach@8s 3@63s 1.reach@5s 1@60s"},
			{"the old ones do not concern it", readds, "5s timer expire c1.1.reach", "timed_out bob:invited eve:not_reached 3.reach@8s 3@63s"},
			{"a ring of the new attempt", readds, "4s bob/phone ring", "ringing bob:ringing eve:invited 3@63s 1.reach@5s 1@60s"},
			{"after not reached", both + confirm + "\n5s timer expire c1.1.reach", "9s ann/laptop add eve", "added bob:ringing eve:invited 1@60s 4.reach@14s 4@69s"},
		}},
		{"reach-line", []try{
			{"a busy callee is not to be reached", "", both + " busy=bob", "invited bob:line_busy eve:invited 1.reach@5s 1@60s"},
			{"nor one whose caller is busy", "", alone + " line=full", "written with caller_busy bob:ended"},
		}},
	} {
		for _, x := range c.tries {
			if got := x.result(t, 5*time.Second); got != x.want {
				t.Errorf("%s: %s: %s\nwant %s", c.rule, x.what, got, x.want)
			}
		}
	}
	off := try{script: "", command: both}
	if got, want := off.result(t, 0), "invited bob:invited eve:invited 1@60s"; got != want {
		t.Errorf("without reach_s: %s\nwant %s", got, want)
	}
}

// result plays the command in an app with this reach_s. It returns the word of the outcome, the callees and the deadlines.
func (x try) result(t *testing.T, reach time.Duration) string {
	t.Helper()
	s := newStage()
	s.limits.Reach = reach
	s.play(t, x.script)
	l, refused := s.read(t, x.command)
	if refused != nil {
		t.Fatalf("%s: %v", x.command, refused)
	}
	before := s.last
	words := []string{word(t, s.do(t, l), before)}
	for _, c := range s.last.Call.Callees {
		words = append(words, c.UserID+":"+cmp.Or(string(c.Reason), string(c.State)))
		if waits := c.Pending() || c.State == events.StateAccepted; s.last.Call.On(c.UserID) != waits {
			t.Errorf("%s: the line of %s, who is %s, is theirs: %t", x.what, c.UserID, c.State, waits)
		}
	}
	for _, d := range call.Deadlines(s.last) {
		words = append(words, fmt.Sprintf("%d%s@%s", d.Seq, in(".", string(d.Kind), ""), since(d.At.Time())))
	}
	return strings.Join(words, " ")
}

// TestFormat1HasNoReachDeadline: a callee who is added to a call of format 1 has no reach deadline.
func TestFormat1HasNoReachDeadline(t *testing.T) {
	s := newStage()
	s.play(t, group+accepts)
	s.last.Format = 1
	s.limits.Reach = 5 * time.Second
	l, _ := s.read(t, "9s eve/phone add gil")
	s.do(t, l)
	for _, d := range call.Deadlines(s.last) {
		if d.Kind != "" {
			t.Errorf("deadline %v", d)
		}
	}
	if x := s.last.Call.Callee("gil"); x == nil || x.ReachDeadline != 0 {
		t.Errorf("%+v", x)
	}
}
