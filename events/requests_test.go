package events_test

import (
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

func TestReadRequests(t *testing.T) {
	for _, c := range []struct {
		name, body, names string
		read              func([]byte) error
	}{
		{"get", `{"call_id":"c.1"}`, "call_id", readGet},
		{"get without", `{}`, "call_id", readGet},
		{"get with more", `{"call_id":"c1","x":1}`, "x", readGet},
		{"line", `{"user_id":""}`, "128", readLine},
		{"line of a number", `{"user_id":7}`, "a string", readLine},
		{"list of ended calls", `{"state":"ended"}`, "ringing or active", readList},
		{"list twice", `{"limit":1,"limit":2}`, "twice", readList},
		{"list of none", `{"limit":0}`, "from 1 to 1000", readList},
		{"list of too many", `{"limit":1001}`, "from 1 to 1000", readList},
		{"app", `{"capacity":51}`, "from 1 to 50", readApp},
		{"app with another case", `{"Capacity":2}`, "Capacity", readApp},
		{"app with more behind it", `{"capacity":2} x`, "after it", readApp},
		{"app too long", `{"max_duration_s":61201}`, "61200", readApp},
	} {
		err := c.read([]byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %s gives %v, which does not name %q", c.name, c.body, err, c.names)
		}
	}
	if r, err := events.ReadListRequest(nil); err != nil || r.Limit != events.DefaultListLimit {
		t.Errorf("an empty list request: %+v, %v", r, err)
	}
	if r, err := events.ReadListRequest([]byte(`{"state":"active","limit":7}`)); err != nil || r.Limit != 7 || r.State != events.CallStateActive {
		t.Errorf("a list request: %+v, %v", r, err)
	}
	if u, err := events.ReadLineRequest([]byte(`{"user_id":"bob"}`)); err != nil || u != "bob" {
		t.Errorf("a line request: %q, %v", u, err)
	}
	want := events.AppSettings{Capacity: 2, RingTimeoutS: 30, MaxCallees: 5, MaxDurationS: 3600}
	body, err := events.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := events.ReadAppSettings(body); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s reads as %+v, %v", body, got, err)
	}
}

func readGet(b []byte) error {
	_, err := events.ReadGet(b)
	return err
}

func readLine(b []byte) error {
	_, err := events.ReadLineRequest(b)
	return err
}

func readList(b []byte) error {
	_, err := events.ReadListRequest(b)
	return err
}

func readApp(b []byte) error {
	_, err := events.ReadAppSettings(b)
	return err
}

func TestEntryState(t *testing.T) {
	c := events.Call{
		CallID: "c1", State: events.CallStateActive, Seq: 5,
		Caller: events.Caller{UserID: "ann", State: events.StateLeft},
		Callees: []events.Callee{
			{UserID: "bob", State: events.StateAccepted},
			{UserID: "eve", State: events.StateRinging},
			{UserID: "joe", State: events.StateDeclined},
		},
	}
	for _, x := range []struct {
		user string
		seq  int
		want events.EntryState
	}{
		{"bob", 1, events.EntryLive},
		{"bob", 5, events.EntryLive},
		{"eve", 0, events.EntryLive},
		{"joe", 4, events.EntryDead},
		{"joe", 5, events.EntryInFlight},
		{"joe", 6, events.EntryInFlight},
		{"ann", 4, events.EntryDead},
		{"kim", 5, events.EntryInFlight},
		{"kim", 4, events.EntryDead},
	} {
		if got := (events.Entry{CallID: "c1", Seq: x.seq}).State(x.user, c); got != x.want {
			t.Errorf("an entry of %s at %d is %v, want %v", x.user, x.seq, got, x.want)
		}
	}
	if got := (events.Entry{CallID: "c2"}).State("ann", events.Call{}); got != events.EntryInFlight {
		t.Errorf("an entry of a call that does not exist is %v", got)
	}
	if events.LineKey("demo", "a.b") != "demo.a=2Eb" {
		t.Error(events.LineKey("demo", "a.b"))
	}
}
