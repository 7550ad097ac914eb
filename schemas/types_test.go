package schemas_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
)

// goType is a Go type that a schema describes, with the intended differences between the two.
type goType struct {
	value    any
	optional []string // required by the schema, although the type may omit it
	absent   []string // only in the type
	extra    []string // only in the schema
	onlyOK   []string // not required in an error
	strict   bool     // other members are not allowed
}

// goTypes returns the types of all schemas except commands and requests, which are read by code instead of a type
// (command_test.go). Which fields a notification or event never has is checked against the decisions (decisions_test.go).
func goTypes() map[string]goType {
	types := map[string]goType{
		"view":               {value: events.Call{}, absent: []string{"custom"}},
		"view/v2":            {value: events.Call{}},
		"answer":             {value: events.Answer{}},
		"line":               {value: []events.Entry{}},
		"app":                {value: events.AppSettings{}, strict: true},
		"deadline":           {value: events.Deadline{}},
		"reply/get":          {value: events.Answer{}, absent: []string{"command_id", "refused"}},               // a read has no command
		"reply/line":         {value: events.LineAnswer{}, extra: []string{"error"}, onlyOK: []string{"calls"}}, // a refusal is an Answer
		"reply/list":         {value: events.ListAnswer{}, extra: []string{"error"}, onlyOK: []string{"calls"}},
		"reply/present":      {value: events.PresentAnswer{}, extra: []string{"error"}, onlyOK: []string{"present_until"}},
		"part/by":            {value: events.By{}},
		"part/caller":        {value: events.Caller{}, absent: []string{"avatar", "reason", "changed_seq", "watched"}},
		"part/caller/v2":     {value: events.Caller{}},
		"part/callee":        {value: events.Callee{}, absent: []string{"avatar", "custom_seq", "changed_seq", "watched", "reach_deadline"}},
		"part/callee/v2":     {value: events.Callee{}, absent: []string{"custom_data"}},
		"part/change":        {value: events.Change{}},
		"part/change/v2":     {value: events.Change{}},
		"part/entry":         {value: events.Entry{}},
		"part/error":         {value: events.Error{}},
		"part/refused":       {value: events.RefusedCallee{}},
		"part/party":         {value: events.Party{}, strict: true},
		"part/remembered":    {value: events.Remembered{}},
		"session/connect":    {value: events.ConnectData{}},
		"session/snapshot":   {value: events.Snapshot{}},
		"session/push":       {value: events.SnapshotPush{}},
		"session/event":      {value: events.SessionEvent{}},
		"part/snapshot_call": {value: events.SnapshotCall{}},
		"part/token_key":     {value: events.TokenKey{}, strict: true},
	}
	for _, k := range events.Kinds() {
		types["notification/"+string(k)] = goType{
			value:    events.Notification{},
			optional: []string{"user_id", "reason", "ring_remaining_ms", "call"},
			absent:   []string{"reason", "custom_data", "ring_remaining_ms"},
		}
	}
	for _, e := range events.Events() {
		for format, name := range names(e) {
			if e.In(format) {
				types[name] = goType{value: envelope{}, absent: []string{"custom_data"}}
			}
		}
	}
	return types
}

// names returns the names of the schemas of an event, by format.
func names(e events.Event) map[int]string {
	return map[int]string{1: "call/" + string(e), 2: "call/" + string(e) + "/v2"}
}

// envelope is the envelope of a transition, which package events does not export (TestEnvelope).
type envelope struct {
	SpecVersion     string            `json:"specversion"`
	ID              string            `json:"id"`
	Source          string            `json:"source"`
	Type            string            `json:"type"`
	Subject         string            `json:"subject"`
	Time            events.Time       `json:"time"`
	DataContentType string            `json:"datacontenttype"`
	DataSchema      string            `json:"dataschema"`
	Sequence        string            `json:"sequence"`
	CausationID     string            `json:"causationid"`
	Data            events.Transition `json:"data"`
}

func TestEnvelope(t *testing.T) {
	text, err := events.Transition{}.Encode(0)
	if err != nil {
		t.Fatal(err)
	}
	var e envelope
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		t.Errorf("the envelope here is not that of events: %v", err)
	}
	if again, err := events.Encode(e); err != nil || string(again) != string(text) {
		t.Errorf("got  %s\nwant %s (%v)", again, text, err)
	}
}

// closedSets returns the words of all types with a closed set.
func closedSets() map[reflect.Type][]string {
	sets := map[reflect.Type][]string{}
	add(sets, events.Verbs())
	add(sets, events.Events())
	add(sets, events.Kinds())
	add(sets, events.PartyStates())
	add(sets, events.Reasons())
	add(sets, events.EndReasons())
	add(sets, events.Codes())
	add(sets, []events.DeadlineKind{events.DeadlineReach})
	add(sets, events.TokenAlgs())
	add(sets, events.EndsWhenAlone())
	add(sets, events.RoomIDsFrom())
	add(sets, events.SessionChanges())
	add(sets, []events.PushEvent{events.PushSnapshot})
	add(sets, []events.CallState{events.CallStateRinging, events.CallStateActive, events.CallStateEnded})
	add(sets, []events.ByKind{events.ByUser, events.ByService, events.ByTimer})
	return sets
}

func add[T ~string](sets map[reflect.Type][]string, words []T) {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	sets[reflect.TypeFor[T]()] = list
}

// narrower lists the members that use only some words of their type's set.
func narrower() map[string][]string {
	sets := map[string][]string{"part/caller.state": {"in", "left"}, "part/caller/v2.state": {"in", "left"}, "part/caller/v2.reason": {"lost"}}
	sets["part/refused.code"] = []string{"already_exists", "invalid_argument"}
	for _, r := range events.Reasons() {
		if r.In(1) {
			sets["part/callee.reason"] = append(sets["part/callee.reason"], string(r))
		}
	}
	sets["part/change.reason"] = sets["part/callee.reason"]
	for _, s := range events.PartyStates() {
		if s != events.StateIn {
			sets["part/callee.state"] = append(sets["part/callee.state"], string(s))
			sets["part/callee/v2.state"] = sets["part/callee.state"]
		}
	}
	for _, e := range events.Events() {
		for version, name := range map[string]string{"v1": "call/" + string(e), "v2": "call/" + string(e) + "/v2"} {
			sets[name+".data.event"] = []string{string(e)}
			sets[name+".type"] = []string{"io.ringline.call." + string(e) + "." + version}
			sets[name+".dataschema"] = []string{schemas.Base + "call/" + string(e) + "/" + version + ".json"}
			sets[name+".specversion"] = []string{"1.0"}
			sets[name+".datacontenttype"] = []string{"application/json"}
		}
	}
	for _, k := range events.Kinds() {
		sets["notification/"+string(k)+".event"] = []string{string(k)}
	}
	return sets
}

// TestSchemasMatchTheirTypes compares schemas and types in both directions, including all limits.
func TestSchemasMatchTheirTypes(t *testing.T) {
	types := goTypes()
	for _, path := range schemas.Paths() {
		name := schemas.NameOf(path)
		if strings.HasPrefix(name, "command/") || strings.HasPrefix(name, "request/") {
			continue
		}
		typ, known := types[name]
		if !known {
			t.Errorf("no type for %s", path)
			continue
		}
		delete(types, name)
		for _, wrong := range newHolder().differences(name, schema(t, path), typ) {
			t.Error(wrong)
		}
	}
	for name := range types {
		t.Errorf("no schema for %s", name)
	}
}
