package events_test

import (
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// A call of format 1 is re-encoded byte for byte: each callee holds their own custom data. In memory it looks like a
// call of format 2, with the lowest free seqs for custom data that came after the invitation.
func TestFormat1(t *testing.T) {
	const callees = `"callees":[
		{"user_id":"bob","attempt":1,"invited_by":"ann","state":"declined","reason":"declined","custom_data":"later","at":"2026-11-24T10:00:07.250Z"},
		{"user_id":"eve","attempt":1,"invited_by":"ann","state":"ringing","custom_data":"hi","at":"2026-11-24T10:00:00.000Z"},
		{"user_id":"fay","attempt":1,"invited_by":"ann","state":"invited","at":"2026-11-24T10:00:00.000Z"},
		{"user_id":"gil","attempt":1,"invited_by":"ann","state":"accepted","custom_data":"now","at":"2026-11-24T10:00:00.000Z"},
		{"user_id":"hal","attempt":1,"invited_by":"ann","state":"canceled","reason":"canceled","custom_data":"later","at":"2026-11-24T10:00:00.000Z"}]`
	body := compact(t, `{"specversion":"1.0","id":"c1-9","source":"/ringline/demo","type":"io.ringline.call.declined.v1","subject":"c1",
		"time":"2026-11-24T10:00:07.250Z","datacontenttype":"application/json","dataschema":"https://ringline.io/schemas/call/declined/v1.json",
		"sequence":"0000000009","causationid":"k2","data":{"event":"declined","seq":9,"by":{"kind":"user","user_id":"bob"},
		"changes":[{"user_id":"bob","attempt":1,"from":"ringing","to":"declined","reason":"declined"}],"custom_data":"later",
		"call":{"call_id":"c1","app":"demo","room_id":"c1","call_type":1,"state":"active","seq":9,
		"caller":{"user_id":"ann","state":"in","at":"2026-11-24T10:00:00.000Z"},`+callees+`,"custom_data":"hi",
		"created_at":"2026-11-24T10:00:00.000Z","expires_at":"2026-11-24T22:00:00.000Z"},"commands":[]}}`)
	got, when, err := events.ReadTransition("demo", "c1", []byte(body))
	if err != nil || !got.OldSizes() {
		t.Fatalf("read as %+v, %v", got, err)
	}
	if want := map[int]string{2: "later", 3: "now"}; !reflect.DeepEqual(got.Call.Custom, want) {
		t.Errorf("holds %v, want %v", got.Call.Custom, want)
	}
	for i, want := range []int{2, 1, 0, 3, 2} {
		if x := got.Call.Callees[i]; x.CustomSeq != want || x.CustomData != "" {
			t.Errorf("%s: custom_seq %d, data %q, want %d and none", x.UserID, x.CustomSeq, x.CustomData, want)
		}
	}
	again, err := got.Encode(when)
	if err != nil || string(again) != body {
		t.Errorf("written as\n%s\nwant\n%s (%v)", again, body, err)
	}
	got.Format = 2
	if next, _ := got.Encode(when); !strings.Contains(string(next), `"custom":{"2":"later","3":"now"}`) || strings.Count(string(next), "later") != 2 {
		t.Errorf("format 2 is %s, want custom data once, in addition to the transition's own", next)
	}
}

// WrittenLen returns the size that Encode writes.
func TestWrittenLen(t *testing.T) {
	for _, s := range []string{
		"", "a", `{"k":"v"}`, "a\\b", "né", "\u2028\u2029", "<&>", "tab\tline\n\x00\x1f", "\x7f", "日本語 👍", "half \xff of it", `\u2028`,
		"\"\\\b\f\n\r\t", "\ufffd", "\ud7ff\U0010ffff", strings.Repeat("\x00", 9),
	} {
		if got, want := events.WrittenLen(s), len(encode(t, s))-2; got != want {
			t.Errorf("%q takes %d bytes, want %d", s, got, want)
		}
	}
}
