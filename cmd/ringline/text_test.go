package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringline.io/ringline/events"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"invite", "ring", "accept", "decline"}
	for typed, want := range map[string]string{"invte": "invite", "rin": "ring", "declined": "decline", "zzzzzzz": "", "": ""} {
		if got, ok := nearest(typed, words); got != want || ok != (want != "") {
			t.Errorf("nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestNothingOfOthersReachesTheTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"bob": "bob", "Bob B.": "Bob B.", "李": "李", "": `""`, " bob": `" bob"`, `a"b`: `"a\"b"`,
		"\x1b[31mred": `"\x1b[31mred"`, "a\nb": `"a\nb"`, "\u202eabc": `"\u202eabc"`, "a\xff": `"a\xff"`,
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %s, want %s", in, got, want)
		}
	}
	c := events.Call{
		CallID: "c1", State: events.CallStateRinging, CustomData: "\x1b]0;title\a",
		Caller:  events.Caller{UserID: "a\u009bb", UserName: "\x1b[2J", State: events.StateIn},
		Callees: []events.Callee{{UserID: "\u202e", DeviceID: "\x1b", State: events.StateDeclined}},
	}
	if text := callText(palette{}, c, time.Time{}); strings.ContainsAny(text, "\x1b\a\u009b\u202e") {
		t.Errorf("%q", text)
	}
	for _, data := range []string{"\x1b[2J", `{"event":"\u001b[2J","id":"\u001b","reason":"\u001b"}`} {
		if line := notificationLine(palette{}, "ringline.demo.user.=1B", []byte(data), time.Time{}); strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
		if line := transitionLine(palette{}, "ringline.demo.call.c1", []byte(data), time.Time{}); strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
	}
}

func TestQuotedData(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "hi": `"hi"`, "a\nb": `"a\nb"`, strings.Repeat("ü", 60): `"` + strings.Repeat("ü", 60) + `"`,
		strings.Repeat("ü", 61): `"` + strings.Repeat("ü", 60) + `"…`,
	} {
		if got := quotedData(in); got != want {
			t.Errorf("quotedData(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestColours(t *testing.T) {
	t.Parallel()
	on := palette{on: true}
	for _, k := range events.Kinds() {
		if on.kind(k, "x") == "x" {
			t.Errorf("%s has no colour", k)
		}
	}
	for _, s := range events.PartyStates() {
		if on.state(s, "x") == "x" || (palette{}).state(s, "x") != "x" {
			t.Errorf("%s has no colour, or always one", s)
		}
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"bob": "bob", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'", "nats://127.0.0.1:4222": "nats://127.0.0.1:4222",
	} {
		if got := shellWord(in); got != want {
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

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"nats://127.0.0.1:4222": "nats://127.0.0.1:4222", "nats://u:p@h:1": "nats://h:1", "token@h": "h",
		"nats://u:p@a:1, tls://t@b:2": "nats://a:1,tls://b:2", "nats://u:p@x@h:1": "nats://h:1",
	} {
		if got := withoutSecrets(in); got != want {
			t.Errorf("withoutSecrets(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	until := func(ctx context.Context) error { <-ctx.Done(); return nil }
	broken := errors.New("broken")
	err := runTogether(t.Context(), []part{
		{"good", until},
		{"bad", func(context.Context) error { return broken }},
		{"last words", func(ctx context.Context) error { <-ctx.Done(); return errors.New("not drained") }},
	})
	if !errors.Is(err, broken) || err.Error() != "bad: broken\nlast words: not drained" {
		t.Errorf("one that fails stops all: %v", err)
	}
	err = runTogether(t.Context(), []part{{"good", until}, {"early", func(context.Context) error { return nil }}})
	if err == nil || err.Error() != "early: ended by itself" {
		t.Errorf("nobody ends by himself: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := runTogether(ctx, []part{{"good", until}}); err != nil {
		t.Errorf("stopped from outside: %v", err)
	}
}

func TestBehind(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ended []string
	until := func(name string) part {
		return part{name, func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, name)
			return nil
		}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		ended = nil
		if err := runBehind(ctx, []part{until("front"), until("front")}, []part{until("back")}); err != nil {
			t.Errorf("stopped from outside: %v", err)
		}
		if !slices.Equal(ended, []string{"front", "front", "back"}) {
			t.Errorf("they ended in the order %v", ended)
		}
	}
	if err := runBehind(ctx, nil, []part{until("back")}); err != nil {
		t.Errorf("nothing in front: %v", err)
	}
	broken := part{"bad", func(context.Context) error { return errors.New("broken") }}
	for _, list := range [][2][]part{{{until("front"), broken}, {until("back")}}, {{until("front")}, {until("back"), broken}}, {nil, {broken}}} {
		if err := runBehind(t.Context(), list[0], list[1]); err == nil || err.Error() != "bad: broken" {
			t.Errorf("one that fails stops all: %v", err)
		}
	}
}
