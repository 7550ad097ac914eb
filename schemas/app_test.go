package schemas_test

import (
	"fmt"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas/check"
)

// TestAppSettings: the schema and events.ReadAppSettings judge alike, at each limit and over it.
func TestAppSettings(t *testing.T) {
	c := check.New()
	good, bad := []string{`{}`}, []string{``, `null`, `[]`, `{"bogus":1}`, `{"Capacity":1}`}
	for name, most := range map[string]int{
		"capacity": events.MaxCapacity, "ring_timeout_s": events.MaxRingTimeoutS, "max_callees": events.MaxCallees,
		"max_duration_s": events.MaxDurationS,
	} {
		for _, v := range []any{1, most, "2.0"} {
			good = append(good, fmt.Sprintf(`{%q:%v}`, name, v))
		}
		for _, v := range []any{0, -1, most + 1, 1.5, `"1"`, "null", "true"} {
			bad = append(bad, fmt.Sprintf(`{%q:%v}`, name, v))
		}
	}
	try := func(body string, want bool) {
		_, refused := events.ReadAppSettings([]byte(body))
		invalid := c.Valid("app/v1.json", []byte(body))
		if (refused == nil) != want || (invalid == nil) != want {
			t.Errorf("%s: read with %v, by the schema %v, want good: %t", body, refused, invalid, want)
		}
	}
	for _, body := range good {
		try(body, true)
	}
	for _, body := range bad {
		try(body, false)
	}
}
