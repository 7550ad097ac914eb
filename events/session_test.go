package events_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
)

var ann = events.Sender{UserID: "ann", UserName: "Ann", DeviceID: "phone.tab1"}

func TestReadSessionCommand(t *testing.T) {
	got, bad := events.ReadSessionCommand("demo", events.VerbInvite,
		[]byte(`{"command_id":"k1","user_name":"Another user","call_type":1,"callees":[{"user_id":"bob"}]}`), ann, nil)
	if bad != nil {
		t.Fatal(bad)
	}
	if got.UserID != "ann" || got.UserName != "Ann" || got.DeviceID != "phone.tab1" || got.Service != "" ||
		got.CallID != "" {
		t.Errorf("%+v", got)
	}
	nameless := ann
	nameless.UserName = ""
	got, bad = events.ReadSessionCommand("demo", events.VerbInvite,
		[]byte(`{"call_id":"c1","user_name":"Anna","call_type":1,"callees":[{"user_id":"bob"}]}`), nameless, func() string { return "made" })
	if bad != nil || got.UserName != "Anna" || got.CommandID != "made" || got.CallID != "c1" {
		t.Errorf("%+v, %v", got, bad)
	}
}

func TestReadSessionCommandRefuses(t *testing.T) {
	for _, c := range []struct{ body, field, limit string }{
		{`{"call_id":"c1","user_id":"eve"}`, `"user_id": unknown field`, "call_id"},
		{`{"call_id":"c1","device_id":"d"}`, `"device_id": unknown field`, "call_id"},
		{`{"call_id":"c1","service":"s"}`, `"service": unknown field`, "call_id"},
		{`{"call_id":"c1","via":"session"}`, `"via": unknown field`, "call_id"},
		{`{}`, "call_id", "64 characters"},
		{`{"call_id":"c.1"}`, "call_id", "A-Z a-z 0-9 _ -"},
		{``, "body", "JSON"},
	} {
		_, err := events.ReadSessionCommand("demo", events.VerbAccept, []byte(c.body), ann, func() string { return "k" })
		if err == nil {
			t.Errorf("%s is accepted", c.body)
			continue
		}
		checkRefusal(t, err, c.field, c.limit)
	}
}

func TestReadConnectData(t *testing.T) {
	for body, want := range map[string]events.ConnectData{
		``:     {},
		`null`: {},
		`{}`:   {},
		`{"device":"phone","showing":["c2","c1","c2"],"more":1}`: {Device: "phone", Showing: []string{"c1", "c2"}},
	} {
		got, err := events.ReadConnectData([]byte(body))
		if err != nil || got.Device != want.Device || !slices.Equal(got.Showing, want.Showing) {
			t.Errorf("ReadConnectData(%s) = %+v, %v", body, got, err)
		}
	}
	many, _ := json.Marshal(slices.Repeat([]string{"c"}, events.MaxShowing+1))
	for _, c := range []struct{ body, field, limit string }{
		{`[]`, "body", "JSON object, got an array"},
		{`{"device":1}`, "device", "string"},
		{`{"device":"` + strings.Repeat("d", 129) + `"}`, "device", "128 bytes"},
		{`{"showing":"c1"}`, "showing", "array"},
		{`{"showing":["c.1"]}`, "showing", "A-Z a-z 0-9 _ -"},
		{`{"showing":` + string(many) + `}`, "showing", "at most 100"},
	} {
		_, err := events.ReadConnectData([]byte(c.body))
		if err == nil {
			t.Errorf("%s is accepted", c.body)
			continue
		}
		checkRefusal(t, err, c.field, c.limit)
	}
}

func TestNewSnapshot(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	c := events.Call{
		CallID: "c1", App: "demo", State: events.CallStateRinging, Seq: 1,
		Caller: events.Caller{UserID: "ann", DeviceID: "ann's", State: events.StateIn},
		Custom: map[int]string{2: "bob's", 3: "eve's"},
		Callees: []events.Callee{
			{UserID: "bob", Attempt: 1, State: events.StateInvited, RingDeadline: events.TimeOf(now.Add(10 * time.Second)), CustomSeq: 2},
			{UserID: "eve", Attempt: 1, State: events.StateDeclined, CustomSeq: 3},
		},
	}
	s := events.NewSnapshot([]events.Call{c}, "bob", "tab", now)
	if s.UserID != "bob" || s.DeviceID != "tab" || s.ServerTime != events.TimeOf(now) || len(s.Calls) != 1 {
		t.Fatalf("%+v", s)
	}
	got := s.Calls[0]
	if got.RingRemainingMS == nil || *got.RingRemainingMS != 10_000 || got.Call.Caller.DeviceID != "" ||
		got.Call.DataOf(got.Call.Callees[0]) != "bob's" || got.Call.DataOf(got.Call.Callees[1]) != "" || len(got.Call.Custom) != 1 {
		t.Errorf("%+v", got)
	}
	if body, err := events.Encode(events.NewSnapshot(nil, "bob", "tab", now)); err != nil || !strings.Contains(string(body), `"calls":[]`) {
		t.Errorf("%s, %v", body, err)
	}
}

func TestRestamped(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	deadline := events.TimeOf(now.Add(5 * time.Second))
	body := `{"event":"incoming_call_received","future":{"x":"<é>"},"ring_remaining_ms":59000,"server_time":"2026-11-24T09:00:00.000Z",` +
		`"call":{"call_id":"c1","seq":3,"state":"ringing","caller":{"user_id":"ann","state":"in"},` +
		`"callees":[{"user_id":"bob","attempt":1,"state":"invited","ring_deadline":"` + deadline.String() + `","new":true}]}}`
	got, c, err := events.Restamped([]byte(body), "bob", now)
	if err != nil || c.CallID != "c1" || c.Seq != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	want := `{"event":"incoming_call_received","future":{"x":"<é>"},` +
		`"call":{"call_id":"c1","seq":3,"state":"ringing","caller":{"user_id":"ann","state":"in"},` +
		`"callees":[{"user_id":"bob","attempt":1,"state":"invited","ring_deadline":"` + deadline.String() + `","new":true}]},` +
		`"server_time":"2026-11-24T10:00:00.000Z","ring_remaining_ms":5000}`
	if string(got) != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	for _, body := range []string{ // notifications without the call
		`{"call_id":"c1","event":"outgoing_call_timeout","future":1,"server_time":"2026-11-24T09:00:00.000Z"}`,
		`{"event":"outgoing_call_timeout","id":"c1-3-1","call_id":"c1","seq":3,"user_id":"bob","by":{"kind":"timer"},"server_time":"2026-11-24T09:00:00.000Z"}`,
	} {
		want := strings.ReplaceAll(body, "T09:", "T10:")
		if got, c, err = events.Restamped([]byte(body), "bob", now); err != nil || string(got) != want || !c.IsZero() {
			t.Errorf("\ngot  %s, %v, %v\nwant %s", got, c, err, want)
		}
	}
	if got, _, err = events.Restamped([]byte(body), "dan", now); err != nil || strings.Contains(string(got), "ring_remaining_ms") {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"call":1}`, `{"call_id":1}`} {
		if _, _, err := events.Restamped([]byte(bad), "bob", now); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
