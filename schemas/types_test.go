package schemas_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/timeouts"
)

// goType is what is written as a schema says, with what the two rightly differ in.
type goType struct {
	value    any
	optional []string // required by the schema, though the type may leave it out
	absent   []string // in the type only
	extra    []string // in the schema only
	onlyOK   []string // not required where it is an error
	strict   bool     // nothing else is allowed
}

// goTypes are the types of all schemas but those of commands and requests, which are read by code and not by a type
// (command_test.go). Which notifications and events never have a field is held against the decisions (told_test.go).
func goTypes() map[string]goType {
	types := map[string]goType{
		"view":               {value: events.Call{}, absent: []string{"custom"}},
		"view/v2":            {value: events.Call{}},
		"answer":             {value: events.Answer{}},
		"line":               {value: []events.Entry{}},
		"app":                {value: events.AppSettings{}, strict: true},
		"deadline":           {value: timeouts.Deadline{}},
		"reply/get":          {value: events.Answer{}, absent: []string{"command_id"}},                          // a read has no command
		"reply/line":         {value: events.LineAnswer{}, extra: []string{"error"}, onlyOK: []string{"calls"}}, // a refusal is an Answer
		"reply/list":         {value: events.ListAnswer{}, extra: []string{"error"}, onlyOK: []string{"calls"}},
		"part/by":            {value: events.By{}},
		"part/caller":        {value: events.Caller{}},
		"part/callee":        {value: events.Callee{}, absent: []string{"custom_seq"}},
		"part/callee/v2":     {value: events.Callee{}, absent: []string{"custom_data"}},
		"part/change":        {value: events.Change{}},
		"part/entry":         {value: events.Entry{}},
		"part/error":         {value: events.Error{}},
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
		for _, name := range []string{"call/" + string(e), "call/" + string(e) + "/v2"} {
			types[name] = goType{value: envelope{}, absent: []string{"custom_data"}}
		}
	}
	return types
}

// envelope is that of a transition, whose type events keeps to itself (TestEnvelope).
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

// closedSets are the words of the types that have a closed set of them.
func closedSets() map[reflect.Type][]string {
	sets := map[reflect.Type][]string{}
	add(sets, events.Verbs())
	add(sets, events.Events())
	add(sets, events.Kinds())
	add(sets, events.PartyStates())
	add(sets, events.Reasons())
	add(sets, events.EndReasons())
	add(sets, events.Codes())
	add(sets, events.TokenAlgs())
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

// narrower are the members that have only some words of their type's set.
func narrower() map[string][]string {
	sets := map[string][]string{"part/caller.state": {"in", "left"}}
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

// TestSchemasHoldTheirTypes: in both directions, and to the last limit.
func TestSchemasHoldTheirTypes(t *testing.T) {
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
