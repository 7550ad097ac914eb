package abuse

import (
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/worker/edge/session"
)

// judge reports an attempt without its code, and a kind that was never stopped.
func TestJudge(t *testing.T) {
	k := kind{name: "flood", may: []string{answered}, must: []string{limited, code(session.TooManyRequests)}}
	for name, x := range map[string]struct {
		counts map[string]int
		want   string
	}{
		"right":            {map[string]int{answered: 5, limited: 900, "3013 too many requests": 1}, ""},
		"never closed":     {map[string]int{answered: 5, limited: 900}, "never: 3013 too many requests"},
		"admitted":         {map[string]int{outEntered: 2, limited: 1, "3013 too many requests": 1}, "2 times: admitted"},
		"nothing happened": {nil, "never: " + limited + "; never: 3013 too many requests"},
	} {
		if got := strings.Join(k.judge(x.counts).Wrong, "; "); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

// phases returns a quiet phase, and one whose p99 is busy.
func phases(quiet, busy time.Duration) []Phase {
	l := func(worst time.Duration) (l Latencies) {
		for range 98 {
			l = append(l, time.Millisecond)
		}
		return append(l, worst, worst)
	}
	return []Phase{{Name: "quiet", Quiet: true, Latencies: l(quiet)}, {Name: "attack", Latencies: l(busy)}}
}

// Honest pairs may wait longer during an attack. A p99 above both ten times the quiet one and a quarter of a
// second is a failure, and so is a phase without calls.
func TestJudgeIgnoresSmallDifferences(t *testing.T) {
	for name, x := range map[string]struct {
		o     Outcome
		wrong bool
	}{
		"a little":             {Outcome{Phases: phases(10*time.Millisecond, 90*time.Millisecond)}, false},
		"many times of little": {Outcome{Phases: phases(time.Millisecond, 200*time.Millisecond)}, false},
		"slow before as well":  {Outcome{Phases: phases(100*time.Millisecond, 900*time.Millisecond)}, false},
		"gross":                {Outcome{Phases: phases(20*time.Millisecond, 300*time.Millisecond)}, true},
		"no call at all":       {Outcome{Phases: append(phases(20, 20), Phase{Name: "dead"})}, true},
		"an honest failure":    {Outcome{Phases: phases(20, 20), Failed: map[string]int{"no answer": 1}}, true},
		"not counted":          {Outcome{Phases: phases(20, 20), Uncounted: []string{"2 were refused"}}, true},
		"a wrong code":         {Outcome{Phases: phases(20, 20), Rows: []Row{{Kind: "x", Wrong: []string{"1 times: admitted"}}}}, true},
	} {
		if err := x.o.Err(); (err != nil) != x.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every kind has a required outcome, a source address and a step in the plan.
func TestPlanHasEveryKind(t *testing.T) {
	planned := map[string]int{}
	for _, s := range (Config{}).plan() {
		for _, name := range s.kinds {
			planned[name]++
		}
	}
	for _, k := range kinds() {
		if planned[k.name] != 2 || len(k.must) == 0 {
			t.Errorf("%s is planned %d times, and must meet %v", k.name, planned[k.name], k.must)
		}
	}
}

// The edge must count every attempt that it refused.
func TestMissing(t *testing.T) {
	found := Counts{
		"no token": {"3500 invalid token": 3}, "alg none": {"3500 invalid token": 2}, "frame over 64 KB": {tooBig: 4},
		"TCP without HTTP": {outCut: 7},
	}
	before := map[string]float64{"token": 10, "1009": 1}
	if got := missing(found, before, map[string]float64{"token": 15, "1009": 5}); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	if got := missing(found, before, map[string]float64{"token": 14, "1009": 1}); len(got) != 2 {
		t.Errorf("found only %v", got)
	}
}
