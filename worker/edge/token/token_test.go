package token_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// Verify and Read return the claims that were minted, for each kind of key.
func TestMintAndVerify(t *testing.T) {
	for _, p := range []pair{secretPair("s1"), edPair(t, "e1"), ecPair(t, "c1")} {
		v := apps{"demo": {TokenKeys: []events.TokenKey{secretPair("other").TokenKey, p.TokenKey}}}.verifier()
		for _, want := range []token.Claims{ann(), {App: "demo", UserID: "ü b", Expires: noon().Add(time.Second)}} {
			raw := mint(t, p, want)
			if got, err := v.Verify(t.Context(), raw, noon()); err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", p.Alg, got, err, want)
			}
			u, err := token.Read(raw)
			if err != nil || u.Claims != want || u.KID != p.KID || u.Alg != string(p.Alg) || len(u.Audience) != 1 || u.Audience[0] != "ringline" {
				t.Errorf("%s: read as %+v, %v", p.Alg, u, err)
			}
		}
	}
}

// A picture that is not an https URL never locks a user out: it is ignored.
func TestPicture(t *testing.T) {
	p := secretPair("s1")
	v := apps{"demo": {TokenKeys: []events.TokenKey{p.TokenKey}}}.verifier()
	good := ann()
	good.Avatar = "https://a.example/x"
	c, err := v.Verify(t.Context(), mint(t, p, good), noon())
	if err != nil || c.Avatar != good.Avatar {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, bad := range []any{"http://a.example/x", 7, nil, map[string]any{}} {
		claims := jwt.MapClaims{"sub": "ann", "app": "demo", "aud": token.DefaultAudience, "exp": noon().Add(time.Hour).Unix(), "avatar": bad}
		raw := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		raw.Header["kid"] = p.KID
		secret, err := base64.RawURLEncoding.DecodeString(p.Secret)
		if err != nil {
			t.Fatal(err)
		}
		text, err := raw.SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := v.Verify(t.Context(), text, noon()); err != nil || c.UserID != "ann" || c.Avatar != "" {
			t.Errorf("%v: %+v, %v", bad, c, err)
		}
	}
}

// Mint refuses claims that Verify would reject.
func TestMintRefuses(t *testing.T) {
	k := secretPair("s1").signing(t)
	for what, change := range map[string]func(*token.Claims){
		"no user":        func(c *token.Claims) { c.UserID = "" },
		"a long user":    func(c *token.Claims) { c.UserID = strings.Repeat("u", 129) },
		"no app":         func(c *token.Claims) { c.App = "" },
		"a bad app":      func(c *token.Claims) { c.App = "a.b" },
		"a long name":    func(c *token.Claims) { c.UserName = strings.Repeat("n", 257) },
		"a bad picture":  func(c *token.Claims) { c.Avatar = "http://a.example/x" },
		"a long device":  func(c *token.Claims) { c.Device = strings.Repeat("d", 97) },
		"no end":         func(c *token.Claims) { c.Expires = time.Time{} },
		"no text":        func(c *token.Claims) { c.UserID = "a\xff" },
		"a control char": func(c *token.Claims) { c.Device = "a\nb" },
	} {
		c := ann()
		change(&c)
		if raw, err := token.Mint(k, c, ""); !errors.Is(err, token.ErrInvalid) || raw != "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := token.Mint(token.SigningKey{}, ann(), ""); err == nil {
		t.Error("minted with no key")
	}
}

// The expiry is exact. Only nbf and iat have a leeway for clocks that differ.
func TestTimes(t *testing.T) {
	p := secretPair("s1")
	v := apps{"demo": {TokenKeys: []events.TokenKey{p.TokenKey}}}.verifier()
	at := func(s string) string {
		return forge(t, hs256(), p.private, `{"alg":"HS256"}`, fmt.Sprintf(`{"sub":"ann","app":"demo","aud":"ringline",%s}`, s))
	}
	now := noon().Unix()
	for s, want := range map[string]error{
		fmt.Sprintf(`"exp":%d`, now+1):                    nil,
		fmt.Sprintf(`"exp":%d.5`, now):                    nil,
		fmt.Sprintf(`"exp":%d`, now):                      token.ErrExpired,
		fmt.Sprintf(`"exp":%d`, now-3600):                 token.ErrExpired,
		`"exp":0`:                                         token.ErrExpired,
		fmt.Sprintf(`"exp":%d,"nbf":%d`, now+60, now+5):   nil,
		fmt.Sprintf(`"exp":%d,"nbf":%d`, now+60, now+6):   token.ErrInvalid,
		fmt.Sprintf(`"exp":%d,"nbf":%d`, now-60, now+6):   token.ErrInvalid,
		fmt.Sprintf(`"exp":%d,"iat":%d`, now+60, now+5):   nil,
		fmt.Sprintf(`"exp":%d,"iat":%d`, now+60, now+6):   token.ErrInvalid,
		fmt.Sprintf(`"exp":%d`, now*1000):                 token.ErrInvalid, // milliseconds
		`"exp":-1`:                                        token.ErrInvalid,
		`"exp":1e300`:                                     token.ErrInvalid,
		`"exp":1e999`:                                     token.ErrInvalid,
		fmt.Sprintf(`"exp":%d,"aud":["ringline"]`, now+1): token.ErrInvalid, // aud twice
	} {
		if _, err := v.Verify(t.Context(), at(s), noon()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", s, err, want)
		}
	}
}

// A token from before the user's not_before is revoked. So is a token without iat, if the user has a not_before.
func TestRevoked(t *testing.T) {
	p := secretPair("s1")
	from := events.TimeOf(noon().Add(-10 * time.Second))
	a := apps{"demo": {TokenKeys: []events.TokenKey{p.TokenKey}, NotBefore: map[string]events.Time{"ann": from}}}
	v := a.verifier()
	for _, x := range []struct {
		user    string
		iat     time.Time
		expires time.Time
		want    error
	}{
		{"ann", from.Time(), noon().Add(time.Hour), nil},
		{"ann", from.Time().Add(-time.Second), noon().Add(time.Hour), token.ErrRevoked},
		{"ann", from.Time().Add(-time.Hour), noon().Add(-time.Minute), token.ErrRevoked}, // revoked takes precedence over expired
		{"ann", time.Time{}, noon().Add(time.Hour), token.ErrRevoked},
		{"bob", time.Time{}, noon().Add(time.Hour), nil},
		{"bob", from.Time().Add(-time.Hour), noon().Add(time.Hour), nil},
	} {
		c := token.Claims{App: "demo", UserID: x.user, IssuedAt: x.iat, Expires: x.expires}
		if _, err := v.Verify(t.Context(), mint(t, p, c), noon()); !errors.Is(err, x.want) {
			t.Errorf("%+v: %v", x, err)
		}
		if err := v.Check(t.Context(), c, noon()); !errors.Is(err, x.want) {
			t.Errorf("later, %+v: %v", x, err)
		}
	}
	c := ann()
	if err := v.Check(t.Context(), c, c.Expires); !errors.Is(err, token.ErrRevoked) {
		t.Errorf("at its end: %v", err)
	}
	delete(a, "demo")
	if err := v.Check(t.Context(), c, noon()); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("of an app that is gone: %v", err)
	}
}

