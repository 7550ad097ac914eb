package call_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// The table of decisions. A scene is a state of bob, a row is a sender, and a column is a verb. A cell is the event of the
// transition (with a ! if it ends the call), or
//
//	-          ok, nothing changes        unknown    not_found
//	denied     permission_denied          wait       nak'ed with a delay, it may have overtaken its invitation
//	invalid    invalid_argument           fence      not_found, and the id is written as ended
//	exists     already_exists             elsewhere  answered_elsewhere
//	over       call_ended                 gone       not_pending
//	none       the sender is not possible in the scene
//
// The cells are derived from CONTRACT section 2, not from the code. `add` invites gil, who is not in the call. `readd` and
// `cancel` name bob. `invite` uses the call's id for an invitation of gil. `drop` names bob with the phone. A `take`
// needs a device: that of bob without one is sent from a third device.

// column is a command of the table.
type column struct{ name, args string }

// columns lists the commands of the table: every verb, in the order of events.Verbs, and readd after add.
func columns() []column {
	args := map[events.Verb]string{events.VerbInvite: "gil voice", events.VerbAdd: "gil", events.VerbCancel: "bob", events.VerbDrop: "bob/phone seen=99"}
	var list []column
	for _, v := range events.Verbs() {
		list = append(list, column{string(v), args[v]})
		if v == events.VerbAdd {
			list = append(list, column{"readd", "bob"})
		}
	}
	return list
}

func (c column) String() string { return c.name }

// senders are the rows. "ann,left" is the caller after she left a call that continued. "ann" is the caller in the call. All
// other senders are tried both with and without her in the call, because that makes no difference to them.
var senders = []string{"bob/phone", "bob/tablet", "bob", "ann", "ann,left", "eve", "dan", "mal", "desk", "timeouts", "presence"}

// as returns a sender in the notation of scripts.
func as(sender string) string {
	switch sender {
	case "ann", "ann,left":
		return "ann/laptop"
	case "eve", "dan", "mal":
		return sender + "/phone"
	case "desk", "timeouts", "presence":
		return "service:" + sender
	}
	return sender
}

// scene is a script that brings a call into a state, and the table of the outcomes in that state.
type scene struct {
	name    string
	script  string // commands that lead to the state
	ended   bool   // then the desk ends the call
	fenced  bool   // then the call is moved past a stale claim
	at, now string // when the command is stored and handled; default 3s
	table   string
}

// Two ways to begin: ann calls bob only; or ann calls eve, dan and fay, all answer, and dan adds bob. In the second, the call
// continues whichever party leaves next.
const (
	oneToOne = "0s ann/laptop invite bob voice"
	group    = `0s ann/laptop invite eve,dan,fay voice
	            1s eve/phone accept
	            1s dan/phone accept
	            1s fay/phone accept
	            2s dan/phone add bob`
)

// takenOut is a hang-up that is 5 s old and finds no call.
const takenOut = "0s ann/laptop cancel handled=5s"

// Commands that bring bob into a state, after either beginning.
const (
	lineBusy   = " busy=bob" // added to the command that invites bob
	rings      = "\n2s bob/phone ring"
	accepts    = "\n2s bob/phone accept"
	acceptsBy  = "\n2s bob accept" // without a device
	leaves     = accepts + "\n2.5s bob/phone leave"
	declines   = "\n2s bob/phone decline"
	isBusy     = "\n2s bob/phone decline busy"
	isCanceled = "\n2s dan/phone cancel bob"
	timesOut   = "\n2s bob/phone ring\n62s timer expire c1.5"
)

func TestDecideTable(t *testing.T) {
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			cells := readTable(t, sc.table)
			for _, from := range senders {
				for _, col := range columns() {
					want := cells[from][col.name]
					for _, left := range sc.variants(from) {
						if got := sc.try(t, from, left, col.name, col.args); got != want {
							t.Errorf("%s by %s (caller left: %t): %s, want %s", col.name, from, left, got, want)
						}
					}
				}
			}
		})
	}
}

// TestDecideAfterFence: a fence changes the outcome of no command.
func TestDecideAfterFence(t *testing.T) {
	for _, sc := range scenes() {
		s := newStage()
		s.play(t, sc.script)
		if sc.fenced = s.last.Call.State == events.CallStateRinging || s.last.Call.State == events.CallStateActive; !sc.fenced || sc.ended {
			continue
		}
		cells := readTable(t, sc.table)
		for _, from := range senders {
			for _, col := range columns() {
				if got, want := sc.try(t, from, from == "ann,left", col.name, col.args), cells[from][col.name]; got != want {
					t.Errorf("%s: %s by %s: %s, want %s", sc.name, col.name, from, got, want)
				}
			}
		}
	}
}

