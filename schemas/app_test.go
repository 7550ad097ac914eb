package schemas_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas/check"
)

// TestAppSettings checks that the schema and events.ReadAppSettings agree, at each limit and above it.
func TestAppSettings(t *testing.T) {
	c := check.New()
	good, bad := []string{`{}`}, []string{``, `null`, `[]`, `{"bogus":1}`, `{"Capacity":1}`}
	for name, limits := range map[string][2]int{
		"capacity": {1, events.MaxCapacity}, "ring_timeout_s": {1, events.MaxRingTimeoutS}, "max_callees": {1, events.MaxCallees},
		"max_duration_s": {1, events.MaxDurationS}, "commands_per_s": {1, events.MaxCommandsPerS},
		"bytes_per_s": {events.MinBytesPerS, events.MaxBytesPerS}, "api_slots": {1, events.MaxAPISlots},
		"pair_invites_per_min": {1, events.MaxPairInvitesPerMin}, "ringing_per_caller": {1, events.MaxRingingPerCaller},
		"lost_ringing_s": {0, events.MaxLostS}, "lost_active_s": {0, events.MaxLostS}, "lost_away_s": {0, events.MaxLostAwayS},
	} {
		least, most := limits[0], limits[1]
		for _, v := range []any{least, most, fmt.Sprintf("%d.0", least+1)} {
			good = append(good, fmt.Sprintf(`{%q:%v}`, name, v))
		}
		for _, v := range []any{least - 1, -1, most + 1, 1.5, `"1"`, "null", "true"} {
			bad = append(bad, fmt.Sprintf(`{%q:%v}`, name, v))
		}
	}
	for seconds, fits := range map[string]bool{"0": true, "0.0": true, "1": false, "4": false, "4.5": false, "5": true, "60": true, "61": false, "-5": false} {
		if body := fmt.Sprintf(`{"reach_s":%s}`, seconds); fits {
			good = append(good, body)
		} else {
			bad = append(bad, body)
		}
	}
	for prefix, fits := range map[string]bool{
		"s_": true, "-": true, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false, "": false, "a.b": false, "ü": false,
	} {
		if body := fmt.Sprintf(`{"service_call_prefix":%q}`, prefix); fits {
			good = append(good, body)
		} else {
			bad = append(bad, body)
		}
	}
	for name, words := range map[string][]string{"end_when_alone": {"last_ring", "now"}, "room_id_from": {"any", "service"}} {
		for _, word := range words {
			good = append(good, fmt.Sprintf(`{%q:%q}`, name, word))
		}
		for _, v := range []string{`""`, `"bogus"`, `1`, `null`, `["now"]`} {
			bad = append(bad, fmt.Sprintf(`{%q:%s}`, name, v))
		}
	}
	moreGood, moreBad := sessionSettings(t)
	for _, body := range append(good, moreGood...) {
		judge(t, c, body, true, true)
	}
	for _, body := range append(bad, moreBad...) {
		judge(t, c, body, false, false)
	}
	for _, body := range beyondAppSchema(t) {
		judge(t, c, body, false, true)
	}
}

func judge(t *testing.T, c *check.Checker, body string, good, valid bool) {
	t.Helper()
	_, refused := events.ReadAppSettings([]byte(body))
	invalid := c.Valid("app/v1.json", []byte(body))
	if (refused == nil) != good || (invalid == nil) != valid {
		t.Errorf("%s: read with %v, by the schema %v, want good: %t, valid: %t", body, refused, invalid, good, valid)
	}
}

