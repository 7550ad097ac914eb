package events_test

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// hostile are ids that would be harmful in a subject token or KV key without escaping.
var hostile = []string{
	"a.b", ".", "..", "*", ">", "a.*", "ringline.>", "$JS.API", "_INBOX.x", "a b", "\t", "\r\n", "\x00", "a\x00",
	"=", "==", "=2E", "=2e", "=h", "=hello", "=3D", "=3Dh", "=h" + strings.Repeat("0", 64), "é", "😀", "日本語", "\u2028", "\x7f",
	"/a/../b", `a\b`, `"`, "<&>", "%2E", "+", "a@example.com", "ann:1", "\xff", "a\xc3", "\xed\xa0\x80",
	strings.Repeat("a", 127), strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat(".", 128),
	strings.Repeat(".", 42) + "aa", strings.Repeat(".", 43), strings.Repeat("😀", 32), strings.Repeat("é", 64),
}

func TestEscape(t *testing.T) {
	dots42 := strings.Repeat("=2E", 42) // 126 bytes
	for _, c := range []struct{ id, want string }{
		{"ann", "ann"},
		{"AZaz09_-", "AZaz09_-"},
		{"a.b", "a=2Eb"},
		{"*", "=2A"},
		{">", "=3E"},
		{" ", "=20"},
		{"\x00", "=00"},
		{"\x7f", "=7F"},
		{"=", "=3D"},
		{"=2E", "=3D2E"},
		{"é", "=C3=A9"},
		{"😀", "=F0=9F=98=80"},
		{"@/:[`{", "=40=2F=3A=5B=60=7B"}, // the neighbors of the unescaped ranges
		{"a@example.com", "a=40example=2Ecom"},
		{strings.Repeat("a", 128), strings.Repeat("a", 128)},
		{strings.Repeat(".", 42) + "aa", dots42 + "aa"},
		// 129 bytes escaped. (printf '.%.0s' {1..42}; printf aaa) | sha256sum
		{strings.Repeat(".", 42) + "aaa", "=h1301982cb9dc2a8cea80c0b843533565c52e8f86acf71c4b0c9787481ca2ea23"},
		// printf 'a%.0s' {1..129} | sha256sum
		{strings.Repeat("a", 129), "=hc12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae"},
	} {
		if got := events.Escape(c.id); got != c.want {
			t.Errorf("Escape(%q) = %s, want %s", c.id, got, c.want)
		}
	}
	for _, id := range []string{strings.Repeat(".", 43), strings.Repeat("😀", 32), strings.Repeat("é", 64)} {
		if got, want := events.Escape(id), fmt.Sprintf("=h%x", sha256.Sum256([]byte(id))); got != want {
			t.Errorf("Escape(%q) = %s, want %s", id, got, want)
		}
	}
}

func TestUnescapeRefuses(t *testing.T) {
	for _, token := range []string{
		"",                           // an id is never empty
		"a.b", "a b", "*", ">", "\n", // Escape never returns these
		"=", "a=", "=2", "a=2", "=G0", "=0G", "= 2", "==2E", "=2E=",
		"=2e", "=c3=A9", // lower-case hex
		"=41", "=5F", "=2D", // characters that need no escape
		"=h", "=h00", events.Escape(strings.Repeat("a", 129)), // hashes
		strings.Repeat("a", 129), strings.Repeat("=2E", 43), // would have become a hash
	} {
		if id, ok := events.Unescape(token); ok {
			t.Errorf("Unescape(%q) = %q, want none", token, id)
		}
	}
}

var escaped = regexp.MustCompile(`^[A-Za-z0-9_=-]*$`)

func checkEscape(t *testing.T, id string) string {
	t.Helper()
	token := events.Escape(id)
	if !escaped.MatchString(token) || len(token) > 128 || (token == "") != (id == "") {
		t.Fatalf("Escape(%q) = %q: must be 1 to 128 of A-Z a-z 0-9 _ = -", id, token)
	}
	back, ok := events.Unescape(token)
	switch hashed := strings.HasPrefix(token, "=h"); {
	case hashed && ok:
		t.Fatalf("Unescape(%q) = %q, but a hash has no way back", token, back)
	case hashed && (len(token) != 66 || len(id) <= 128/3):
		t.Fatalf("Escape(%q) = %q: hashed, though short, or no SHA-256", id, token)
	case !hashed && id != "" && (!ok || back != id):
		t.Fatalf("Unescape(Escape(%q)) = %q, %t", id, back, ok)
	}
	return token
}

func FuzzEscape(f *testing.F) {
	for i, id := range hostile {
		f.Add(id, hostile[(i+1)%len(hostile)])
		f.Add(id, events.Escape(id)) // an id that looks like the token of another id
	}
	f.Add("", "=")
	f.Add("é", "e\u0301")
	f.Add(strings.Repeat("a", 129), "=h"+strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, a, b string) {
		first, second := checkEscape(t, a), checkEscape(t, b)
		if (first == second) != (a == b) {
			t.Fatalf("Escape(%q) = %q, Escape(%q) = %q", a, first, b, second)
		}
		// a and the token of a are different ids, so their tokens differ.
		if again := events.Escape(first); again == first && strings.Contains(first, "=") {
			t.Fatalf("Escape(%q) = itself", first)
		}
	})
}