// TestDecideAnotherAttempt: with the present attempt, all outcomes are those of the table. With another attempt they are
// not_pending, in any state of the present attempt.
func TestDecideAnotherAttempt(t *testing.T) {
	for _, sc := range scenes() {
		cells := readTable(t, sc.table)
		for _, from := range []string{"bob/phone", "bob/tablet", "bob"} {
			for _, v := range events.Verbs() {
				verb := string(v)
				if !v.Has("attempt") {
					continue
				}
				want := cells[from][verb]
				if got := sc.try(t, from, false, verb, "attempt=1"); got != want {
					t.Errorf("%s: %s by %s in attempt 1: %s, want %s", sc.name, verb, from, got, want)
				}
				if want != "over" && want != "unknown" && want != "wait" && want != "fence" {
					want = "gone"
				}
				if got := sc.try(t, from, false, verb, "attempt=2"); got != want {
					t.Errorf("%s: %s by %s in attempt 2: %s, want %s", sc.name, verb, from, got, want)
				}
			}
		}
	}
}

// variants lists the values of "the caller has left" with which the sender is tried.
func (sc scene) variants(from string) []bool {
	switch {
	case from == "ann":
		return []bool{false}
	case from == "ann,left":
		return []bool{true}
	case strings.HasPrefix(sc.script, group):
		return []bool{false, true}
	}
	return []bool{false}
}

// try sets the scene, decides the command, and returns the word of the table for the outcome.
func (sc scene) try(t *testing.T, from string, left bool, column, args string) string {
	t.Helper()
	s := newStage()
	s.play(t, sc.script)
	if left {
		if s.last.Seq == 0 || s.last.Call.State != events.CallStateActive {
			return "none" // her leave cancels everything
		}
		s.play(t, "2.9s ann/laptop leave")
		if s.last.Call.State == events.CallStateEnded {
			return "none"
		}
	}
	if sc.ended {
		s.play(t, "2.9s service:desk end")
	}
	if sc.fenced {
		s.fence(t, "c1", s.readOn(t, "2.9s zoe invite yan voice call=c9"))
	}
	verb := column
	if column == "take" && from == "bob" {
		from += "/watch" // a third device
	}
	if column == "readd" {
		verb = "add"
	}
	at := orElse(sc.at, "3s")
	l, refused := s.read(t, strings.Join([]string{at, as(from), verb, args, "handled=" + orElse(sc.now, at)}, " "))
	if refused != nil {
		bad, ok := errors.AsType[*events.Error](refused)
		if !ok {
			t.Fatalf("%s: %v", verb, refused)
		}
		return word(t, call.Refuse{Err: bad}, s.last)
	}
	return word(t, s.decide(l), s.last)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// word returns the word of the table for an outcome.
func word(t *testing.T, o call.Outcome, before events.Transition) string {
	t.Helper()
	codes := map[events.Code]string{
		events.CodePermissionDenied: "denied", events.CodeInvalidArgument: "invalid", events.CodeAlreadyExists: "exists",
		events.CodeCallEnded: "over", events.CodeNotFound: "unknown", events.CodeAnsweredElsewhere: "elsewhere",
		events.CodeNotPending: "gone",
	}
	switch o := o.(type) {
	case call.Write:
		return written(o, before)
	case call.Keep:
		if o.Made != 0 {
			return fmt.Sprintf("repeat of %d", o.Made)
		}
		return "-"
	case call.Refuse:
		if o.Err.Message == "" {
			t.Errorf("%s without a message", o.Err.Code)
		}
		return codes[o.Err.Code]
	case call.Wait:
		if !o.Until.After(start) || o.Why == "" {
			t.Errorf("waits for nothing: %+v", o)
		}
		return map[call.WaitReason]string{call.WaitForInvitation: "wait", call.WaitForDeadline: "early"}[o.Why]
	}
	return "nothing"
}

func written(w call.Write, before events.Transition) string {
	switch {
	case w.Transition.Seq != before.Seq+1:
		return fmt.Sprintf("seq %d after %d", w.Transition.Seq, before.Seq)
	case w.Err == nil && w.Transition.Call.State == events.CallStateEnded:
		return string(w.Transition.Event) + "!"
	case w.Err == nil:
		return string(w.Transition.Event)
	case w.Err.Code == events.CodeNotFound && w.Transition.Event == events.EventFenced &&
		w.Transition.Call.EndReason == events.EndFailed:
		return "fence"
	}
	return "written with " + string(w.Err.Code)
}

// readTable reads the cells of a scene, by sender and verb. Several senders may share a row. A missing, repeated or unknown row
// or cell fails the test.
func readTable(t *testing.T, table string) map[string]map[string]string {
	t.Helper()
	columns, cells := columns(), map[string]map[string]string{}
	for row := range strings.Lines(strings.TrimSpace(table)) {
		who, words, _ := strings.Cut(row, "|")
		fields := strings.Fields(words)
		if len(fields) != len(columns) {
			t.Fatalf("%d cells, want one for each of %v: %s", len(fields), columns, row)
		}
		for from := range strings.FieldsSeq(who) {
			if !slices.Contains(senders, from) || cells[from] != nil {
				t.Fatalf("%q is unknown or has two rows: %s", from, row)
			}
			cells[from] = map[string]string{}
			for i, col := range columns {
				cells[from][col.name] = fields[i]
			}
		}
	}
	for _, from := range senders {
		if cells[from] == nil {
			t.Fatalf("no row for %s", from)
		}
	}
	return cells
}

// TestDecideTableIsComplete: every state of a callee and of a call has a scene. readTable checks that every verb has a column.
func TestDecideTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, sc := range scenes() {
		s := newStage()
		s.play(t, sc.script)
		if sc.ended {
			s.play(t, "2.9s service:desk end")
		}
		seen[string(s.last.Call.State)] = true
		if x := s.last.Call.Callee("bob"); x != nil && s.last.Call.State != events.CallStateEnded {
			seen["bob "+string(x.State)] = true
		}
		seen["device "+fmt.Sprint(s.last.Seq > 0 && s.last.Call.Callee("bob") != nil && s.last.Call.Callee("bob").DeviceID != "")] = true
	}
	for _, state := range events.PartyStates() {
		if state != events.StateIn && !seen["bob "+string(state)] {
			t.Errorf("no scene of an open call in which bob is %s", state)
		}
	}
	for _, state := range []events.CallState{"", events.CallStateRinging, events.CallStateActive, events.CallStateEnded} {
		if !seen[string(state)] {
			t.Errorf("no scene of a call that is %q", state)
		}
	}
}

