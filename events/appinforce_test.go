package events_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// A worker reads partly unreadable settings. A removed key or a revoked user stays locked out, whatever else is
// malformed.
func TestAppSettingsInEffect(t *testing.T) {
	const never, revoked = 253_402_300_799_999, 1763978400250
	last := events.AppSettings{
		Capacity: 7, RingTimeoutS: 8, MaxCallees: 9, MaxDurationS: 10, BytesPerS: 70_000, ServiceCallPrefix: "old_",
		EndWhenAlone: events.AloneNow, RoomIDFrom: events.RoomIDFromService,
		TokenKeys: keysNamed("old", "new"), Origins: []string{"https://old.example"},
		NotBefore: map[string]events.Time{"ann": revoked},
	}
	keys := func(list ...string) string { return `"token_keys":[` + strings.Join(list, ",") + `]` }
	for _, x := range []struct {
		name, body string
		want       events.AppSettings
		unknown    string
		bad        string // prefixes of the errors, separated by |
	}{
		{
			"an unknown setting and a removed key", `{` + keys(secretKey("new")) + `,"rings_s":5,"media":{"kind":"x"}}`,
			events.AppSettings{TokenKeys: keysNamed("new")},
			"rings_s media", "",
		},
		{
			"a bad limit and a removed key", `{` + keys(secretKey("new")) + `,"capacity":51}`,
			events.AppSettings{Capacity: 7, TokenKeys: keysNamed("new")},
			"", "capacity: must be",
		},
		{
			"every limit is bad", `{"capacity":0,"ring_timeout_s":"x","max_callees":-1,"max_duration_s":1.5}`,
			events.AppSettings{Capacity: 7, RingTimeoutS: 8, MaxCallees: 9, MaxDurationS: 10},
			"",
			"capacity: |ring_timeout_s: |max_callees: |max_duration_s: ",
		},
		{
			"a bad prefix", `{"service_call_prefix":"a.b","api_slots":7,"bytes_per_s":1}`,
			events.AppSettings{APISlots: 7, BytesPerS: 70_000, ServiceCallPrefix: "old_"},
			"", "bytes_per_s: |service_call_prefix: ",
		},
		{
			"words to come", `{"end_when_alone":"in_a_minute","room_id_from":7}`,
			events.AppSettings{EndWhenAlone: events.AloneNow, RoomIDFrom: events.RoomIDFromService},
			"", "end_when_alone: |room_id_from: ",
		},
		{"a limit given twice", `{"capacity":2,"capacity":3}`, events.AppSettings{Capacity: 7}, "", "capacity: given twice"},
		{
			"a key of an algorithm to come", `{` + keys(secretKey("new"), `{"kid":"pq","alg":"ML-DSA","public_key":"x"}`) + `}`,
			events.AppSettings{TokenKeys: keysNamed("new")},
			"", "token_keys[1].alg: ",
		},
		{
			"a key with a field to come", `{` + keys(`{"kid":"old","alg":"HS256","secret":"`+canarySecret+`","not_after":"x"}`, secretKey("new")) + `}`,
			events.AppSettings{TokenKeys: keysNamed("new")},
			"", `token_keys[0]."not_after": unknown`,
		},
		{
			"keys that share a kid", `{` + keys(secretKey("a"), secretKey("new"), secretKey("a")) + `}`,
			events.AppSettings{TokenKeys: keysNamed("new")},
			"", "token_keys[2].kid: given twice",
		},
		{
			"more keys than may be written", `{` + keys(secretKey("a"), secretKey("b"), secretKey("c")) + `}`,
			events.AppSettings{TokenKeys: keysNamed("a", "b", "c")},
			"", "token_keys: must have at most 2 of HS256",
		},
		{"keys that are no array", `{"token_keys":{}}`, events.AppSettings{}, "", "token_keys: must be an array"},
		{"keys given twice", `{` + keys(secretKey("old")) + `,` + keys(secretKey("new")) + `}`, events.AppSettings{}, "", "token_keys: given twice"},
		{"an origin with a wildcard", `{"origins":["https://*.b","https://a.b"]}`, events.AppSettings{Origins: []string{"https://a.b"}}, "", "origins[0]: "},
		{"origins that are no array", `{"origins":"*"}`, events.AppSettings{}, "", "origins: must be an array"},
		{
			"a revocation whose time can't be read", `{` + keys(secretKey("new")) + `,"not_before":{"eve":"tomorrow","bob":"2025-11-24T10:00:00.25Z","x":5}}`,
			events.AppSettings{TokenKeys: keysNamed("new"), NotBefore: map[string]events.Time{"eve": never, "x": never, "bob": revoked}},
			"", "not_before[",
		},
		{
			"a revocation given twice", `{"not_before":{"eve":"2025-11-24T10:00:00.250Z","eve":"2025-11-23T10:00:00.250Z"}}`,
			events.AppSettings{NotBefore: map[string]events.Time{"eve": revoked}},
			"", `not_before["eve"]: given twice`,
		},
		{
			"revocations that are no object", `{` + keys(secretKey("new")) + `,"capacity":2,"not_before":[]}`,
			events.AppSettings{Capacity: 2, NotBefore: last.NotBefore},
			"", "not_before: must be an object",
		},
		{
			"revocations given twice", `{` + keys(secretKey("new")) + `,"not_before":{},"not_before":{}}`,
			events.AppSettings{NotBefore: last.NotBefore},
			"", "not_before: given twice",
		},
		{
			"no revocations any more", `{` + keys(secretKey("new")) + `,"not_before":{}}`,
			events.AppSettings{TokenKeys: keysNamed("new"), NotBefore: map[string]events.Time{}},
			"", "",
		},
		{"no object", `[]`, last, "", "body: must be a JSON object"},
		{"no JSON", `{"capacity":`, last, "", "body: "},
	} {
		got := events.AppSettingsInForce([]byte(x.body), last)
		if !reflect.DeepEqual(got.Settings, x.want) {
			t.Errorf("%s: %+v, want %+v", x.name, got.Settings, x.want)
		}
		if unknown := strings.Join(got.Unknown, " "); unknown != x.unknown {
			t.Errorf("%s: unknown %s, want %s", x.name, unknown, x.unknown)
		}
		var begins []string
		if x.bad != "" {
			begins = strings.Split(x.bad, "|")
		}
		if len(got.Bad) != len(begins) {
			t.Fatalf("%s: %v, want %q", x.name, got.Bad, x.bad)
		}
		for i, begin := range begins {
			if !strings.HasPrefix(events.Message(got.Bad[i]), begin) {
				t.Errorf("%s: %v, want %s", x.name, got.Bad[i], begin)
			}
		}
	}
}