// During a rotation both the old and the new secret work. After its removal the old one does not.
func TestRotation(t *testing.T) {
	old, fresh := secretPair("k1"), secretPair("k2")
	a := apps{"demo": {TokenKeys: []events.TokenKey{old.TokenKey}}}
	v := a.verifier()
	accepted := func(p pair, want bool) {
		t.Helper()
		if _, err := v.Verify(t.Context(), mint(t, p, ann()), noon()); (err == nil) != want || err != nil && !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: %v, want accepted: %t", p.KID, err, want)
		}
		nameless := p
		nameless.KID = ""
		if _, err := v.Verify(t.Context(), mint(t, nameless, ann()), noon()); (err == nil) != want {
			t.Errorf("%s without its kid: %v, want accepted: %t", p.KID, err, want)
		}
	}
	accepted(old, true)
	accepted(fresh, false)
	a["demo"] = events.AppSettings{TokenKeys: []events.TokenKey{old.TokenKey, fresh.TokenKey}}
	accepted(old, true)
	accepted(fresh, true)
	a["demo"] = events.AppSettings{TokenKeys: []events.TokenKey{fresh.TokenKey}}
	accepted(old, false)
	accepted(fresh, true)
}

// A key that WithKey adds works for its app only, next to the app's own keys. Revocation applies to it too.
func TestWithKey(t *testing.T) {
	own, dev := secretPair("k1"), secretPair("dev")
	a := apps{"busy": {TokenKeys: []events.TokenKey{own.TokenKey}}}
	plain := a.verifier()
	v := plain.WithKey("demo", dev.TokenKey).WithKey("busy", dev.TokenKey)
	busy := ann()
	busy.App = "busy"
	for _, raw := range []string{mint(t, dev, ann()), mint(t, dev, busy), mint(t, own, busy)} {
		if _, err := v.Verify(t.Context(), raw, noon()); err != nil {
			t.Error(err)
		}
	}
	other := ann()
	other.App = "other"
	refused(t, v, mint(t, dev, other), token.ErrInvalid, "app other is not known")
	refused(t, plain, mint(t, dev, ann()), token.ErrInvalid, "app demo is not known")
	refused(t, plain, mint(t, dev, busy), token.ErrInvalid, "no key of its kid")
	if got := len(a["busy"].TokenKeys); got != 1 {
		t.Errorf("the app has %d keys now", got)
	}
	a["demo"] = events.AppSettings{NotBefore: map[string]events.Time{"ann": events.TimeOf(noon())}}
	refused(t, v, mint(t, dev, ann()), token.ErrRevoked, "")
}

