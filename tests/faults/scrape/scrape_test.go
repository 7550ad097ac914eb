package scrape

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNotation(t *testing.T) {
	for want, values := range map[string]string{
		"1":                 "1",
		"1+0x2":             "1 1 1",
		"_x2 3 4+0x1":       "_ _ 3 4 4",
		"0 stale _ 7":       "0 stale _ 7",
		"0.5+0x1 stale _x3": "0.5 0.5 stale _ _ _",
	} {
		if got := notation(strings.Fields(values)); got != want {
			t.Errorf("%s is written %q, want %q", values, got, want)
		}
	}
}

// The metrics of a target are recorded. A target that fails has up 0, and a target that is gone has no up.
func TestRecording(t *testing.T) {
	fails, gone, events := false, false, "0"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails || r.URL.Path != "/metrics" {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("# HELP ringline_a_total A.\nringline_a_total{verb=\"ring\"} " + events +
			"\nringline_a_total{verb=\"end\"} 0\nringline_a_total{part=\"x of y\"} 1\nringline_b 5\nringline_other 6\n"))
	}))
	defer s.Close()
	r := New(time.Second, "sum(rate(ringline_a_total[1m])) > ringline_b")
	add := func() {
		r.Add(t.Context(), []Target{{"coordinator", "c-1", strings.TrimPrefix(s.URL, "http://"), func() bool { return gone }}})
	}
	add()
	events = "3"
	add()
	fails = true
	add()
	add()
	gone = true
	add()

	file := filepath.Join(t.TempDir(), "x.yml")
	if err := r.Write(file, "x", "Something happens."); err != nil {
		t.Fatal(err)
	}
	const want = mark + `
      - { series: 'ringline_a_total{job="coordinator",instance="c-1",part="x of y"}', values: '1+0x1 stale _x2' }
      - { series: 'ringline_a_total{job="coordinator",instance="c-1",verb="ring"}', values: '0 3 stale _x2' }
      - { series: 'ringline_b{job="coordinator",instance="c-1"}', values: '5+0x1 stale _x2' }
      - { series: 'up{job="coordinator",instance="c-1"}', values: '1+0x1 0+0x1 stale' }
`
	check := func(head string) {
		t.Helper()
		got, err := os.ReadFile(file) //nolint:gosec // ours
		if err != nil || !strings.HasSuffix(string(got), want) || !strings.HasPrefix(string(got), head) {
			t.Errorf("%v\n%s\nwant\n%s…%s", err, got, head, want)
		}
	}
	check("# Something happens.\n")
	if err := os.WriteFile(file, []byte("# edited\n"+mark+"\n      - { old }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(file, "x", "Something happens."); err != nil {
		t.Fatal(err)
	}
	check("# edited\n" + mark)
}