// sessionSettings returns bodies with keys, origins and revocations, on which schema and code agree.
func sessionSettings(t *testing.T) (good, bad []string) {
	t.Helper()
	pem := publicKey(t)
	secret := func(n int) string {
		return fmt.Sprintf(`{"kid":"k","alg":"HS256","secret":%q}`, strings.Repeat("A", n))
	}
	public := `{"kid":"e","alg":"EdDSA","public_key":` + pem + `}`
	keys := func(list ...string) string { return `{"token_keys":[` + strings.Join(list, ",") + `]}` }
	good = []string{
		keys(), keys(secret(43)), keys(secret(683)), keys(secret(44)), keys(public), keys(secret(43), public),
		`{"origins":[]}`, `{"not_before":{}}`, `{"not_before":{"ann":"2026-11-24T10:00:00.000Z","a b":"2026-11-24T10:00:00.250Z"}}`,
	}
	bad = []string{
		`{"token_keys":{}}`, `{"token_keys":null}`, keys(`null`), keys(`"x"`), keys(secret(42)), keys(secret(684)), keys(secret(45)),
		keys(`{"alg":"EdDSA","public_key":` + pem + `}`), keys(`{"kid":"","alg":"EdDSA","public_key":` + pem + `}`),
		keys(`{"kid":"a.b","alg":"EdDSA","public_key":` + pem + `}`), keys(`{"kid":"e","public_key":` + pem + `}`),
		keys(`{"kid":"e","alg":"RS256","public_key":` + pem + `}`), keys(`{"kid":"e","alg":"none"}`), keys(`{"kid":"e","alg":"EdDSA"}`),
		keys(`{"kid":"e","alg":"HS256"}`), keys(`{"kid":"e","alg":"HS256","public_key":` + pem + `}`),
		keys(`{"kid":"e","alg":"EdDSA","secret":"` + strings.Repeat("A", 43) + `"}`),
		keys(strings.Replace(public, `"kid"`, `"secret":"","kid"`, 1)), keys(strings.Replace(secret(43), `"kid"`, `"public_key":"","kid"`, 1)),
		keys(strings.Replace(secret(43), `"kid"`, `"bogus":1,"kid"`, 1)), keys(strings.Replace(secret(43), "AAAA", "AA+/", 1)),
		keys(strings.Replace(secret(43), "AAAA", "AA\\nA", 1)), keys(`{"kid":"e","alg":"EdDSA","public_key":"x"}`),
		keys(public, public, public, public, public, public, public, public, public),
		`{"not_before":[]}`, `{"not_before":{"ann":1}}`, `{"not_before":{"ann":null}}`, `{"not_before":{"":"2026-11-24T10:00:00.000Z"}}`,
		`{"not_before":{"ann":"2026-11-24T10:00:00Z"}}`, `{"not_before":{"ann":"2026-11-24T10:00:00.000+01:00"}}`,
		`{"not_before":{"ann":"2026-13-24T10:00:00.000Z"}}`, `{"origins":"https://a.b"}`, `{"origins":[1]}`, `{"origins":["https://a","https://a"]}`,
	}
	for o, fits := range map[string]bool{
		"https://app.example.com": true, "https://app.example.com:8443": true, "http://localhost:3000": true, "http://127.0.0.1": true,
		"http://[::1]:3000": true, "https://xn--bcher-kva.example": true, "https://a_b.example": true,
		"*": false, "https://*.example.com": false, "null": false, "": false, "https://": false, "app.example.com": false, "HTTPS://a.b": false,
		"https://App.example.com": false, "https://a.b/": false, "https://a.b/x": false, "https://a.b?x": false, "https://u@a.b": false,
		"https://a.b:": false, "https://a.b:0": false, "https://a.b:080": false, "https://a.b:123456": false, "ws://a.b": false, "https://a..b": false,
		"https://bücher.example": false, " https://a.b": false, "https://a.b\n": false, "https://" + strings.Repeat("a", 292): true,
		"https://" + strings.Repeat("a", 293): false,
	} {
		body := fmt.Sprintf(`{"origins":["%s"]}`, o)
		if fits {
			good = append(good, body)
		} else {
			bad = append(bad, body)
		}
	}
	many := func(n int, open, end, each string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(each, i)
		}
		return open + strings.Join(list, ",") + end
	}
	const user = `"u%d":"2026-11-24T10:00:00.000Z"`
	good = append(good, many(events.MaxOrigins, `{"origins":[`, `]}`, `"https://h%d"`), many(events.MaxNotBefore, `{"not_before":{`, `}}`, user))
	bad = append(bad, many(events.MaxOrigins+1, `{"origins":[`, `]}`, `"https://h%d"`), many(events.MaxNotBefore+1, `{"not_before":{`, `}}`, user))
	return good, bad
}

// beyondAppSchema returns malformed bodies that JSON Schema can't detect.
func beyondAppSchema(t *testing.T) []string {
	t.Helper()
	pem := publicKey(t)
	secret := func(kid string) string {
		return fmt.Sprintf(`{"kid":%q,"alg":"HS256","secret":%q}`, kid, strings.Repeat("A", 43))
	}
	return []string{
		`{"capacity":1,"capacity":1}`,
		`{"token_keys":[` + secret("a") + "," + secret("b") + "," + secret("c") + `]}`,
		`{"token_keys":[` + secret("a") + `,{"kid":"a","alg":"EdDSA","public_key":` + pem + `}]}`,
		`{"token_keys":[{"kid":"a","alg":"ES256","public_key":` + pem + `}]}`, // the key has another algorithm
		`{"token_keys":[{"kid":"a","alg":"EdDSA","public_key":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}]}`,
		`{"not_before":{"ann":"2026-11-24T10:00:00.000Z","ann":"2026-11-24T10:00:00.000Z"}}`,
		`{"not_before":{"` + strings.Repeat("ü", 65) + `":"2026-11-24T10:00:00.000Z"}}`,
		`{"origins":["https://a.b:443"]}`, `{"origins":["http://a.b:80"]}`, `{"origins":["https://a.b:65536"]}`,
	}
}

// publicKey returns an Ed25519 key as PEM in a JSON string.
func publicKey(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	text, err := events.Encode(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
