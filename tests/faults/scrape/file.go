package scrape

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// metricsOf lists the metrics in the expressions of alerts. Other words of the same form do no harm.
func metricsOf(alerts string) map[string]bool {
	names := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bringline_\w+`).FindAllString(alerts, -1) {
		names[name] = true
	}
	return names
}

// notation formats samples for promtool: a value with n repetitions is 7+0xn, and n missing samples are _xn.
func notation(values []string) string {
	var b strings.Builder
	for i := 0; i < len(values); {
		n := 1
		for i+n < len(values) && values[i+n] == values[i] {
			n++
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		switch {
		case n == 1 || values[i] == stale:
			n = 1
			b.WriteString(values[i])
		case values[i] == none:
			fmt.Fprintf(&b, "_x%d", n)
		default:
			fmt.Fprintf(&b, "%s+0x%d", values[i], n-1)
		}
		i += n
	}
	return b.String()
}

// mark is the line above the recorded part of a file.
const mark = "    input_series: # recorded, do not edit"

// Write writes the series into a file. A new file expects no alert after the first interval.
func (r *Recording) Write(file, name, about string) error {
	head, err := above(file)
	if errors.Is(err, fs.ErrNotExist) {
		head, err = fresh(name, about, r.Interval.String()), nil
	}
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(head + mark + "\n")
	for _, s := range r.Series() {
		fmt.Fprintf(&b, "      - { series: '%s', values: '%s' }\n", s[0], s[1])
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil { //nolint:gosec // others read it too
		return fmt.Errorf("scrape: %w", err)
	}
	return nil
}

// above returns the part of a file above its series.
func above(file string) (string, error) {
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return "", fmt.Errorf("scrape: %w", err)
	}
	head, _, found := strings.Cut(string(data), mark)
	if !found {
		return "", fmt.Errorf("scrape: %s has no line %q", file, mark)
	}
	return head, nil
}

func fresh(name, about, interval string) string {
	return fmt.Sprintf(`# %s
#
# The series below were recorded from real workers: go run ./tests/faults alerts --only %s
rule_files: [../alerts.yml]
evaluation_interval: %s
tests:
  - name: %s
    interval: %s
    promql_expr_test: # at each time: every alert that fires, and no other
      - expr: count by (alertname, severity) (ALERTS{alertstate="firing"})
        eval_time: %s
`, about, name, interval, name, interval, interval)
}
