package events_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ringline.io/ringline/events"
)

// The smallest valid body of each verb.
const (
	inviteBody = `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`
	addBody    = `{"command_id":"k1","user_id":"ann","callees":[{"user_id":"bob"}]}`
	userBody   = `{"command_id":"k1","user_id":"bob"}`
	expireBody = `{"command_id":"k1","service":"timeouts"}`
	takeBody   = `{"command_id":"k1","user_id":"bob","device_id":"d"}`
	dropBody   = `{"command_id":"k1","service":"presence","party":{"user_id":"bob","device_id":"d"},"seen":3}`
)

func least(v events.Verb) string {
	bodies := map[events.Verb]string{events.VerbInvite: inviteBody, events.VerbAdd: addBody, events.VerbExpire: expireBody, events.VerbTake: takeBody, events.VerbDrop: dropBody}
	if body, has := bodies[v]; has {
		return body
	}
	return userBody // other verbs need only a command id and a user
}

// with returns the body with members replaced by other JSON, or removed if the JSON is empty. Names are in
// alphabetical order, so that command_id is not always first.
func with(body string, pairs ...string) string {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		panic(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		members[pairs[i]] = json.RawMessage(pairs[i+1])
		if pairs[i+1] == "" {
			delete(members, pairs[i])
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, fmt.Sprintf("%q:%s", name, members[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func address(v events.Verb) events.CommandAddress {
	return events.CommandAddress{App: "demo", CallID: "c1", Verb: v}
}

// good are bodies with the expected commands. App, CallID and Verb are filled in.
var good = []struct {
	name string
	verb events.Verb
	body string
	want events.Command
}{
	{
		"the least", events.VerbInvite, inviteBody,
		events.Command{CommandID: "k1", UserID: "ann", Callees: []events.Party{{UserID: "bob"}}},
	},
	{
		"everything", events.VerbInvite,
		`{"ring_timeout_s":600,"callees":[{"user_name":"Bob","user_id":"bob"},{"user_id":"eve"}],"room_id":"a room/1",` +
			`"call_type":1,"user_name":"Ann","custom_data":"{\"a\":1}","device_id":"phone 1","user_id":"ann","command_id":"k1"}`,
		events.Command{
			CommandID: "k1", UserID: "ann", DeviceID: "phone 1", CustomData: `{"a":1}`, UserName: "Ann", CallType: events.CallTypeVideo,
			RoomID: "a room/1", Callees: []events.Party{{UserID: "bob", UserName: "Bob"}, {UserID: "eve"}}, RingTimeoutS: 600,
		},
	},
	{
		"empty optional strings are unset", events.VerbInvite,
		with(inviteBody, "callees", `[{"user_id":"bob","user_name":""}]`, "room_id", `""`, "user_name", `""`, "custom_data", `""`,
			"device_id", `""`, "service", `""`),
		events.Command{CommandID: "k1", UserID: "ann", Callees: []events.Party{{UserID: "bob"}}},
	},
	{
		"hostile ids", events.VerbInvite,
		`{"command_id":"_-","user_id":"a.*> 😀","device_id":"\"\\\/","call_type":0,"room_id":"<&>","callees":[{"user_id":"=2E"},{"user_id":"\u00e9"}]}`,
		events.Command{
			CommandID: "_-", UserID: "a.*> 😀", DeviceID: `"\/`, RoomID: "<&>",
			Callees: []events.Party{{UserID: "=2E"}, {UserID: "é"}},
		},
	},
	{
		"white space, and names written with escapes", events.VerbRing,
		" \r\n\t{ \"command\\u005fid\" : \"k1\" ,\n\"user_id\":\"bob\" } \r\n\t",
		events.Command{CommandID: "k1", UserID: "bob"},
	},
	{"with an attempt", events.VerbRing, with(userBody, "attempt", "2"), events.Command{CommandID: "k1", UserID: "bob", Attempt: 2}},
	{
		"by a service", events.VerbAdd, with(addBody, "user_id", "", "service", `"desk"`, "ring_timeout_s", "1"),
		events.Command{CommandID: "k1", Service: "desk", Callees: []events.Party{{UserID: "bob"}}, RingTimeoutS: 1},
	},
	{
		"an empty user and a service", events.VerbEnd,
		`{"command_id":"k1","user_id":"","device_id":"","service":"desk","custom_data":"bye"}`,
		events.Command{CommandID: "k1", Service: "desk", CustomData: "bye"},
	},
	{
		"everything", events.VerbAccept, `{"command_id":"k1","user_id":"bob","device_id":"d","custom_data":"\ud83d\ude00","attempt":1}`,
		events.Command{CommandID: "k1", UserID: "bob", DeviceID: "d", CustomData: "😀", Attempt: 1},
	},
	{
		"CONTRACT section 7", events.VerbDecline,
		`{"command_id":"k2","user_id":"bob","device_id":"phone-1","reason":"declined","custom_data":"later"}`,
		events.Command{CommandID: "k2", UserID: "bob", DeviceID: "phone-1", Reason: events.ReasonDeclined, CustomData: "later"},
	},
	{"busy", events.VerbDecline, with(userBody, "reason", `"busy"`), events.Command{CommandID: "k1", UserID: "bob", Reason: events.ReasonBusy}},
	{"no reason", events.VerbDecline, with(userBody, "reason", `""`), events.Command{CommandID: "k1", UserID: "bob"}},
	{"all", events.VerbCancel, userBody, events.Command{CommandID: "k1", UserID: "bob"}},
	{
		"some", events.VerbCancel, with(userBody, "callees", `["eve","a.b"]`),
		events.Command{CommandID: "k1", UserID: "bob", Callees: []events.Party{{UserID: "eve"}, {UserID: "a.b"}}},
	},
	{
		"everything", events.VerbLeave, with(userBody, "device_id", `"d"`, "custom_data", `"bye"`, "attempt", "2147483647"),
		events.Command{CommandID: "k1", UserID: "bob", DeviceID: "d", CustomData: "bye", Attempt: 1<<31 - 1},
	},
	{
		"everything", events.VerbTake, with(takeBody, "attempt", "2", "seen", "2147483647"),
		events.Command{CommandID: "k1", UserID: "bob", DeviceID: "d", Attempt: 2, Seen: 1<<31 - 1},
	},
	{
		"by presence", events.VerbDrop, dropBody,
		events.Command{CommandID: "k1", Service: events.ServicePresence, Party: events.Seat{UserID: "bob", DeviceID: "d"}, Seen: 3},
	},
	{"with seen", events.VerbEnd, with(userBody, "seen", "1.0"), events.Command{CommandID: "k1", UserID: "bob", Seen: 1}},
	{"by the timer", events.VerbExpire, expireBody, events.Command{CommandID: "k1", Service: events.ServiceTimeouts}},
}

func TestReadCommand(t *testing.T) {
	for _, c := range good {
		t.Run(string(c.verb)+"/"+c.name, func(t *testing.T) {
			c.want.CommandAddress = address(c.verb)
			got, err := events.ReadCommand(address(c.verb), []byte(c.body))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, c.want)
			}
			checkReadsBack(t, got)
		})
	}
}

// The smallest body of each verb is valid, and a command survives a round trip.
func TestReadLeast(t *testing.T) {
	for _, v := range events.Verbs() {
		t.Run(string(v), func(t *testing.T) {
			got, err := events.ReadCommand(address(v), []byte(least(v)))
			if err != nil || got.CommandID != "k1" || (got.UserID == "") == (got.Service == "") {
				t.Fatalf("got %+v, %v", got, err)
			}
			checkReadsBack(t, got)
		})
	}
}

// checkReadsBack checks that a command survives a round trip, as a command and as a request.
func checkReadsBack(t *testing.T, c events.Command) {
	t.Helper()
	body, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := events.ReadCommand(c.CommandAddress, body); err != nil || !reflect.DeepEqual(again, c) {
		t.Fatalf("%.300s\nis read as %.300v, %v\nwant       %.300v", body, again, err, c)
	}
	request, err := c.EncodeRequest()
	if err != nil {
		t.Fatal(err)
	}
	if !c.Verb.Served() {
		return
	}
	if again, err := events.ReadRequest(c.App, c.Verb, request, noID(t)); err != nil || !reflect.DeepEqual(again, c) {
		t.Fatalf("request %.300s\nis read as %.300v, %v\nwant       %.300v", request, again, err, c)
	}
}

// noID fails the test if it is called: the request has a command id.
func noID(t *testing.T) func() string {
	t.Helper()
	return func() string {
		t.Error("a command id was made, though there is one")
		return "made"
	}
}

func TestCommandEncode(t *testing.T) {
	for _, c := range []struct {
		command events.Command
		want    string
	}{
		{events.Command{CommandAddress: address(events.VerbExpire)}, `{}`},
		{
			events.Command{CommandAddress: address(events.VerbInvite), CommandID: "k1", UserID: "ann", Callees: []events.Party{{UserID: "b<&>"}}},
			`{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"b<&>"}]}`,
		},
		{
			events.Command{CommandAddress: address(events.VerbCancel), CommandID: "k1", Service: "desk", Callees: []events.Party{{UserID: "bob"}}},
			`{"command_id":"k1","service":"desk","callees":["bob"]}`,
		},
	} {
		if got, err := c.command.Encode(); err != nil || string(got) != c.want {
			t.Errorf("Encode = %s, %v, want %s", got, err, c.want)
		}
	}
}

func TestCommandBy(t *testing.T) {
	user := events.Command{CommandAddress: address(events.VerbEnd), UserID: "ann", DeviceID: "laptop"}
	service := events.Command{CommandAddress: address(events.VerbEnd), Service: "desk"}
	timer := events.Command{CommandAddress: address(events.VerbExpire), Service: events.ServiceTimeouts}
	for _, c := range []struct {
		command events.Command
		by      events.By
		sender  string
	}{
		{user, events.By{Kind: events.ByUser, UserID: "ann", DeviceID: "laptop"}, "ann"},
		{service, events.By{Kind: events.ByService, Service: "desk"}, "service:desk"},
		{timer, events.By{Kind: events.ByTimer}, "service:timeouts"},
	} {
		if got := c.command.By(); got != c.by {
			t.Errorf("By = %+v, want %+v", got, c.by)
		}
		if got := c.command.Sender(); got != c.sender {
			t.Errorf("Sender = %s, want %s", got, c.sender)
		}
	}
}

func TestReadRequest(t *testing.T) {
	for _, c := range []struct {
		name             string
		verb             events.Verb
		body             string
		callID, command  string
		makes            bool
		field, limit, id string // field and limit that the error names; id is the command id returned despite the error
	}{
		{name: "both ids", verb: events.VerbRing, body: with(userBody, "call_id", `"c7"`), callID: "c7", command: "k1"},
		{name: "no command id", verb: events.VerbRing, body: with(userBody, "call_id", `"c7"`, "command_id", ""), callID: "c7", command: "made", makes: true},
		{name: "empty command id", verb: events.VerbRing, body: with(userBody, "call_id", `"c7"`, "command_id", `""`), callID: "c7", command: "made", makes: true},
		{name: "call id of an invitation", verb: events.VerbInvite, body: with(inviteBody, "call_id", `"c7"`), callID: "c7", command: "k1"},
		{name: "no call id of an invitation", verb: events.VerbInvite, body: inviteBody, callID: "", command: "k1"},
		{name: "empty call id", verb: events.VerbInvite, body: with(inviteBody, "call_id", `""`), callID: "", command: "k1"},
		{name: "neither", verb: events.VerbInvite, body: with(inviteBody, "command_id", ""), callID: "", command: "made", makes: true},

		{name: "no call id", verb: events.VerbRing, body: userBody, field: "call_id", limit: "64", id: "k1"},
		{name: "call id too long", verb: events.VerbInvite, body: with(inviteBody, "call_id", quote(strings.Repeat("x", 65))), field: "call_id", limit: "64", id: "k1"},
		{name: "call id with a dot", verb: events.VerbEnd, body: with(userBody, "call_id", `"a.b"`), field: "call_id", limit: "64", id: "k1"},
		{name: "call id null", verb: events.VerbEnd, body: with(userBody, "call_id", `null`), field: "call_id", limit: "null", id: "k1"},
		{name: "call id a number", verb: events.VerbEnd, body: with(userBody, "call_id", `1`), field: "call_id", limit: "string", id: "k1"},
		{name: "bad command id", verb: events.VerbRing, body: with(userBody, "call_id", `"c7"`, "command_id", `"a b"`), field: "command_id", limit: "64"},
		{name: "unknown field", verb: events.VerbRing, body: with(userBody, "app", `"demo"`), field: `"app": unknown field`, limit: "call_id", id: "k1"},
		{name: "via", verb: events.VerbRing, body: with(userBody, "call_id", `"c7"`, "via", `"session"`), field: `"via": unknown field`, limit: "call_id", id: "k1"},
		{name: "not JSON", verb: events.VerbRing, body: "call", field: "body", limit: "JSON"},
		{name: "too big", verb: events.VerbRing, body: userBody + strings.Repeat(" ", events.MaxCommand), field: "body", limit: "262144"},
		{name: "unknown verb", verb: "dance", body: `{"call_id":"c7"}`, field: "user_id", limit: "128", id: "made", makes: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			makeID := noID(t)
			if c.makes {
				makeID = func() string { return "made" }
			}
			got, err := events.ReadRequest("demo", c.verb, []byte(c.body), makeID)
			switch {
			case c.field != "":
				checkRefusal(t, err, c.field, c.limit)
				if got.CommandID != c.id {
					t.Errorf("with the error the command id is %q, want %q", got.CommandID, c.id)
				}
			case err != nil:
				t.Error(err)
			case got.CommandAddress != events.CommandAddress{App: "demo", CallID: c.callID, Verb: c.verb}, got.CommandID != c.command:
				t.Errorf("got %+v, command id %s; want call %s, command id %s", got.CommandAddress, got.CommandID, c.callID, c.command)
			}
		})
	}
}

func TestReadGet(t *testing.T) {
	if id, err := events.ReadGet([]byte(` {"call_id":"c1"} `)); err != nil || id != "c1" {
		t.Errorf("got %s, %v, want c1", id, err)
	}
	for _, c := range []struct{ body, field, limit string }{
		{``, "body", "JSON"},
		{`c1`, "body", "JSON"},
		{`null`, "body", "JSON object"},
		{`["c1"]`, "body", "JSON object"},
		{`{"call_id":"c1"} {}`, "body", "nothing after it"},
		{`{}`, "call_id", "64"},
		{`{"call_id":""}`, "call_id", "64"},
		{`{"call_id":"a.b"}`, "call_id", "64"},
		{`{"call_id":"` + strings.Repeat("x", 65) + `"}`, "call_id", "64"},
		{`{"call_id":null}`, "call_id", "null"},
		{`{"call_id":1}`, "call_id", "string"},
		{`{"call_id":"c1","call_id":"c1"}`, "call_id", "twice"},
		{`{"Call_ID":"c1"}`, `"Call_ID": unknown field`, "call_id"},
		{`{"call_id":"c1","user_id":"ann"}`, `"user_id": unknown field`, "call_id"},
	} {
		id, err := events.ReadGet([]byte(c.body))
		if err == nil {
			t.Errorf("ReadGet(%s) = %q, want an error", c.body, id)
			continue
		}
		checkRefusal(t, err, c.field, c.limit)
	}
}

func FuzzReadCommand(f *testing.F) {
	verbs := events.Verbs()
	for _, c := range good {
		f.Add(uint8(slices.Index(verbs, c.verb)), []byte(c.body))
	}
	for _, c := range slices.Concat(badBodies, badFields) {
		if len(c.body) < 10_000 {
			f.Add(uint8(slices.Index(verbs, c.verb)), []byte(c.body))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		a := address(verbs[int(n)%len(verbs)])
		c, err := events.ReadCommand(a, body)
		if c.CommandAddress != a || c.CommandID != "" && events.CheckToken("command_id", c.CommandID) != nil {
			t.Fatalf("got address %+v, command id %q", c.CommandAddress, c.CommandID)
		}
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if !utf8.Valid(body) || !json.Valid(body) || c.CommandID == "" || (c.UserID == "") == (c.Service == "") {
			t.Fatalf("%q was accepted as %+v", body, c)
		}
		checkReadsBack(t, c)
	})
}