// While the keys are unavailable, a token is neither valid nor invalid.
func TestUnavailable(t *testing.T) {
	p := secretPair("k1")
	gone := errors.New("gone")
	v := token.New(func(context.Context, string) (events.AppSettings, bool, error) {
		return events.AppSettings{}, false, gone
	}, "")
	refused(t, v, mint(t, p, ann()), token.ErrUnavailable, "gone")
	if err := v.Check(t.Context(), ann(), noon()); !errors.Is(err, token.ErrUnavailable) || !errors.Is(err, gone) {
		t.Error(err)
	}
}

// A verifier rejects tokens for another audience.
func TestAudience(t *testing.T) {
	p := secretPair("k1")
	a := apps{"demo": {TokenKeys: []events.TokenKey{p.TokenKey}}}
	v := token.New(a.settings, "calls.example.com")
	raw, err := token.Mint(p.signing(t), ann(), "calls.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), raw, noon()); err != nil {
		t.Error(err)
	}
	refused(t, v, mint(t, p, ann()), token.ErrInvalid, `aud is not "calls.example.com"`)
	refused(t, a.verifier(), raw, token.ErrInvalid, `aud is not "ringline"`)
}

func TestPrivateKeys(t *testing.T) {
	for what, text := range map[string]string{
		"nothing":     "",
		"a public":    edPair(t, "x").PublicKey,
		"SEC 1":       "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
		"no key":      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"another one": p384(t),
	} {
		if _, err := token.PrivateKey("k", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "token: ") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := token.Secret(edPair(t, "x").TokenKey); err == nil {
		t.Error("a public key signs")
	}
	if _, err := token.Secret(events.TokenKey{KID: "k", Alg: events.AlgHS256, Secret: "canary"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a short secret: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range []pair{secretPair("a"), secretPair("a"), edPair(t, "a"), ecPair(t, "a")} {
		f := token.Fingerprint(p.TokenKey)
		if len(f) != 16 || seen[f] || f != token.Fingerprint(p.TokenKey) || p.Secret != "" && strings.Contains(p.Secret, f) {
			t.Errorf("%s: %q", p.Alg, f)
		}
		seen[f] = true
	}
	if f := token.Fingerprint(events.TokenKey{}); f != "unreadable" {
		t.Error(f)
	}
}