// TestDecideTimes: decisions at and around each time limit.
func TestDecideTimes(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name, script, command, want string
	}{
		{"hang-up just under 5 s old", "", "1s ann cancel handled=5.999s", "wait"},
		{"hang-up 5 s old", "", "1s ann cancel handled=6s", "fence"},
		{"invitation 60 s old", "", "1s ann invite bob voice timeout=90 handled=61s", "invited"},
		{"invitation over 60 s old", "", "1s ann invite bob voice timeout=90 handled=61.001s", "invited!"},
		{"invitation as old as its ring timeout", "", "1s ann invite bob voice timeout=10 handled=11s", "invited"},
		{"invitation older than its ring timeout", "", "1s ann invite bob voice timeout=10 handled=11.001s", "invited!"},
		{"drop 10 s old", oneToOne + accepts, "3s service:presence drop bob/phone seen=2 handled=13s", "left!"},
		{"drop over 10 s old", oneToOne + accepts, "3s service:presence drop bob/phone seen=2 handled=13.001s", "-"},
		{"other commands however old", oneToOne, "1s bob accept handled=3h", "accepted"},
		{"deadline just not reached", oneToOne, "59.999s timer expire c1.1", "early"},
		{"deadline reached", oneToOne, "60s timer expire c1.1", "timed_out!"},
		{"deadline reached by the worker's clock alone", oneToOne, "59s timer expire c1.1 handled=60s", "timed_out!"},
		{"maximum just not reached", oneToOne + accepts, "43199.999s timer expire c1.2", "early"},
		{"maximum reached", oneToOne + accepts, "12h timer expire c1.2", "ended!"},
	} {
		s := newStage()
		s.play(t, c.script)
		l, refused := s.read(t, c.command)
		if refused != nil {
			t.Fatal(refused)
		}
		if got := word(t, s.decide(l), s.last); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	s := newStage()
	l, _ := s.read(t, "0s ann invite bob voice timeout=1")
	l.at, l.now = 7*ms+1, 7*ms+1
	c := s.decide(l).(call.Write).Transition.Call
	if got := c.CreatedAt; got != events.TimeOf(start.Add(7*ms)) {
		t.Errorf("created at %v: not cut", got)
	}
	if got := c.Callees[0].RingDeadline; got != events.TimeOf(start.Add(1008*ms)) {
		t.Errorf("deadline %v: not rounded up", got)
	}
}
