package schemas_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
)

// trip is a round trip of messages with every field set. Each message must match its schema, without undescribed
// members, and read back as what was written.
type trip struct {
	*filler

	c *check.Checker
}

// TestRoundTrip fails if an encoder or a decoder leaves out a field, or if a field of package events is in no message.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := trip{newFiller(t), check.New(check.Closed)}
	for _, v := range events.Verbs() {
		r.command(v)
	}
	for _, e := range events.Events() {
		for format := range names(e) {
			if e.In(format) {
				r.transition(e, format)
			}
		}
	}
	types := goTypes()
	for _, name := range slices.Sorted(maps.Keys(types)) {
		switch {
		case strings.HasPrefix(name, "part/"), strings.HasPrefix(name, "call/"):
			continue // inside other messages, or with an envelope
		}
		r.message(name, reflect.TypeOf(types[name].value))
	}
	for _, field := range fieldsOfEvents(t) {
		if !r.filled[field] {
			t.Errorf("no message has %s", field)
		}
	}
}

// command sends a command of each kind of sender, and as a request.
func (r *trip) command(v events.Verb) {
	path := "command/" + string(v) + "/v1.json"
	cmd := events.Command{CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: v}}
	r.fill(reflect.ValueOf(&cmd).Elem(), schemas.NameOf(path), schema(r.t, path))
	user, service := cmd, cmd
	user.Service = ""
	service.UserID, service.DeviceID, service.Via = "", "", ""
	for _, sent := range []events.Command{user, service} {
		if sent.UserID == "" && sent.Service == "" {
			continue // a service can't send this verb
		}
		body, err := sent.Encode()
		got, refused := events.ReadCommand(sent.CommandAddress, body)
		r.compare(path, body, sent, got, err, refused)
		if sent.Via = ""; !v.Served() {
			continue
		}
		body, err = sent.EncodeRequest()
		got, refused = events.ReadRequest(sent.App, v, body, func() string { return "made" })
		r.compare("request/"+string(v)+"/v1.json", body, sent, got, err, refused)
	}
}

// inFormat1 returns the transition without what calls of format 1 don't have.
func inFormat1(t events.Transition) events.Transition {
	t.Format, t.Call.Callees, t.Changes = 1, slices.Clone(t.Call.Callees), slices.Clone(t.Changes)
	c := &t.Call.Caller
	c.Reason, c.ChangedSeq, c.Watched, c.Avatar = "", 0, false, ""
	for i := range t.Call.Callees {
		x := &t.Call.Callees[i]
		if x.ChangedSeq, x.Watched, x.Avatar, x.ReachDeadline = 0, false, "", 0; !x.Reason.In(1) {
			x.Reason = events.ReasonLeft
		}
	}
	for i := range t.Changes {
		switch ch := &t.Changes[i]; {
		case ch.Reason.In(1):
		case ch.Attempt == 0: // a caller has no reason
			ch.Reason = ""
		default:
			ch.Reason = events.ReasonLeft
		}
	}
	return t
}

func (r *trip) transition(e events.Event, format int) {
	data := schema(r.t, schemas.PathOf("call/"+string(e)+"/v2"))["properties"].(object)["data"].(object)
	sent := events.Transition{CommandID: "k1", Format: format}
	r.filled["Transition.CommandID"], r.filled["Transition.Format"] = true, true
	r.fill(reflect.ValueOf(&sent).Elem(), "call/"+string(e)+"/v2.data", data)
	sent.Call.Seq = sent.Seq
	if format == 1 {
		sent = inFormat1(sent)
	}
	sent.Commands[0].Service, sent.Commands[1].UserID = "", ""                 // each has one sender
	sent.Call.Custom = map[int]string{2: "for the first", 3: "for the second"} // as format 1 numbers them
	for i := range sent.Call.Callees {
		sent.Call.Callees[i].CustomSeq = i + 2
	}
	const at = 1795744292244
	body, err := sent.Encode(at)
	got, when, unread := events.ReadTransition(sent.Call.App, sent.Call.CallID, body)
	path := "call/" + string(e) + map[int]string{1: "/v1.json", 2: "/v2.json"}[format]
	if r.compare(path, body, sent, got, err, unread); when != at {
		r.t.Errorf("%s: its time is %v", path, when)
	}
}

// message sends a message of any other type.
func (r *trip) message(name string, typ reflect.Type) {
	full := reflect.New(typ)
	r.fill(full.Elem(), name, schema(r.t, schemas.PathOf(name)))
	for _, sent := range r.possible(full.Interface()) {
		body, err := events.Encode(reflect.ValueOf(sent).Elem().Interface())
		got, unread := read(sent, body)
		r.compare(schemas.PathOf(name), body, reflect.ValueOf(sent).Elem().Interface(), got, err, unread)
	}
}

// possible returns the messages that a full one stands for, if some of its fields exclude each other.
func (r *trip) possible(full any) []any {
	switch x := full.(type) {
	case *events.Answer:
		refused := *x
		x.Error, refused.OK = nil, false
		return []any{x, &refused}
	case *events.AppSettings:
		x.TokenKeys[0].Alg, x.TokenKeys[0].PublicKey = events.AlgHS256, ""
		x.TokenKeys[1].Alg, x.TokenKeys[1].Secret = events.AlgEdDSA, ""
	}
	return []any{full}
}

// read decodes the message like its receiver.
func read(like any, body []byte) (any, error) {
	switch like.(type) {
	case *events.Answer:
		return events.ReadAnswer(body)
	case *[]events.Entry:
		return events.ReadLine(body)
	case *events.AppSettings:
		return events.ReadAppSettings(body)
	case *events.ConnectData:
		return events.ReadConnectData(body)
	}
	to := reflect.New(reflect.TypeOf(like).Elem())
	err := json.Unmarshal(body, to.Interface(), json.RejectUnknownMembers(true))
	return to.Elem().Interface(), err
}

func (r *trip) compare(path string, body []byte, sent, got any, err, unread error) {
	r.t.Helper()
	if err != nil || unread != nil {
		r.t.Errorf("%s: %v, %v\n%s", path, err, unread, body)
		return
	}
	if err := r.c.Valid(path, body); err != nil {
		r.t.Errorf("%s: %v\n%s", path, err, body)
	}
	if !reflect.DeepEqual(sent, got) {
		r.t.Errorf("%s: read back as\n%+v\nwant\n%+v\n%s", path, got, sent, body)
	}
}

// fieldsOfEvents lists the fields of a command, and of the types of package events with struct tags, as Type.Field.
func fieldsOfEvents(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../events/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() && !strings.HasSuffix(path, "_test.go") {
				fields = append(fields, taggedFields(spec)...)
			}
			return true
		})
	}
	return fields
}

func taggedFields(spec *ast.TypeSpec) (fields []string) {
	s, ok := spec.Type.(*ast.StructType)
	isTagged := func(f *ast.Field) bool { return f.Tag != nil }
	if !ok || spec.Name.Name != "Command" && !slices.ContainsFunc(s.Fields.List, isTagged) {
		return nil
	}
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			fields = append(fields, spec.Name.Name+"."+name.Name)
		}
	}
	return fields
}
