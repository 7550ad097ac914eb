package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Table is the result of a sweep.
type Table struct {
	Title string
	About string // how it was measured
	Head  []string
	Rows  [][]string
}

func (t *Table) add(cells ...string) { t.Rows = append(t.Rows, cells) }

// String formats the table in Markdown.
func (t Table) String() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	_, _ = fmt.Fprintf(&b, "## %s\n\n%s\n\n", t.Title, t.About)
	line(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, r := range t.Rows {
		line(r)
	}
	return b.String()
}

// grouped formats a whole number with a comma as the thousands separator.
func grouped[T ~int | ~int64 | ~float64](n T) string {
	s := strconv.FormatInt(int64(math.Round(float64(n))), 10)
	sign := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if sign {
		s = "-" + s
	}
	return s
}

// micros formats microseconds.
func micros(us float64) string { return grouped(us) + " µs" }

// millis formats a duration in milliseconds.
func millis(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return grouped(d.Milliseconds()) + " ms"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// by formats a ratio.
func by(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }

// percent formats a share.
func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func kilobytes(n int64) string { return fmt.Sprintf("%.1f KB", float64(n)/1000) }

func megabytes(n int64) string { return grouped(float64(n)/1e6) + " MB" }

// median returns the median. For an even number of values, it is the lower one of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[(len(s)-1)/2]
}
