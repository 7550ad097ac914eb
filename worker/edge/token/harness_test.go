package token_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// noon is the time of all tests.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// apps maps the names of apps to their settings.
type apps map[string]events.AppSettings

func (a apps) settings(_ context.Context, app string) (events.AppSettings, bool, error) {
	s, known := a[app]
	return s, known, nil
}

func (a apps) verifier() *token.Verifier { return token.New(a.settings, "") }

// pair is a key with both halves.
type pair struct {
	events.TokenKey

	private crypto.PrivateKey // for the jwt library
	pkcs8   []byte            // in PEM
}

func secretPair(kid string) pair {
	k := token.Generate(kid)
	secret, err := k.Parse()
	if err != nil {
		panic(err)
	}
	return pair{TokenKey: k, private: secret}
}

func edPair(tb testing.TB, kid string) pair {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return newPair(tb, kid, events.AlgEdDSA, private)
}

func ecPair(tb testing.TB, kid string) pair {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return newPair(tb, kid, events.AlgES256, private)
}

func newPair(tb testing.TB, kid string, alg events.TokenAlg, private crypto.Signer) pair {
	tb.Helper()
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		tb.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	key := events.TokenKey{KID: kid, Alg: alg, PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}
	return pair{key, private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})}
}

// signing returns the key as a token.SigningKey.
func (p pair) signing(tb testing.TB) token.SigningKey {
	tb.Helper()
	var k token.SigningKey
	var err error
	if p.Alg == events.AlgHS256 {
		k, err = token.Secret(p.TokenKey)
	} else {
		k, err = token.PrivateKey(p.KID, p.pkcs8)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// forge makes a token of this header and these claims, byte for byte, signed by the jwt library.
func forge(tb testing.TB, m jwt.SigningMethod, key any, header, claims string) string {
	tb.Helper()
	signed := encode(header) + "." + encode(claims)
	signature, err := m.Sign(signed, key)
	if err != nil {
		tb.Fatal(err)
	}
	return signed + "." + encode(string(signature))
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// ann returns the claims of a valid token.
func ann() token.Claims {
	return token.Claims{
		App: "demo", UserID: "ann", UserName: "Ann Ü.", Device: "phone", IssuedAt: noon().Add(-time.Minute), Expires: noon().Add(time.Hour),
	}
}

func mint(tb testing.TB, p pair, c token.Claims) string {
	tb.Helper()
	raw, err := token.Mint(p.signing(tb), c, "")
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// refused expects this error, a text that contains this one, and no claims.
func refused(t *testing.T, v *token.Verifier, raw string, want error, text string) {
	t.Helper()
	c, err := v.Verify(t.Context(), raw, noon())
	if c != (token.Claims{}) || err == nil {
		t.Fatalf("accepted, %+v", c)
	}
	for _, e := range []error{token.ErrExpired, token.ErrInvalid, token.ErrRevoked, token.ErrUnavailable} {
		if errors.Is(err, e) != errors.Is(want, e) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q", err, text)
	}
	leaksNothing(t, raw, err)
}

// leaksNothing checks that an error contains no part of a token.
func leaksNothing(t *testing.T, raw string, err error) {
	t.Helper()
	for part := range strings.SplitSeq(raw, ".") {
		if len(part) > 8 && strings.Contains(err.Error(), part) {
			t.Errorf("%v has a piece of the token", err)
		}
	}
	for _, said := range []string{"Ann", "phone", "canary"} {
		if strings.Contains(err.Error(), said) {
			t.Errorf("%v has what the token says", err)
		}
	}
}