func TestEscapeKeepsHostileIDsApart(t *testing.T) {
	by := map[string]string{}
	for _, id := range hostile {
		token := checkEscape(t, id)
		if other, taken := by[token]; taken {
			t.Errorf("Escape(%q) and Escape(%q) are both %q", id, other, token)
		}
		by[token] = id
	}
}

func TestCheckToken(t *testing.T) {
	for _, c := range []struct {
		value string
		good  bool
	}{
		{"a", true},
		{"Z", true},
		{"0", true},
		{"_", true},
		{"-", true},
		{"AZaz09_-", true},
		{strings.Repeat("a", 64), true},
		{"", false},
		{strings.Repeat("a", 65), false},
		{strings.Repeat("é", 32), false},
		{"a.b", false},
		{"*", false},
		{">", false},
		{"a b", false},
		{"a=2E", false},
		{"a\n", false},
		{"a\x00", false},
		{"é", false},
		{"\xff", false},
		{"/", false},
		{":", false},
		{"@", false},
		{"[", false},
		{"`", false},
		{"{", false},
	} {
		checkVerdict(t, "CheckToken", events.CheckToken("command_id", c.value), c.value, c.good, "command_id", "64")
	}
}

func TestCheckName(t *testing.T) {
	for _, c := range []struct {
		value string
		good  bool
	}{
		{"a", true},
		{" ", true},
		{"a.b*>=", true},
		{"😀", true},
		{"~", true},
		{"\u00a0", true}, // the first character after the C1 controls
		{"\u2028", true}, // a separator, not a control character
		{"\ufffd", true}, // the replacement for invalid UTF-8 is itself valid
		{strings.Repeat("a", 128), true},
		{strings.Repeat("é", 64), true},
		{strings.Repeat("😀", 32), true},
		{"", false},
		{strings.Repeat("a", 129), false},
		{strings.Repeat("é", 64) + "a", false},
		{strings.Repeat("a", 127) + "é", false},
		{"\x00", false},
		{"a\tb", false},
		{"a\n", false},
		{"\x1f", false},
		{"a\x7f", false},
		{"\u0080", false},
		{"a\u0085", false},
		{"\u009f", false},
		{"\xff", false},
		{"a\xc3", false},
		{"\xed\xa0\x80", false}, // half of a surrogate pair
		{"\xc0\x80", false},     // NUL, overlong
		{strings.Repeat("a", 39) + "é" + strings.Repeat("\x80", 200), false},
		{strings.Repeat("\x80", 200), false},
	} {
		checkVerdict(t, "CheckName", events.CheckName("device_id", c.value), c.value, c.good, "device_id", "128")
	}
}

// checkVerdict compares the result of a check with the expected one. A refusal must name the field and the limit.
func checkVerdict(t *testing.T, check string, err error, value string, good bool, field, limit string) {
	t.Helper()
	switch {
	case good && err != nil:
		t.Errorf("%s(%q): %v, want nil", check, value, err)
	case !good && err == nil:
		t.Errorf("%s(%q) = nil, want an error", check, value)
	case !good:
		checkRefusal(t, err, field, limit)
	}
}

// The expected value comes from openssl: `printf 'demo\0ann\0k1\0' | openssl dgst -sha256 -hmac secret | head -c 32`.
func TestDeriveCallID(t *testing.T) {
	secret := []byte("secret")
	if got, want := events.DeriveCallID(secret, "demo", "ann", "k1"), "b5d78462ad94efd05748fb64bfc55957"; got != want {
		t.Errorf("DeriveCallID(secret, demo, ann, k1) = %s, want %s", got, want)
	}
	if events.DeriveCallID([]byte("another"), "demo", "ann", "k1") == events.DeriveCallID(secret, "demo", "ann", "k1") {
		t.Error("the id does not depend on the secret, so it can be guessed")
	}
	seen := map[string]bool{}
	for _, in := range [][3]string{{"a", "bc", "d"}, {"ab", "c", "d"}, {"a", "b", "cd"}, {"abc", "", "d"}, {"a", "bcd", ""}, {"demo", "é.\n*", "k1"}} {
		id := events.DeriveCallID(secret, in[0], in[1], in[2])
		if seen[id] {
			t.Errorf("DeriveCallID(%q) is another one's", in)
		}
		if err := events.CheckToken("call_id", id); err != nil {
			t.Errorf("DeriveCallID(%q): %v", in, err)
		}
		seen[id] = true
	}
}

// ExpireID is the first 32 hex digits of the SHA-256 of call, NUL and seq: `printf 'c1\x004' | sha256sum | head -c
// 32`.
func TestExpireID(t *testing.T) {
	id := func(callID string, seq int) string { return events.ExpireID(callID, events.DeadlineID{Seq: seq}) }
	if got, want := id("c1", 4), "8346f8e9d2607ef66541b044817a387d"; got != want {
		t.Errorf("ExpireID(c1, 4) = %s, want %s", got, want)
	}
	if reach := events.ExpireID("c1", events.DeadlineID{Seq: 4, Kind: events.DeadlineReach}); reach == id("c1", 4) {
		t.Error("the ring deadline and the reach deadline of a transition have one id")
	}
	if id("c1", 14) == id("c11", 4) {
		t.Error("ExpireID(c1, 14) = ExpireID(c11, 4)")
	}
}
