package events_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// stored returns a transition in this format, as published on the subject of call c1 of app demo.
func stored(t *testing.T, format int) string {
	t.Helper()
	step := exampleStep()
	step.Format = format
	body, err := step.Encode(events.TimeOf(at("10:00:07.25")))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// The type and the dataschema of a transition contain its format. Without one, it has the format of a new call.
func TestFormatOfATransition(t *testing.T) {
	if stored(t, 0) != stored(t, events.BeginFormat) {
		t.Errorf("without a format it is\n%s", stored(t, 0))
	}
	for _, part := range []string{
		`"type":"io.ringline.call.declined.v7"`, `"dataschema":"https://ringline.io/schemas/call/declined/v7.json"`,
	} {
		if text := stored(t, 7); !strings.Contains(text, part) {
			t.Errorf("format 7 is without %s\n%s", part, text)
		}
	}
	for format := 1; format <= events.NewestFormat; format++ {
		got, _, err := events.ReadTransition("demo", "c1", []byte(stored(t, format)))
		if err != nil || got.Format != format {
			t.Errorf("format %d is read as %+v, %v", format, got, err)
		}
	}
}

// The envelope alone distinguishes a newer format from a malformed message, whatever the rest contains.
func TestNewerFormat(t *testing.T) {
	next := events.NewestFormat + 1
	body := stored(t, next)
	for name, text := range map[string]string{
		"the next":           body,
		"a far one":          stored(t, 1000),
		"of another event":   strings.ReplaceAll(body, "declined.v", "on_hold.v"),
		"with other data":    `{"type":"io.ringline.call.declined.v99","source":"/ringline/demo","subject":"c1","data":[1,"x"]}`,
		"with another time":  replaced(t, body, `"time":"2026-11-24T10:00:07.250Z"`, `"time":{"s":1}`),
		"with another id":    replaced(t, body, `"id":"c1-4"`, `"id":7`),
		"with another call":  replaced(t, body, `"call_id":"c1"`, `"call_id":["c1"]`),
		"without data":       `{"type":"io.ringline.call.x.v99","source":"/ringline/demo","subject":"c1"}`,
		"with unknown parts": replaced(t, body, `"specversion":"1.0"`, `"specversion":"2.0","new":{"a":[]}`),
	} {
		got, when, err := events.ReadTransition("demo", "c1", []byte(text))
		newer, ok := errors.AsType[*events.NewerFormatError](err)
		if !ok || newer.CallID != "c1" || newer.Format < next || !reflect.DeepEqual(got, events.Transition{}) || when != 0 {
			t.Errorf("%s: %+v, %v, %v", name, got, when, err)
		}
	}
}

// A message that is not a transition of this call never counts as a newer format, whatever format it claims: it must
// not block anyone.
func TestNoNewerFormat(t *testing.T) {
	body := stored(t, events.NewestFormat+1)
	for name, text := range map[string]string{
		"of another call":   replaced(t, body, `"subject":"c1"`, `"subject":"c2"`),
		"of another app":    replaced(t, body, `"source":"/ringline/demo"`, `"source":"/ringline/prod"`),
		"of another user":   strings.ReplaceAll(body, "io.ringline.call.", "com.example.call."),
		"no call":           strings.ReplaceAll(body, "io.ringline.call.", "io.ringline.cdr."),
		"truncated":         body[:len(body)-1],
		"no format":         strings.ReplaceAll(body, `declined.v3"`, `declined"`),
		"format 0":          strings.ReplaceAll(body, `declined.v3"`, `declined.v0"`),
		"format -2":         strings.ReplaceAll(body, `declined.v3"`, `declined.v-2"`),
		"a format in words": strings.ReplaceAll(body, `declined.v3"`, `declined.vnext"`),
		"no type":           strings.ReplaceAll(body, `"type"`, `"sort"`),
		"a type in a list":  replaced(t, body, `"type":"io.ringline.call.declined.v3"`, `"type":["io.ringline.call.declined.v3"]`),
	} {
		got, _, err := events.ReadTransition("demo", "c1", []byte(text))
		if _, newer := errors.AsType[*events.NewerFormatError](err); err == nil || newer {
			t.Errorf("%s: %+v, %v, want an error that it is not a transition", name, got, err)
		}
	}
}
