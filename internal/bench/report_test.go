package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// measured is a run with these figures.
func measured(ring time.Duration, perSecond float64) Side {
	var h histogram
	h.add(ring)
	p := &Phase{Calls: 1, CallsPerSecond: perSecond, Ring: h.spread()}
	return Side{Idle: p, Most: p, Loaded: p}
}

func report(runs ...[2]Side) *Report {
	r := &Report{}
	for _, x := range runs {
		r.Runs = append(r.Runs, Run{Ringline: x[0], Floor: &x[1]})
	}
	r.conclude()
	return r
}

// A figure is the median of the runs. A ratio is the median of the ratios per run, because both sides of one run had
// the same conditions.
func TestReport(t *testing.T) {
	r := report(
		[2]Side{measured(400*time.Microsecond, 900), measured(200*time.Microsecond, 1000)},
		[2]Side{measured(100*time.Microsecond, 500), measured(100*time.Microsecond, 1000)},
		[2]Side{measured(900*time.Microsecond, 100), measured(300*time.Microsecond, 1000)},
	)
	if r.Ring.P50 != 400 || r.Ring.P99 != 400 || r.CallsPerSecond != 500 || r.Floor.Ring.P50 != 200 || r.Floor.CallsPerSecond != 1000 ||
		r.Ratio.RingP50 != 2 || r.Ratio.CallsPerSecond != 0.5 {
		t.Errorf("%+v %+v %+v", r, r.Floor, r.Ratio)
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"ring_us":{"p50":400,"p99":400}`, `"calls_per_second":500`, `"floor":{"ring_us":`, `"ratio":{"ring_p50":2`} {
		if !strings.Contains(string(body), field) {
			t.Errorf("%s lacks %s", body, field)
		}
	}
	again, err := ReadReport(body)
	if err != nil || again.Runs[2].Ringline.Idle.Ring.P50 != 900 {
		t.Errorf("it reads back as %+v, %v", again, err)
	}
	for _, line := range []string{"Ringline  idle", "floor     most", "idle ring p50 2.00 × floor"} {
		if !strings.Contains(Text(r), line) {
			t.Errorf("the text lacks %q:\n%s", line, Text(r))
		}
	}
	if got := Text(again); !strings.Contains(got, "Ringline  idle") { // JSON does not contain the histograms
		t.Error(got)
	}
}

func TestReadReport(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"runs":[]}`, `{"runs":[{}]}`, `{"runs":[{"ringline":{"idle":{}}}]}`} {
		if r, err := ReadReport([]byte(bad)); err == nil {
			t.Errorf("%s gives %+v", bad, r)
		}
	}
}

// Compare marks a difference that is smaller than the spread of the runs within one report.
func TestCompare(t *testing.T) {
	quick := func(ring time.Duration) [2]Side { return [2]Side{measured(ring, 100), measured(ring, 100)} }
	a := report(quick(100*time.Microsecond), quick(200*time.Microsecond))
	b := report(quick(150*time.Microsecond), quick(300*time.Microsecond))
	c := report(quick(300*time.Microsecond), quick(400*time.Microsecond))
	text := Compare(a, b)
	if !strings.Contains(text, "idle ring p50, µs") || !strings.Contains(text, "1.50  within the spread") {
		t.Error(text)
	}
	if text := Compare(a, c); strings.Contains(strings.SplitN(text, "\n", 3)[1], "within") || !strings.Contains(text, "3.00") {
		t.Error(text)
	}
	c.Options.Mix = MixGroups
	if text := Compare(a, c); !strings.Contains(text, "Measured differently") {
		t.Error(text)
	}
}
