package schemas_test

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
)

func TestEverySchemaCompiles(t *testing.T) {
	c := check.New()
	for _, path := range schemas.Paths() {
		err := c.Valid(path, []byte(`7`)) // no schema allows a number
		if err == nil || strings.Contains(err.Error(), "check: ") {
			t.Errorf("%s: %v, want a validation error", path, err)
		}
	}
}

func TestIDIsPath(t *testing.T) {
	titles := map[string]string{}
	for _, path := range schemas.Paths() {
		s := schema(t, path)
		if s["$id"] != "https://ringline.io/schemas/"+path || s["$schema"] != "http://json-schema.org/draft-07/schema#" {
			t.Errorf("%s: $id %v, $schema %v", path, s["$id"], s["$schema"])
		}
		title, _ := s["title"].(string)
		if title == "" || titles[title] != "" || s["description"] == "" {
			t.Errorf("%s: its title %q is empty or that of %s, or it has no description", path, title, titles[title])
		}
		titles[title] = path
	}
}

// Every word of every closed set of messages has a schema, and there are no other schemas.
func TestEveryMessageHasASchema(t *testing.T) {
	want := []string{"answer", "app", "deadline", "line", "view", "view/v2", "part/caller/v2", "part/callee/v2", "part/change/v2"}
	for _, v := range events.Verbs() {
		want = append(want, "command/"+string(v))
		if v.Served() {
			want = append(want, "request/"+string(v))
		}
	}
	for _, e := range events.Events() {
		for format, name := range names(e) {
			if e.In(format) {
				want = append(want, name)
			}
		}
	}
	for _, k := range events.Kinds() {
		want = append(want, "notification/"+string(k))
	}
	for _, method := range []string{"get", "line", "list", "present"} {
		want = append(want, "request/"+method, "reply/"+method)
	}
	for _, part := range []string{"by", "caller", "callee", "change", "entry", "error", "party", "refused", "remembered", "snapshot_call", "token_key"} {
		want = append(want, "part/"+part)
	}
	for _, what := range []string{"connect", "event", "push", "snapshot"} {
		want = append(want, "session/"+what)
	}
	for i := range want {
		want[i] = schemas.PathOf(want[i])
	}
	slices.Sort(want)
	if got := schemas.Paths(); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// All files in the folder are embedded. go:embed lists the folders one by one.
func TestEverythingIsEmbedded(t *testing.T) {
	var inFolder, embedded []string
	list := func(files fs.FS, to *[]string) {
		err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".yaml") {
				*to = append(*to, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list(os.DirFS("."), &inFolder)
	list(schemas.FS(), &embedded)
	if !slices.Equal(inFolder, embedded) || len(embedded) < 60 {
		t.Errorf("in the folder %v\nembedded %v", inFolder, embedded)
	}
	if _, err := schemas.Read("command/shout/v1.json"); err == nil {
		t.Error("read a missing file")
	}
}

func TestForSubject(t *testing.T) {
	app, call := "demo", "c1"
	for _, x := range []struct{ subject, event, want string }{
		{events.CommandSubject(app, call, events.VerbDecline), "", "command/decline/v1.json"},
		{events.TransitionSubject(app, call), "accepted", "call/accepted/v2.json"},
		{"ringline.demo.events", "fenced", "call/fenced/v2.json"},
		{events.UserSubject(app, "a.b"), "call_ended", "notification/call_ended/v1.json"},
		{events.AnswerSubject(app, "t"), "", "answer/v1.json"},
		{events.AnswerSubject(app, "p.t"), "", "answer/v1.json"},
		{events.APISubject(app, "list"), "", "request/list/v1.json"},
		{events.TimerSubject(app, call, events.DeadlineID{Seq: 1}), "", "deadline/v1.json"},
		{events.DueSubject(app, call, events.DeadlineID{Seq: 1, Kind: events.DeadlineReach}), "", "deadline/v1.json"},
		{events.CommandSubject(app, call, "shout"), "", ""},
		{events.TransitionSubject(app, call), "", ""},
		{events.TransitionSubject(app, call), "../view", ""},
		{events.UserSubject(app, "ann"), "accepted", ""},
		{events.RejectedSubject(app, events.VerbRing), "", ""},
		{"ringline", "", ""},
		{"ringline.demo", "", ""},
		{"elsewhere.demo.events", "fenced", ""},
		{"", "", ""},
	} {
		if got := schemas.ForSubject(x.subject, x.event); got != x.want {
			t.Errorf("%s %q: %q, want %q", x.subject, x.event, got, x.want)
		}
	}
}

// schema returns a schema as a tree.
func schema(tb testing.TB, path string) object {
	tb.Helper()
	s, err := check.Schema(path)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// asyncapi.yaml contains every message and every subject. .ci/asyncapi checks that it is valid AsyncAPI.
func TestAsyncAPIHasEverything(t *testing.T) {
	text, err := schemas.Read("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range schemas.Paths() {
		folder, _, _ := strings.Cut(path, "/")
		if slices.Contains([]string{"part", "view", "line", "app"}, folder) || folder == "session" && path != "session/event/v1.json" {
			continue // not separate messages, or not sent over NATS
		}
		if !strings.Contains(string(text), `"$ref": "`+path+`"`) {
			t.Errorf("%s is not in it", path)
		}
	}
	addresses := regexp.MustCompile(`(?m)^    address: (.+)$`).FindAllStringSubmatch(string(text), -1)
	subjects := map[string]int{}
	for _, a := range addresses {
		subjects[regexp.MustCompile(`\{\w+\}`).ReplaceAllString(a[1], "*")]++
	}
	want := map[string]int{
		events.TransitionSubjects: 1, "ringline.*.timer.*.*": 1, "ringline.*.due.*.*": 1, events.EventsSubjects: 1, events.RejectedSubjects: 1,
		events.SessionSubjects: 1, events.UserSubjects: 1, events.AnswerSubject("*", "*"): 1, events.AnswerSubject("*", "*.*"): 1, "null": 1,
	}
	for _, v := range events.Verbs() {
		want[events.CommandSubject("*", "*", v)] = 1
		if v.Served() {
			want[events.APISubject("*", string(v))] = 1
		}
	}
	reach := events.DeadlineID{Kind: events.DeadlineReach}
	for _, subject := range []string{events.TimerSubject("*", "*", reach), events.DueSubject("*", "*", reach)} {
		want[strings.Replace(subject, ".0.", ".*.", 1)] = 1
	}
	for _, method := range []string{"get", "line", "list", "present"} {
		want[events.APISubject("*", method)] = 1
	}
	if !maps.Equal(subjects, want) {
		t.Errorf("got %v\nwant %v", subjects, want)
	}
}
