package sweep

import (
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	x := Table{Title: "Workers", About: "How.", Head: []string{"n", "calls/s"}}
	x.add("1", grouped(1234.6))
	x.add("2", grouped(-7))
	const want = "## Workers\n\nHow.\n\n| n | calls/s |\n|---|---|\n| 1 | 1,235 |\n| 2 | -7 |\n"
	if got := x.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFigures(t *testing.T) {
	for _, x := range []struct{ got, want string }{
		{grouped(0), "0"},
		{grouped(999), "999"},
		{grouped(1000), "1,000"},
		{grouped(1_000_000), "1,000,000"},
		{grouped(-123_456), "-123,456"},
		{micros(1411.7), "1,412 µs"},
		{millis(1140 * time.Microsecond), "1.1 ms"},
		{millis(12 * time.Second), "12,000 ms"},
		{seconds(1500 * time.Millisecond), "1.5 s"},
		{by(1.004), "1.00"},
		{percent(0.256), "26 %"},
		{kilobytes(15_430), "15.4 KB"},
		{megabytes(1_234_567_890), "1,235 MB"},
	} {
		if x.got != x.want {
			t.Errorf("got %s, want %s", x.got, x.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, x := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 4}, 4}, {[]float64{9, 1, 4, 2}, 2}} {
		if got := median(x.values); got != x.want {
			t.Errorf("%v gives %v", x.values, got)
		}
	}
}
