package call_test

import (
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// TestRulesOfTheModel: each rule of tests/model that concerns take, drop and seen holds here, and its counterexample does not.
// The words are those of the decision table. tests/faults/defects has a defect for each rule, with the name of the rule, that this
// test finds. The one of add-names is in worker/coordinator, and its test finds it.
func TestRulesOfTheModel(t *testing.T) {
	const (
		takes   = accepts + "\n3s bob/tablet take"
		retakes = takes + "\n4s bob/phone take"
		rejoins = group + accepts + "\n3s bob/phone leave\n4s dan/phone add bob\n5s bob/phone accept"
		readds  = group + declines + "\n3s dan/phone add bob"
		partly  = oneToOne + "\n1s ann/laptop add bob,eve seen=1 id=k0"
		again   = "9s ann/laptop add bob,eve seen=1 id=k0"
	)
	for _, c := range []struct {
		rule, defect string
		tries        []try
	}{
		{"hangup-seen", "outdated returns false: a hang-up of another device always counts", []try{
			{"device 2 declines with leave while device 1 accepts", oneToOne + accepts, "9s bob/tablet leave seen=1", "elsewhere"},
			{"and in that attempt", oneToOne + accepts, "9s bob/tablet leave seen=1 attempt=1", "elsewhere"},
			{"device 1 hangs up while device 2 takes", oneToOne + takes, "9s bob/phone leave seen=2", "elsewhere"},
			{"the caller ends while another device takes", oneToOne + "\n1s ann/phone take", "9s ann/laptop end seen=1", "elsewhere"},
			{"the caller cancels while another device takes", oneToOne + "\n1s ann/phone take", "9s ann/laptop cancel seen=1", "elsewhere"},
			{"the caller leaves while another device takes", oneToOne + "\n1s ann/phone take", "9s ann/laptop leave seen=1", "elsewhere"},
			{"a participant cancels while another device takes", group + "\n3s dan/tablet take", "9s dan/phone cancel seen=5", "elsewhere"},
			{"without seen it counts as before", oneToOne + accepts, "9s bob/tablet leave", "left!"},
			{"a leave that declined an earlier attempt", readds, "9s bob/phone leave seen=5", "gone"},
			{"a leave that declines the attempt that it saw", readds, "9s bob/phone leave seen=7", "declined"},
		}},
		{"hangup-remote", "outdated ignores changed_seq: a hang-up of another device never counts", []try{
			{"a third device that has seen the joining", oneToOne + takes, "9s bob/watch leave seen=3", "left!"},
			{"the first device, which has seen the take", oneToOne + takes, "9s bob/phone leave seen=3", "left!"},
			{"the caller's other device", oneToOne + "\n1s ann/phone take", "9s ann/laptop end seen=2", "ended!"},
		}},
		{"hangup-own", "outdated ignores the device: the sender must have seen the joining", []try{
			{"the device accepts and hangs up before it has the answer", oneToOne + accepts, "9s bob/phone leave seen=1", "left!"},
			{"the device takes and hangs up before it has the answer", oneToOne + takes, "9s bob/tablet leave seen=2", "left!"},
			{"the caller's device takes and ends", oneToOne + "\n1s ann/phone take", "9s ann/phone end seen=1", "ended!"},
		}},
		{"take-seen", "take does not check outdated", []try{
			{"two devices take", oneToOne + takes, "9s bob/watch take seen=2", "elsewhere"},
			{"a take of the caller", oneToOne + "\n1s ann/phone take", "9s ann/watch take seen=1", "elsewhere"},
			{"a take that has seen the other", oneToOne + takes, "9s bob/watch take seen=3", "taken"},
			{"a take without seen", oneToOne + takes, "9s bob/watch take", "taken"},
			{"a take of the device that is in", oneToOne + takes, "9s bob/tablet take seen=2", "-"},
		}},
		{"cancel-seen", "cancel ignores changed_seq", []try{
			{"an attempt that began since", readds, "9s dan/phone cancel bob seen=5", "gone"},
			{"the attempt that it saw", readds, "9s dan/phone cancel bob seen=7", "canceled"},
			{"a service's too", readds, "9s service:desk cancel bob seen=5", "gone"},
			{"ringing changes no attempt", oneToOne + rings, "9s ann/laptop cancel bob seen=1", "canceled!"},
			{"without names it concerns all (cancel-add)", readds, "9s dan/phone cancel seen=5", "canceled"},
		}},
		{"add-seen", "add ignores changed_seq", []try{
			{"a callee who declined since", group + declines, "9s dan/phone add bob seen=5", "exists"},
			{"a callee who declined before", group + declines, "9s dan/phone add bob seen=6", "added"},
			{"a new callee", group + declines, "9s dan/phone add gil seen=1", "added"},
			{"a new callee, and one who declined since", group + declines, "9s dan/phone add bob,gil seen=5", "added, bob exists"},
			{"a callee who was invited since", readds, "9s dan/phone add bob seen=5", "exists"},
			{"a callee that another user added since, and that declined", oneToOne + accepts + "\n3s bob/phone add eve seen=2\n4s eve/phone decline", "9s ann/laptop add eve,bob seen=2", "exists"},
			{"a callee who joined since", oneToOne + accepts, "9s ann/laptop add bob seen=1", "exists"},
		}},
		{"add-names", "the answer to a repeat is derived from the present call and its memory", []try{
			{"one rings, the other is invited", oneToOne, "9s ann/laptop add bob,eve seen=1", "added, bob exists"},
			{"a repeat", partly, again, "repeat of 2, bob exists"},
			{"after the other declined and was added again", partly + "\n2s eve/phone decline\n3s ann/laptop add eve seen=3", again, "repeat of 2, bob exists"},
			{"after the refused one declined and was added", partly + "\n2s bob/phone decline\n3s ann/laptop add bob seen=3", again, "repeat of 2, bob exists"},
			{"after the end", partly + "\n2s ann/laptop end", again, "repeat of 2, bob exists"},
			{"the caller", oneToOne + accepts, "9s bob/phone add ann,eve", "added, ann invalid"},
			{"the caller and the sender", oneToOne + accepts, "9s bob/phone add bob,ann,eve", "added, bob exists, ann invalid"},
			{"none is left, the first is in the call", oneToOne + accepts, "9s bob/phone add bob,ann", "exists"},
			{"none is left, the first is the caller", oneToOne + accepts, "9s bob/phone add ann,bob", "invalid"},
			{"as many as a call may have, without the refused", "0s ann/laptop invite " + crowd(2, 50) + " voice", "1s ann/laptop add u2,u51,ann", "added, u2 exists, ann invalid"},
		}},
		{"drop-join", "isGone ignores changed_seq: user and device are the same", []try{
			{"the call went to device 2 and back", oneToOne + retakes, "9s service:presence drop bob/phone seen=3", "-"},
			{"judged in the present joining", oneToOne + retakes, "9s service:presence drop bob/phone seen=4", "left!"},
			{"the user left and joined again", rejoins, "9s service:presence drop bob/phone seen=8", "-"},
			{"judged after they joined again", rejoins, "9s service:presence drop bob/phone seen=9", "left"},
			{"the caller took the call back", oneToOne + accepts + "\n3s ann/phone take\n4s ann/laptop take", "9s service:presence drop ann/laptop seen=3", "-"},
			{"another device", oneToOne + takes, "9s service:presence drop bob/phone seen=3", "-"},
		}},
		{"drop-phase", "isGone ignores the first answer", []try{
			{"judged while it rang, answered since", oneToOne + accepts, "9s service:presence drop ann/laptop seen=1", "-"},
			{"judged in the active call", oneToOne + accepts, "9s service:presence drop ann/laptop seen=2", "left!"},
			{"judged while it rings", oneToOne + rings, "9s service:presence drop ann/laptop seen=2", "canceled!"},
			{"a pending callee is never dropped", oneToOne + rings, "9s service:presence drop bob/phone seen=2", "-"},
		}},
		{"drop-fresh", "drop ignores the time", []try{
			{"10 s old", oneToOne + accepts, "9s service:presence drop bob/phone seen=2 handled=19s", "left!"},
			{"older", oneToOne + accepts, "9s service:presence drop bob/phone seen=2 handled=19.001s", "-"},
		}},
		{"fence-unknown", "withoutCall handles take or drop like leave", []try{
			{"a take does not take an id out of use", "", "1s ann/laptop take handled=9s", "unknown"},
			{"nor does a drop", "", "1s service:presence drop ann/laptop seen=1 handled=9s", "unknown"},
		}},
	} {
		for _, x := range c.tries {
			if got := x.word(t); got != x.want {
				t.Errorf("%s: %s: %s, want %s (defect: %s)", c.rule, x.what, got, x.want, c.defect)
			}
		}
	}
}

// try is a command in a call that a script has made, with the word of its outcome.
type try struct{ what, script, command, want string }

func (x try) word(t *testing.T) string {
	t.Helper()
	s := newStage()
	s.play(t, x.script)
	l, refused := s.read(t, x.command)
	if refused != nil {
		t.Fatalf("%s: %v", x.command, refused)
	}
	o := s.decide(l)
	list := []string{word(t, o, s.last)}
	for _, r := range call.Refused(l.cmd, s.madeBy(o)) {
		list = append(list, r.UserID+" "+word(t, call.Refuse{Err: &events.Error{Code: r.Code, Message: "-"}}, s.last))
	}
	return strings.Join(list, ", ")
}

// madeBy returns the transition of an outcome that is ok, or the zero transition if there is none.
func (s *stage) madeBy(o call.Outcome) events.Transition {
	switch o := o.(type) {
	case call.Write:
		return o.Transition
	case call.Keep:
		if o.Made > 0 {
			return s.log[o.Made-1]
		}
	case call.Refuse, call.Wait:
	}
	return events.Transition{}
}

// crowd lists the users from u<first> to u<last>.
func crowd(first, last int) string {
	var users []string
	for i := first; i <= last; i++ {
		users = append(users, "u"+itoa(i))
	}
	return strings.Join(users, ",")
}

// TestDropNeedsNoMemory: a call does not remember a drop, because a drop that is delivered again finds that its party is out.
func TestDropNeedsNoMemory(t *testing.T) {
	s := newStage()
	s.play(t, group+accepts+"\n3s service:presence drop bob/phone seen=6 id=k0")
	if len(s.last.Commands) != 6 || s.last.Event != events.EventLeft {
		t.Errorf("%s remembers %v", s.last.Event, s.last.Commands)
	}
	again, _ := s.read(t, "4s service:presence drop bob/phone seen=6 id=k0")
	if k, ok := s.decide(again).(call.Keep); !ok || k.Made != 0 || !call.MadeBy(s.last, again.cmd) {
		t.Errorf("again: %#v, made by it: %t", s.decide(again), call.MadeBy(s.last, again.cmd))
	}
}

// TestFormat1: a call of format 1 has no changed_seq. It can't be taken, a hang-up counts whatever its sender has seen, and a
// drop takes out a party as their leave does.
func TestFormat1(t *testing.T) {
	first := func(script string) *stage {
		s := newStage()
		s.play(t, script)
		s.last.Format = 1
		s.last = reread(t, call.Write{Transition: s.last, At: s.last.Call.CreatedAt})
		return s
	}
	s := first(group + accepts)
	for command, want := range map[string]string{
		"9s bob/tablet take":                               "invalid",
		"9s bob/phone take":                                "-",
		"9s bob/tablet leave seen=1":                       "left",
		"9s service:presence drop bob/phone seen=6":        "left",
		"9s service:presence drop bob/phone seen=1":        "-",
		"9s eve/phone add gil seen=1 via=session":          "added",
		"9s service:presence drop ann/laptop seen=6":       "left",
		"9s service:presence drop bob/tablet seen=6":       "-",
		"9s service:presence drop ann/laptop seen=6 id=k9": "left",
	} {
		l, refused := s.read(t, command)
		if refused != nil {
			t.Fatal(refused)
		}
		o := s.decide(l)
		if got := word(t, o, s.last); got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
		w, ok := o.(call.Write)
		if !ok {
			continue
		}
		w.Transition.Format = 1
		if now := w.Transition; now.Call.Caller != reread(t, w).Call.Caller || now.Call.Caller.Reason != "" {
			t.Errorf("%s: caller %+v", command, now.Call.Caller)
		}
		for _, x := range w.Transition.Call.Callees {
			if x.ChangedSeq != 0 || x.Watched || x.Reason == events.ReasonLost {
				t.Errorf("%s: callee %+v", command, x)
			}
		}
	}
}
