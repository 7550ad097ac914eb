package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// FuzzVerify checks that Verify never panics, and that it accepts only tokens whose signature the standard library
// accepts too. A signed token is accepted only if it names an app and a user and has an expiry in the future.
func FuzzVerify(f *testing.F) {
	secret, ed, ec := secretPair("s"), edPair(f, "e"), ecPair(f, "c")
	v := apps{"demo": {TokenKeys: []events.TokenKey{secret.TokenKey, ed.TokenKey, ec.TokenKey}}}.verifier()
	for _, header := range []string{`{"alg":"HS256","kid":"s"}`, `{"alg":"HS256"}`, `{"alg":"none"}`, `{"alg":"EdDSA","kid":"e"}`, `{"alg":"ES256"}`, `{`} {
		f.Add(header, good(), "")
	}
	for _, claims := range []string{`{}`, `{"sub":"ann","sub":"bob"}`, `{"exp":1e99,"aud":[null]}`, `{"aud":"ringline","app":"demo","sub":"a\ud800"}`} {
		f.Add(`{"alg":"HS256"}`, claims, "x")
	}
	for _, p := range []pair{secret, ed, ec} {
		f.Add("", "", mint(f, p, ann()))
	}
	public := func(p pair) any {
		key, err := p.Parse()
		if err != nil {
			f.Fatal(err)
		}
		return key
	}
	signed := func(raw string) bool {
		i := strings.LastIndexByte(raw, '.')
		signature, err := base64.RawURLEncoding.DecodeString(raw[i+1:])
		if err != nil {
			return false
		}
		mac := hmac.New(sha256.New, public(secret).([]byte))
		mac.Write([]byte(raw[:i]))
		sum := sha256.Sum256([]byte(raw[:i]))
		half := len(signature) / 2
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		return hmac.Equal(mac.Sum(nil), signature) || ed25519.Verify(public(ed).(ed25519.PublicKey), []byte(raw[:i]), signature) ||
			half == 32 && ecdsa.Verify(public(ec).(*ecdsa.PublicKey), sum[:], r, s)
	}
	f.Fuzz(func(t *testing.T, header, claims, rest string) {
		unsigned := encode(header) + "." + encode(claims) + "." + rest
		for _, raw := range []string{rest, unsigned, header + "." + claims + "." + rest} {
			if _, err := v.Verify(t.Context(), raw, noon()); err == nil && !signed(raw) {
				t.Errorf("accepted without a valid signature: %q", raw)
			}
		}
		c, err := v.Verify(t.Context(), forge(t, jwt.SigningMethodHS256, secret.private, header, claims), noon())
		if err != nil {
			return
		}
		if c.App != "demo" || events.CheckName("", c.UserID) != nil || !c.Expires.After(noon()) || len(c.Device) > token.MaxDevice {
			t.Errorf("accepted with %+v", c)
		}
	})
}
