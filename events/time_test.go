package events_test

import (
	"encoding/json"
	"testing"
	"time"

	"ringline.io/ringline/events"
)

// at parses a time of day on the day of the example.
func at(clock string) time.Time {
	v, err := time.Parse(time.RFC3339Nano, "2026-11-24T"+clock+"Z")
	if err != nil {
		panic(err)
	}
	return v
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("", -5*3600)
	for _, c := range []struct {
		in            time.Time
		cut, deadline string
	}{
		{at("10:00:07.25"), "2026-11-24T10:00:07.250Z", "2026-11-24T10:00:07.250Z"},
		{at("10:00:07"), "2026-11-24T10:00:07.000Z", "2026-11-24T10:00:07.000Z"},
		{at("10:00:07.000000001"), "2026-11-24T10:00:07.000Z", "2026-11-24T10:00:07.001Z"},
		{at("10:00:07.250999999"), "2026-11-24T10:00:07.250Z", "2026-11-24T10:00:07.251Z"},
		{at("10:00:07.9995"), "2026-11-24T10:00:07.999Z", "2026-11-24T10:00:08.000Z"},
		{at("10:00:07.5").In(zone), "2026-11-24T10:00:07.500Z", "2026-11-24T10:00:07.500Z"},
		{time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC), "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"},
		{time.Date(1969, 12, 31, 23, 59, 59, 999_500_000, time.UTC), "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"},
	} {
		if got := events.TimeOf(c.in).String(); got != c.cut {
			t.Errorf("TimeOf(%s) = %s, want %s", c.in, got, c.cut)
		}
		if got := events.DeadlineOf(c.in).String(); got != c.deadline {
			t.Errorf("DeadlineOf(%s) = %s, want %s", c.in, got, c.deadline)
		}
		want := events.TimeOf(c.in)
		body, err := json.Marshal(want)
		if err != nil || string(body) != quote(c.cut) {
			t.Errorf("Marshal(%s) = %s, %v", want, body, err)
		}
		var back events.Time
		if err := json.Unmarshal(body, &back); err != nil || back != want || !events.TimeOf(back.Time()).Time().Equal(want.Time()) {
			t.Errorf("%s is read as %s, %v", body, back, err)
		}
	}
	if got := events.TimeOf(at("10:00:07.25")).Add(90*time.Second + 999*time.Microsecond).String(); got != "2026-11-24T10:01:37.250Z" {
		t.Errorf("Add = %s", got)
	}
}

func TestTimeReads(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-24T10:00:07Z":           "2026-11-24T10:00:07.000Z",
		"2026-11-24T10:00:07.2509Z":      "2026-11-24T10:00:07.250Z",
		"2026-11-24T11:30:07.250+01:30":  "2026-11-24T10:00:07.250Z",
		"2026-11-24T10:00:07.123456789Z": "2026-11-24T10:00:07.123Z",
	} {
		var got events.Time
		if err := json.Unmarshal([]byte(quote(in)), &got); err != nil || got.String() != want {
			t.Errorf("%s is read as %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{`""`, `"now"`, `"2026-11-24"`, `"2026-11-24T10:00:07"`, `"2026-11-24 10:00:07Z"`, `"2026-13-24T10:00:07Z"`, `1795514407250`} {
		var got events.Time
		if err := json.Unmarshal([]byte(in), &got); err == nil {
			t.Errorf("%s is read as %s, want an error", in, got)
		}
	}
}
