package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"
)

// recorded is the folder of the promtool unit tests that `faults alerts` records.
const recorded = "deploy/prometheus/recorded"

// unrecorded lists the alerts without a recorded incident. The list must only shrink.
func unrecorded() []string {
	return []string{"RinglineHeldUp", "RinglineDefect"}
}

// TestEveryAlertIsRecorded requires a recording in which each alert fires. promtool, in .ci/run, verifies that it does.
func TestEveryAlertIsRecorded(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repo(t), recorded, "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	fired := map[string]bool{}
	for _, file := range files {
		for _, name := range firesIn(t, file) {
			fired[name] = true
		}
	}
	var f findings
	var r rules
	site{root: repo(t)}.decode(&f, filepath.Join(repo(t), "deploy/prometheus/alerts.yml"), &r, true)
	for _, g := range r.Groups {
		for _, a := range g.Rules {
			switch missing := slices.Contains(unrecorded(), a.Name); {
			case !fired[a.Name] && !missing:
				t.Errorf("%s fires in no file of %s; its README.md describes how to record one", a.Name, recorded)
			case fired[a.Name] && missing:
				t.Errorf("%s is recorded: remove it from unrecorded", a.Name)
			}
			delete(fired, a.Name)
		}
	}
	for name := range fired {
		f.add("%s: there is no alert %s", recorded, name)
	}
	for _, finding := range f {
		t.Error(finding)
	}
}

// firesIn lists the alerts that a unit test expects.
func firesIn(t *testing.T, file string) (names []string) {
	t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // of this repo
	if err != nil {
		t.Fatal(err)
	}
	var unit struct {
		Tests []struct {
			Cases []struct {
				Expected []struct {
					Labels string `yaml:"labels"`
				} `yaml:"exp_samples"` //nolint:tagliatelle // as promtool names it
			} `yaml:"promql_expr_test"` //nolint:tagliatelle // as promtool names it
		} `yaml:"tests"`
	}
	if err := yaml.Unmarshal(data, &unit); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	named := regexp.MustCompile(`alertname="(\w+)"`)
	for _, u := range unit.Tests {
		for _, c := range u.Cases {
			for _, e := range c.Expected {
				for _, m := range named.FindAllStringSubmatch(e.Labels, -1) {
					names = append(names, m[1])
				}
			}
		}
	}
	return names
}
