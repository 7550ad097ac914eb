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

// TestScenarios plays testdata/*.txt and compares what comes of it with what stands there. A line that begins with
// > is a command (see stage.read) or one of
//
//	> new call                 begin anew: what follows is another story
//	> limits callees=3 …       what the app changes: callees, timeout, duration
//	> view bob                 the call as bob may see it (view service: as a service may)
//	> memory                   what the call remembers of commands
//
// A line that begins with # is a comment, and all else is what came of the command above it. Times count from the
// beginning. To write the files anew: go test ./worker/call -run Scenarios -update. Then read what changed.
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

// playFile gives the text anew, each command with what comes of it.
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

// obey does one line of a scenario, and says what comes of it.
func (s *stage) obey(t *testing.T, order string) string {
	t.Helper()
	first, rest, _ := strings.Cut(order, " ")
	switch first {
	case "limits":
		s.limit(t, rest)
		return ""
	case "view":
		return view(s.last.Call, rest)
	case "memory":
		return memory(s.last.Commands)
	}
	l, refused := s.read(t, order)
	if refused != nil {
		return "  can't be read, " + refused.Error() + "\n"
	}
	before := s.last
	return s.outcome(s.do(t, l), before, l.now)
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
		case "duration":
			s.limits.MaxDuration = duration(t, value)
		default:
			t.Fatalf("%q: unknown limit", word)
		}
	}
}

// outcome says what was decided and what follows from it.
func (s *stage) outcome(o call.Outcome, before transition, now time.Duration) string {
	p := &printer{}
	switch o := o.(type) {
	case call.Write:
		p.written(o)
		p.changes(s.last)
		p.told(s.last, now)
		p.deadlines(before, s.last)
	case call.Keep:
		p.kept(o)
		if o.Made > 0 {
			p.told(s.log[o.Made-1], now)
		}
	case call.Refuse:
		p.line("refused, %v", o.Err)
	case call.Wait:
		p.line("put back until %s, %s", since(o.Until), o.Why)
	}
	return p.b.String()
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
