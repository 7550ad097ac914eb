package call_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/worker/call"
)

var update = flag.Bool("update", false, "write what the scenario files of testdata now give")

// TestScenarios plays testdata/*.txt and compares the results with those in the files. A line that begins with > is a command
// (see stage.read) or one of:
//
//	> new call                 start a new, independent scenario
//	> limits callees=3 …       settings of the app: callees, timeout, duration, reach, alone=now
//	> view bob [c2]            bob's view of the call (view service: the view of a service)
//	> memory [c2]              the commands that the call remembers
//	> seats                    who is in with which device, and since which seq
//	> join c2 at 2s            at 2s, the merged invitation that wrote c2 joins the call that it crosses
//	> fence c1: <command>      the command (for another call) finds a stale claim of c1
//
// The call is that of the last command unless a call id is given. If no claims are listed, the command makes none.
//
// A line that begins with # is a comment. All other lines are the results of the command above them. Times count from the
// start of the scenario. To update the files, run go test ./worker/call -run Scenarios -update and review the diff.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := playFile(t, string(want))
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(want, []byte(got)) {
				t.Errorf("%s:\n%s", name, firstDifference(string(want), got))
			}
		})
	}
}

// playFile returns the text with the current results of each command.
func playFile(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	s := newStage()
	for l := range strings.Lines(text) {
		order, isOrder := strings.CutPrefix(strings.TrimSuffix(l, "\n"), "> ")
		switch {
		case isOrder && order == "new call":
			out.WriteString(l)
			s = newStage()
		case isOrder:
			out.WriteString(l)
			out.WriteString(s.obey(t, order))
		case l == "\n" || strings.HasPrefix(l, "#"):
			out.WriteString(l)
		}
	}
	return out.String()
}

// obey runs one line of a scenario, and returns its results.
func (s *stage) obey(t *testing.T, order string) string {
	t.Helper()
	first, rest, _ := strings.Cut(order, " ")
	switch first {
	case "limits":
		s.limit(t, rest)
		return ""
	case "view":
		user, callID, named := strings.Cut(rest, " ")
		if named {
			s.turnTo(callID)
		}
		return view(s.last.Call, user)
	case "seats":
		return seats(s.last.Call)
	case "memory":
		if rest != "" {
			s.turnTo(rest)
		}
		return memory(s.last.Commands)
	case "join":
		return s.obeyJoin(t, rest)
	case "fence":
		return s.obeyFence(t, rest)
	}
	l, refused := s.read(t, order)
	if refused != nil {
		return "  can't be read, " + refused.Error() + "\n"
	}
	return s.obeyCommand(t, l)
}

// obeyCommand plays a command. Its results begin with the lines that the command claims.
func (s *stage) obeyCommand(t *testing.T, l line) string {
	t.Helper()
	s.turnTo(l.cmd.CallID)
	before := s.last
	unclaimed := l
	unclaimed.claimed = call.Claimed{}
	p := &printer{}
	p.claims(call.Claims(call.Decide(before, l.cmd, unclaimed.input(s.limits)), l.cmd))
	o := s.do(t, l)
	text := p.b.String() + s.outcome(o, before, l.now)
	p = &printer{}
	for _, r := range call.Refused(l.cmd, s.madeBy(o)) {
		p.line("refuses %s, %s", r.UserID, r.Code)
	}
	return text + p.b.String()
}

func (s *stage) obeyJoin(t *testing.T, text string) string {
	t.Helper()
	merged, now, _ := strings.Cut(text, " at ")
	s.turnTo(merged)
	s.turnTo(s.last.Call.MergedInto)
	before, at := s.last, duration(t, now)
	o, err := s.join(t, merged, at)
	if err != nil {
		t.Fatal(err)
	}
	return s.outcome(o, before, at)
}

func (s *stage) obeyFence(t *testing.T, text string) string {
	t.Helper()
	stale, command, _ := strings.Cut(text, ": ")
	l, refused := s.read(t, command)
	if refused != nil {
		t.Fatalf("%s: %v", command, refused)
	}
	s.turnTo(stale)
	before := s.last
	w := s.fence(t, stale, l)
	p := &printer{}
	p.transition("written", w)
	p.follows(before, s.last, l.now)
	return p.b.String()
}

func (s *stage) limit(t *testing.T, text string) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "callees":
			s.limits.MaxCallees = int(number(t, value))
		case "timeout":
			s.limits.RingTimeout = duration(t, value)
		case "reach":
			s.limits.Reach = duration(t, value)
		case "duration":
			s.limits.MaxDuration = duration(t, value)
		case "alone":
			s.limits.EndAlone = value == "now"
		default:
			t.Fatalf("%q: unknown limit", word)
		}
	}
}

// outcome writes the outcome and its effects.
func (s *stage) outcome(o call.Outcome, before transition, now time.Duration) string {
	p := &printer{}
	switch o := o.(type) {
	case call.Write:
		p.written(o)
		p.follows(before, s.last, now)
	case call.Keep:
		p.kept(o)
		if o.Made > 0 {
			p.notifications(s.log[o.Made-1], now)
		}
	case call.Refuse:
		p.line("refused, %v", o.Err)
	case call.Wait:
		p.line("nak until %s, %s", since(o.Until), o.Why)
	}
	return p.b.String()
}

// follows writes the effects of a transition.
func (p *printer) follows(before, after transition, now time.Duration) {
	p.changes(after)
	p.notifications(after, now)
	p.deadlines(before, after)
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if at(w, i) != at(g, i) {
			return "line " + itoa(i+1) + ": " + at(g, i) + "\nwant: " + at(w, i)
		}
	}
	return ""
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(end of file)"
}
