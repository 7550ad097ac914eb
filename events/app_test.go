package events_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// canarySecret must not appear in any error or string.
const canarySecret = "canary-canary-canary-canary-canary-canary-c"

func publicPEM(tb testing.TB, public any, kind string) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func ecPEM(tb testing.TB, c elliptic.Curve) string {
	tb.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return publicPEM(tb, key.Public(), "PUBLIC KEY")
}

func edPEM(tb testing.TB, kind string) string {
	tb.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return publicPEM(tb, public, kind)
}

// Settings with every field survive a round trip, and each key parses to its Go type.
func TestAppSettingsOfSessions(t *testing.T) {
	want := events.AppSettings{
		Capacity: 2,
		TokenKeys: []events.TokenKey{
			{KID: "k1", Alg: events.AlgHS256, Secret: canarySecret},
			{KID: "k2", Alg: events.AlgHS256, Secret: strings.Repeat("A", 683)},
			{KID: "e", Alg: events.AlgEdDSA, PublicKey: edPEM(t, "PUBLIC KEY")},
			{KID: "c", Alg: events.AlgES256, PublicKey: ecPEM(t, elliptic.P256())},
		},
		Origins:   []string{"https://app.example.com", "http://localhost:3000"},
		NotBefore: map[string]events.Time{"ann": 1763978400250, "Ü b": 0},
	}
	body, err := events.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := events.ReadAppSettings(body)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
	kinds := []string{"[]uint8", "[]uint8", "ed25519.PublicKey", "*ecdsa.PublicKey"}
	for i, k := range got.TokenKeys {
		if key, err := k.Parse(); err != nil || fmt.Sprintf("%T", key) != kinds[i] {
			t.Errorf("%v: %T, %v", k, key, err)
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(format, got); strings.Contains(s, canarySecret) {
			t.Errorf("%s shows a secret: %s", format, s)
		}
	}
}

// An error names the field and the limit, and contains no secrets.
func TestAppSettingsErrors(t *testing.T) {
	key := func(kid, alg, field, value string) string {
		text, err := events.Encode(map[string]string{"kid": kid, "alg": alg, field: value})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	keys := func(list ...string) string { return `{"token_keys":[` + strings.Join(list, ",") + `]}` }
	ed, old := edPEM(t, "PUBLIC KEY"), edPEM(t, "RSA PUBLIC KEY")
	private := strings.ReplaceAll(ed, "PUBLIC", "PRIVATE")
	for body, want := range map[string]string{
		keys(key("k", "HS256", "secret", canarySecret[:42])):                           "token_keys[0].secret: must be 32 to 512 bytes, got 31",
		keys(key("k", "HS256", "secret", canarySecret+"=")):                            "token_keys[0].secret: must be base64url",
		keys(key("k", "HS256", "secret", canarySecret[:40]+"\n"+canarySecret[:4])):     "token_keys[0].secret: must be base64url",
		keys(key("k", "HS256", "secret", strings.Repeat("A", 684))):                    "must be 32 to 512 bytes, got 513",
		keys(key("k", "HS256", "public_key", canarySecret)):                            "token_keys[0].public_key: not allowed with HS256",
		keys(key("k", "EdDSA", "secret", canarySecret)):                                "token_keys[0].secret: not allowed with EdDSA",
		keys(key("k", canarySecret, "secret", canarySecret)):                           "token_keys[0].alg: must be HS256, EdDSA or ES256",
		keys(key("k", "none", "secret", canarySecret)):                                 "token_keys[0].alg: must be HS256, EdDSA or ES256",
		keys(key(canarySecret+canarySecret, "HS256", "secret", canarySecret)):          "token_keys[0].kid: must be 1 to 64 characters",
		keys(key("", "HS256", "secret", canarySecret)):                                 "token_keys[0].kid: must be 1 to 64 characters",
		keys(key("k", "HS256", "secrets", canarySecret)):                               `token_keys[0]."secrets": unknown field, a token key has kid, alg, secret, public_key`,
		keys(`{"kid":"k","kid":"k"}`):                                                  "token_keys[0].kid: given twice",
		keys(`{"kid":"k","secret":["` + canarySecret + `"]}`):                          "token_keys[0].secret: must be a string, got an array",
		keys(key("k", "EdDSA", "public_key", ed), key("k", "EdDSA", "public_key", ed)): "token_keys[1].kid: given twice",
		keys(key("k", "ES256", "public_key", ed)):                                      "token_keys[0].public_key: is a key for EdDSA, but alg is ES256",
		keys(key("k", "EdDSA", "public_key", private)):                                 "token_keys[0].public_key: must be a public key, got a private one",
		keys(key("k", "EdDSA", "public_key", old)):                                     "token_keys[0].public_key: must be exactly one PEM block PUBLIC KEY",
		keys(key("k", "EdDSA", "public_key", ed+ed)):                                   "token_keys[0].public_key: must be exactly one PEM block PUBLIC KEY",
		keys(key("k", "EdDSA", "public_key", "x"+ed)):                                  "token_keys[0].public_key: must be PEM",
		keys(key("k", "EdDSA", "public_key", "canary")):                                "token_keys[0].public_key: must be PEM",
		keys(key("k", "ES256", "public_key", ecPEM(t, elliptic.P384()))):               "must be an Ed25519 key, or one on the curve P-256",
		keys(key("k", "EdDSA", "public_key", strings.Replace(ed, "M", "N", 1))):        "but not a public key",
		keys(key("k", "EdDSA", "public_key", ed+strings.Repeat("\n", 1024))):           "must be at most 1024 bytes",
		keys(strings.Split(strings.Repeat(",{}", 9), ",")[1:]...):                      "token_keys: must have at most 8 entries, got 9",
		keys(secretKey("a"), secretKey("b"), secretKey("c")):                           "token_keys: must have at most 2 of HS256, got 3",
		`{"token_keys":"` + canarySecret + `"}`:                                        "token_keys: must be an array, got a string",
		`{"token_keys":["` + canarySecret + `"]}`:                                      "token_keys[0]: must be an object, got a string",
		`{"origins":["*"]}`:                                        "origins[0]: must name one origin",
		`{"origins":["https://*.example.com"]}`:                    "wildcards are not allowed",
		`{"origins":["https://a.b","https://App.b"]}`:              "origins[1]: must be scheme://host",
		`{"origins":["https://a.b/"]}`:                             "origins[0]: must be scheme://host",
		`{"origins":["https://a.b","https://a.b"]}`:                "origins[1]: given twice",
		`{"origins":["https://a.b:443"]}`:                          "origins[0]: omit the default port 443",
		`{"origins":["https://a.b:70000"]}`:                        "origins[0]: its port must be 1 to 65535",
		`{"origins":["https://` + strings.Repeat("a", 300) + `"]}`: "origins[0]: must be at most 300 bytes, got 308",
		`{"origins":{}}`:                                           "origins: must be an array, got an object",
		`{"origins":[7]}`:                                          "origins[0]: must be a string, got a number",
		`{"not_before":[]}`:                                        "not_before: must be an object of user ids and times",
		`{"not_before":{"":"2026-11-24T10:00:00.000Z"}}`:           "not_before: user id: must be 1 to 128 bytes",
		`{"not_before":{"ann":"2026-11-24T10:00:00Z"}}`:            `not_before["ann"]: must be a time such as 2026-11-24T10:00:07.250Z`,
		`{"not_before":{"ann":5}}`:                                 `not_before["ann"]: must be a string, got a number`,
		`{"not_before":{"ann":"2026-11-24T10:00:00.000Z","ann":"2026-11-24T10:00:00.000Z"}}`: `not_before["ann"]: given twice`,
		`{"bogus":1}`: `"bogus": unknown field, an app has capacity, ring_timeout_s, max_callees, max_duration_s, commands_per_s, bytes_per_s, api_slots, pair_invites_per_min, ringing_per_caller, reach_s, lost_ringing_s, lost_active_s, lost_away_s, service_call_prefix, end_when_alone, room_id_from, token_keys, origins, not_before`,
		`{"capacity":1,"origins":["` + strings.Repeat(" ", events.MaxAppSettings) + `"]}`: "body: must be at most 524288 bytes",
	} {
		_, err := events.ReadAppSettings([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") || len(err.Error()) > 350 {
			t.Errorf("%.200s: %v, want %s", body, err, want)
		}
	}
}

// An error about malformed JSON quotes a piece of the body, which WithoutQuotes removes.
func TestMalformedSettingsLeakNoSecret(t *testing.T) {
	_, err := events.ReadAppSettings([]byte(`{"token_keys":[{"kid":"k","secret":"\ucana`))
	if err == nil || !strings.Contains(err.Error(), "cana") || strings.Contains(events.WithoutQuotes(err.Error()), "cana") {
		t.Errorf("%v is logged as %s", err, events.WithoutQuotes(err.Error()))
	}
}

func secretKey(kid string) string {
	return fmt.Sprintf(`{"kid":%q,"alg":"HS256","secret":%q}`, kid, canarySecret)
}

// FuzzReadAppSettings checks that accepted settings survive a round trip and that no error contains a secret.
func FuzzReadAppSettings(f *testing.F) {
	f.Add([]byte(`{"token_keys":[` + secretKey("k") + `],"origins":["https://a.b"],"not_before":{"ann":"2026-11-24T10:00:00.000Z"}}`))
	f.Add([]byte(`{"capacity":1,"token_keys":[{"kid":"e","alg":"ES256","public_key":"-----BEGIN PUBLIC KEY-----\n"}]}`))
	f.Add([]byte(`{"token_keys":[null],"origins":["*"],"not_before":{"":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := events.ReadAppSettings(body)
		if err != nil {
			if strings.Contains(events.WithoutQuotes(err.Error()), canarySecret) {
				t.Errorf("%s: %v", body, err)
			}
			return
		}
		text, err := events.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := events.ReadAppSettings(text)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(s) {
			t.Errorf("%s is written as %s: %v", body, text, err)
		}
	})
}