func keysNamed(kids ...string) (keys []events.TokenKey) {
	for _, kid := range kids {
		keys = append(keys, events.TokenKey{KID: kid, Alg: events.AlgHS256, Secret: canarySecret})
	}
	return keys
}

// FuzzAppSettingsInEffect checks that settings accepted by the strict reader are in force unchanged, and that every
// key in force is readable on its own.
func FuzzAppSettingsInEffect(f *testing.F) {
	f.Add([]byte(`{"token_keys":[` + secretKey("k") + `],"origins":["https://a.b"],"not_before":{"ann":"2026-11-24T10:00:00.000Z"}}`))
	f.Add([]byte(`{"capacity":51,"reach_s":5,"token_keys":[` + secretKey("a") + `,7]}`))
	f.Add([]byte(`{"token_keys":null,"origins":["*"],"not_before":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := events.AppSettingsInForce(body, events.AppSettings{})
		if s, err := events.ReadAppSettings(body); err == nil {
			if len(got.Bad)+len(got.Unknown) > 0 || fmt.Sprint(got.Settings) != fmt.Sprint(s) {
				t.Errorf("%s: %+v, want %+v", body, got, s)
			}
			return
		}
		if len(got.Bad)+len(got.Unknown) == 0 {
			t.Errorf("%s: the strict reader refuses it, and nothing says why", body)
		}
		for _, k := range got.Settings.TokenKeys {
			if _, err := k.Parse(); err != nil || k.KID == "" {
				t.Errorf("%s: key %v: %v", body, k, err)
			}
		}
		for _, bad := range got.Bad {
			if strings.Contains(events.WithoutQuotes(bad.Error()), canarySecret) {
				t.Errorf("%s: %v", body, bad)
			}
		}
	})
}
