package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringline.io/ringline/worker/meter"
)

// TestReference checks that docs/metrics.md is up to date, and that it explains every reason.
func TestReference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.md")
	if err := run(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/metrics.md is not up to date: run make generate")
	}
	for _, m := range meter.Metrics() {
		if strings.Count(string(got), "\n| `"+m.Name+"` |") != 1 {
			t.Errorf("%s has no row, or several", m.Name)
		}
	}
	for _, r := range meter.Reasons() {
		if strings.Count(string(got), "\n| `"+string(r)+"` |") != 1 {
			t.Errorf("the reason %s is not explained", r)
		}
	}
	for _, r := range meter.Refusals() {
		if !strings.Contains(string(got), "\n| `"+string(r)+"` |") {
			t.Errorf("the refusal %s is not explained", r)
		}
	}
	for _, e := range meter.Ends() {
		if !strings.Contains(string(got), "\n| `"+e+"` |") {
			t.Errorf("the end %s is not explained", e)
		}
	}
	rows := strings.Count(string(got), "\n| `")
	if want := len(meter.Metrics()) + len(meter.Reasons()) + len(meter.Refusals()) + len(meter.Ends()) + 18; rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
}
