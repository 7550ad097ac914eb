package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringline.io/ringline/internal/bench"
)

// A benchmark plays every kind of call over every transport without a failed call. The floor repeats the broker
// operations of Ringline, and no more.
func TestBench(t *testing.T) {
	t.Parallel()
	all := [][2]string{{"groups", "subjects"}, {"answered", "sessions"}, {"answered", "api"}, {"outcomes", "subjects"}}
	if testing.Short() { // the other cases have the same concurrency
		all = all[1:2]
	}
	for _, x := range all {
		t.Run(x[0]+" over "+x[1], func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "report.json")
			long := map[bool]string{true: "2s", false: "1s"}[x[0] == "outcomes"] // some outcomes take 2 s
			r := execute(t, program("ringline", "bench", "--mix", x[0], "--over", x[1], "--duration", long, "--warm-up", "0s",
				"--concurrent", "8", "--users", "180", "--json", "--out", file))
			if r.code != 0 {
				t.Fatalf("exit code %d\n%s", r.code, r.stderr)
			}
			report, err := bench.ReadReport([]byte(r.stdout))
			if err != nil {
				t.Fatalf("%v\n%s", err, r.stdout)
			}
			if written, err := os.ReadFile(file); err != nil || string(written) != r.stdout {
				t.Errorf("--out wrote something else: %v", err)
			}
			checkReport(t, report)
		})
	}
}

func checkReport(t *testing.T, r *bench.Report) {
	t.Helper()
	if r.Ring.P50 <= 0 || r.Ring.P99 < r.Ring.P50 || r.CallsPerSecond <= 0 || r.Floor == nil || r.Floor.Ring.P50 <= 0 || r.Ratio.RingP50 <= 0 {
		t.Errorf("figures are missing: %+v, floor %+v, ratio %+v", r, r.Floor, r.Ratio)
	}
	run := r.Runs[0]
	for name, p := range map[string]*bench.Phase{
		"idle": run.Ringline.Idle, "most": run.Ringline.Most, "loaded": run.Ringline.Loaded, "floor idle": run.Floor.Idle, "floor most": run.Floor.Most,
	} {
		if p.Calls == 0 || p.Failed != 0 || p.Ring.Count == 0 || p.Command.Count == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if len(r.Counted["invite"]) == 0 && len(r.Counted["invite 8"]) == 0 {
		t.Errorf("no invitation was counted: %v", r.Counted)
	}
	for step, places := range r.Counted {
		for place, x := range places {
			y := r.FloorCounted[step][place]
			if y.Messages != x.Messages || y.Waits > x.Waits {
				t.Errorf("%s, %s: the floor has %d messages and %d waits, Ringline %d and %d", step, place, y.Messages, y.Waits, x.Messages, x.Waits)
			}
			if less := x.Bytes - y.Bytes; less > x.Bytes/10 || less < -x.Bytes/10 {
				t.Errorf("%s, %s: the floor has %d bytes, Ringline %d", step, place, y.Bytes, x.Bytes)
			}
		}
	}
}

// The cost of an answered call on the broker does not grow. A change that adds a message or a wait must raise these
// limits and explain why.
func TestCostOfACall(t *testing.T) {
	t.Parallel()
	r := execute(t, program("ringline", "bench", "--duration", "1s", "--warm-up", "0s", "--concurrent", "8", "--json"))
	report, err := bench.ReadReport([]byte(r.stdout))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.stderr)
	}
	for step, most := range map[string]bench.Count{
		"invite": {Messages: 14, Waits: 4}, // both lines and the call, then the notification together with the deadline
		"ring":   {Messages: 10, Waits: 2}, // read and write the call
		"accept": {Messages: 14, Waits: 3}, // the same, and the deadline of the longest call
		"end":    {Messages: 16, Waits: 3}, // the same, and both lines concurrently
	} {
		var got bench.Count
		for _, x := range report.Counted[step] {
			got.Messages += x.Messages
			got.Waits += x.Waits
		}
		if got.Messages > most.Messages || got.Waits > most.Waits || got.Messages == 0 {
			t.Errorf("%s: %d messages and %d waits, want at most %d and %d: %+v", step, got.Messages, got.Waits, most.Messages, most.Waits, report.Counted[step])
		}
	}
}

func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ args, says string }{
		{"--mix answred", `--mix must be one of answered, outcomes, groups, timeouts, got "answred"; did you mean answered?`},
		{"--over carrier-pigeon", "--over must be one of subjects, api, sessions"},
		{"--concurrent 0", "--concurrent must be from 1 to 10000"},
		{"--rate -1", "--rate must be from 0 to 1000000 calls a second"},
		{"--duration 1ms", "--duration must be at least 100ms"},
		{"--runs 0", "--runs must be from 1 to 100"},
		{"--workers 65", "--workers must be from 0 to 64"},
		{"--concurrent 100 --users 10", "--users must be at least 2 for each of --concurrent, 200"},
		{"--mix groups --users 10", "--users must be at least 9 for each of --concurrent, 576"},
		{"--app a.b", "--app: must be 1 to 64 characters"},
		{"--nats-url nats://127.0.0.1:1 --over sessions", "needs --edge HOST:PORT"},
		{"--edge 127.0.0.1:1", "--edge needs --nats-url"},
		{"--nats-url nats://127.0.0.1:1", "no NATS server at nats://127.0.0.1:1"},
		{"--cpu-profile /nowhere/x", "--cpu-profile: open /nowhere/x"},
		{"compare a.json", "compare takes two files, got 1"},
		{"compare a.json b.json", "a.json: no such file"},
	} {
		r := execute(t, program("ringline", append([]string{"bench"}, strings.Fields(x.args)...)...))
		if r.code == 0 || !strings.Contains(r.stderr, x.says) || strings.Count(r.stderr, "\n") > 2 {
			t.Errorf("bench %s: exit code %d\n%swant %q", x.args, r.code, r.stderr, x.says)
		}
	}
}
