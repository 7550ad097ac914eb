package cli

import (
	"errors"
	"fmt"
	"runtime/debug"
	"testing"

	"ringline.io/ringline/events"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"invite", "ring", "accept", "decline"}
	for typed, want := range map[string]string{"invte": "invite", "rin": "ring", "declined": "decline", "zzzzzzz": "", "": ""} {
		if got, ok := Nearest(typed, words); got != want || ok != (want != "") {
			t.Errorf("nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"bob": "bob", "Bob B.": "Bob B.", "李": "李", "": `""`, " bob": `" bob"`, `a"b`: `"a\"b"`,
		"\x1b[31mred": `"\x1b[31mred"`, "a\nb": `"a\nb"`, "\u202eabc": `"\u202eabc"`, "a\xff": `"a\xff"`,
	} {
		if got := Plain(in); got != want {
			t.Errorf("plain(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWithoutCode(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("app: %w", events.CheckToken("--app", "a b"))
	for _, err := range []error{refused, errors.New("app: unknown")} {
		if got := WithoutCode(err).Error(); got != events.Message(err) {
			t.Errorf("%v becomes %q", err, got)
		}
	}
	if err := WithoutCode(events.CheckToken("--app", "a")); err != nil {
		t.Errorf("no error becomes %v", err)
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"bob": "bob", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'", "nats://127.0.0.1:4222": "nats://127.0.0.1:4222",
	} {
		if got := ShellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestGoRunIsRecognised(t *testing.T) {
	t.Parallel()
	for exe, want := range map[string]bool{
		"/tmp/go-build123/b001/exe/ringline": true, "/home/ann/.cache/go-build/ab/abc-d/ringline": true,
		"/usr/local/bin/ringline": false, "/home/go-builder/ringline/ringline": false, "/srv/go-build": false,
	} {
		if got := fromGoRun(exe); got != want {
			t.Errorf("fromGoRun(%s) = %v", exe, got)
		}
	}
}

func TestVersionText(t *testing.T) {
	t.Parallel()
	for want, info := range map[string]*debug.BuildInfo{
		"unknown": nil,
		"v1.2.3":  {Main: debug.Module{Version: "v1.2.3"}},
		"(devel) (abc, changed since)": {
			Main:     debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
		},
	} {
		if got := VersionText(info); got != want {
			t.Errorf("%+v is %q, want %q", info, got, want)
		}
	}
}
