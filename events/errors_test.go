package events_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

func TestWithoutQuotes(t *testing.T) {
	for message, want := range map[string]string{
		"":                                     "",
		"body: must be an object":              "body: must be an object",
		`user_id: got "x"`:                     `user_id: got …`,
		`"x": unknown field, ring has attempt`: `…: unknown field, ring has attempt`,
		`got 50 bytes beginning with "x \"y\" z", not 7`: `got 50 bytes beginning with …, not 7`,
		`"a" and "b"`:         `… and …`,
		`parser: proto="x...`: `parser: proto=…`,
		`not JSON: invalid character '"' after "x"`: `not JSON: invalid character '…' after …`,
	} {
		if got := events.WithoutQuotes(message); got != want {
			t.Errorf("%s\nis %s\nwant %s", message, got, want)
		}
	}
}

// A refusal does not contain the given values, whichever field is malformed.
func TestRefusalsWithoutQuotes(t *testing.T) {
	const canary = "CANARY"
	values := []string{
		quote(canary + ` \" \\ ' \u0000`), quote(canary + strings.Repeat("x", 5000)), `{"` + canary + `":1}`, `["` + canary + `"]`, quote(canary + ` `),
		quote(canary + `\ud800`), canary, `"` + canary, quote(`\q` + canary), quote(canary + "\xff"), `"a" "` + canary + `"`, `-1e999`,
	}
	var fields []string
	for _, verb := range events.Verbs() {
		fields = append(fields, append(verb.Fields(), "via")...)
	}
	slices.Sort(fields)
	fields = slices.Compact(fields)
	refused, quoted := 0, 0
	for _, verb := range append(events.Verbs(), "shout") {
		for _, field := range append(fields, canary, canary+`"`) {
			for _, value := range values {
				for _, body := range []string{value, fmt.Sprintf(`{%q:%s}`, field, value), with(userBody, field, value), fmt.Sprintf(`{"callees":[{%q:%s}]}`, field, value)} {
					_, err := events.ReadCommand(events.CommandAddress{App: "demo", CallID: "c1", Verb: verb}, []byte(body))
					if err == nil {
						continue
					}
					refused++
					if strings.Contains(err.Error(), canary) {
						quoted++
					}
					if got := events.WithoutQuotes(events.Message(err)); strings.Contains(got, canary) || got == "" {
						t.Errorf("%s: %s", body, got)
					}
				}
			}
		}
	}
	if refused < 1000 || quoted < 100 {
		t.Errorf("%d were refused, %d of them with the input", refused, quoted)
	}
	if err := events.CheckAnswerToken(canary + ".a.b"); !strings.Contains(err.Error(), canary) || strings.Contains(events.WithoutQuotes(err.Error()), canary) {
		t.Error(err)
	}
	if _, err := events.ReadAppSettings([]byte(`{"` + canary + `":1}`)); strings.Contains(events.WithoutQuotes(err.Error()), canary) {
		t.Error(err)
	}
}

func FuzzWithoutQuotes(f *testing.F) {
	for _, s := range []string{"", "x", `"`, `'"'`, `\`, "\xff\x00", "…", `", got "`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := events.WithoutQuotes(fmt.Sprintf("a: must be b, got %q, and c is %q.", s, s)); got != "a: must be b, got …, and c is …." {
			t.Errorf("%q leaves %s", s, got)
		}
	})
}
