package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

func hs256() jwt.SigningMethod { return jwt.SigningMethodHS256 }

func p384(tb testing.TB) string {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

// good returns claims that a verifier accepts.
func good() string {
	return fmt.Sprintf(`{"sub":"ann","app":"demo","aud":"ringline","name":"Ann canary","exp":%d}`, noon().Unix()+3600)
}

// attack is a token that is forged or malformed.
type attack struct {
	what, raw, text string
}

// TestAlgorithms checks that only the key decides the algorithm, and nothing in the token.
func TestAlgorithms(t *testing.T) {
	secret, ed, ec, strange := secretPair("s"), edPair(t, "e"), ecPair(t, "c"), secretPair("s")
	v := apps{
		"demo":  {TokenKeys: []events.TokenKey{secret.TokenKey, ed.TokenKey, ec.TokenKey}},
		"other": {TokenKeys: []events.TokenKey{strange.TokenKey}},
		"bare":  {TokenKeys: []events.TokenKey{ed.TokenKey}},
	}.verifier()
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edBlock, _ := pem.Decode([]byte(ed.PublicKey))
	bare := strings.Replace(good(), "demo", "bare", 1)
	other := strings.Replace(good(), "demo", "other", 1)
	h := func(header string, key any) string { return forge(t, hs256(), key, header, good()) }
	none := encode(`{"alg":"none"}`) + "." + encode(good()) + "."
	for _, a := range []attack{
		{"alg none", none, "alg"},
		{"alg none with kid", encode(`{"alg":"none","kid":"s"}`) + "." + encode(good()) + ".", "alg"},
		{"alg None, as the library signs it", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, `{"alg":"None"}`, good()), "alg"},
		{"alg empty", encode(`{"alg":""}`) + "." + encode(good()) + ".", "alg"},
		{"no alg", encode(`{}`) + "." + encode(good()) + ".", "alg"},
		{"alg in other letters", h(`{"alg":"hs256"}`, secret.private), "alg"},
		{"HS256 with the public key as PEM", h(`{"alg":"HS256","kid":"e"}`, []byte(ed.PublicKey)), "alg"},
		{"the same without its name", h(`{"alg":"HS256"}`, []byte(ed.PublicKey)), "signature"},
		{"HS256 with the public key as DER", h(`{"alg":"HS256","kid":"e"}`, edBlock.Bytes), "alg"},
		{"HS256 where no key is", forge(t, hs256(), []byte(ed.PublicKey), `{"alg":"HS256"}`, bare), "alg"},
		{"HS256, called EdDSA", h(`{"alg":"EdDSA","kid":"e"}`, []byte(ed.PublicKey)), "signature"},
		{"HS384 with the secret", forge(t, jwt.SigningMethodHS384, secret.private, `{"alg":"HS384","kid":"s"}`, good()), "alg"},
		{"HS384, called HS256", forge(t, jwt.SigningMethodHS384, secret.private, `{"alg":"HS256","kid":"s"}`, good()), "signature"},
		{"RS256", forge(t, jwt.SigningMethodRS256, rs, `{"alg":"RS256","kid":"s"}`, good()), "alg"},
		{"RS256 without kid", forge(t, jwt.SigningMethodRS256, rs, `{"alg":"RS256"}`, good()), "alg"},
		{"the kid of another algorithm", forge(t, jwt.SigningMethodEdDSA, ed.private, `{"alg":"EdDSA","kid":"s"}`, good()), "alg"},
		{"ES256 with the kid of an EdDSA key", forge(t, jwt.SigningMethodES256, ec.private, `{"alg":"ES256","kid":"e"}`, good()), "alg"},
		{"an unknown kid", h(`{"alg":"HS256","kid":"z"}`, secret.private), "kid"},
		{"an empty kid", h(`{"alg":"HS256","kid":""}`, secret.private), "kid"},
		{"a kid that is a path", h(`{"alg":"HS256","kid":"../../dev/null"}`, []byte{}), "kid"},
		{"a kid that is no string", h(`{"alg":"HS256","kid":1}`, secret.private), "kid"},
		{"alg twice", h(`{"alg":"none","alg":"HS256"}`, secret.private), "twice"},
		{"its own key in the header", forge(t, jwt.SigningMethodEdDSA, edPair(t, "x").private, `{"alg":"EdDSA","jwk":{"kty":"OKP"}}`, good()), "signature"},
		{"crit", h(`{"alg":"HS256","crit":["exp"]}`, secret.private), "crit"},
		{"another secret", h(`{"alg":"HS256","kid":"s"}`, strange.private), "signature"},
		{"an empty secret", h(`{"alg":"HS256"}`, []byte{}), "signature"},
		{"another app's key", mint(t, strange, ann()), "signature"},
		{"its own key for another app", forge(t, hs256(), secret.private, `{"alg":"HS256","kid":"s"}`, other), "signature"},
		{"no signature", strings.TrimSuffix(mint(t, secret, ann()), last(mint(t, secret, ann()))), "signature"},
		{"an ES256 signature of zeros", forgeZero(`{"alg":"ES256","kid":"c"}`, 64), "signature"},
		{"an EdDSA signature of zeros", forgeZero(`{"alg":"EdDSA","kid":"e"}`, 64), "signature"},
		{"a short signature", forgeZero(`{"alg":"EdDSA","kid":"e"}`, 3), "signature"},
	} {
		t.Run(a.what, func(t *testing.T) { refused(t, v, a.raw, token.ErrInvalid, a.text) })
	}
}

func last(raw string) string { return raw[strings.LastIndexByte(raw, '.')+1:] }

func forgeZero(header string, n int) string {
	return encode(header) + "." + encode(good()) + "." + encode(string(make([]byte, n)))
}

// TestTampered checks that a token with a part of another token, or with one changed character, is rejected.
func TestTampered(t *testing.T) {
	p := edPair(t, "e")
	v := apps{
		"demo": {TokenKeys: []events.TokenKey{p.TokenKey}}, "other": {TokenKeys: []events.TokenKey{edPair(t, "e").TokenKey}},
	}.verifier()
	expired := ann()
	expired.Expires = noon().Add(-time.Hour)
	bob := ann()
	bob.UserID = "bob"
	a, b, x := strings.Split(mint(t, p, ann()), "."), strings.Split(mint(t, p, bob), "."), strings.Split(mint(t, p, expired), ".")
	refused(t, v, a[0]+"."+b[1]+"."+a[2], token.ErrInvalid, "signature")
	refused(t, v, x[0]+"."+x[1]+"."+a[2], token.ErrInvalid, "signature") // it is expired too, but the signature is checked first
	refused(t, v, strings.Join(x, "."), token.ErrExpired, "")
	swapped := strings.Replace(decoded(t, a[1]), `"demo"`, `"other"`, 1)
	refused(t, v, a[0]+"."+encode(swapped)+"."+a[2], token.ErrInvalid, "signature")
	raw := strings.Join(a, ".")
	for i := range raw {
		changed := []byte(raw)
		changed[i] ^= 1
		if c, err := v.Verify(t.Context(), string(changed), noon()); err == nil {
			t.Fatalf("character %d was changed, and it says %+v", i, c)
		}
	}
}

func decoded(t *testing.T, part string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestShapes covers malformed tokens, and signed tokens with invalid claims.
func TestShapes(t *testing.T) {
	p := secretPair("s")
	v := apps{"demo": {TokenKeys: []events.TokenKey{p.TokenKey}}}.verifier()
	raw := mint(t, p, ann())
	exp := noon().Unix() + 3600
	claims := func(s string) string { return forge(t, hs256(), p.private, `{"alg":"HS256"}`, s) }
	with := func(s string) string {
		return claims(fmt.Sprintf(`{"app":"demo","aud":"ringline","exp":%d,%s}`, exp, s))
	}
	if _, err := v.Verify(t.Context(), with(`"sub":"ann","role":"admin","more":{"a":[1],"a":2}`), noon()); err != nil {
		t.Errorf("unknown claims: %v", err)
	}
	if _, err := v.Verify(t.Context(), claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":["x","ringline"],"exp":%d}`, exp)), noon()); err != nil {
		t.Errorf("one audience of several: %v", err)
	}
	for _, a := range []attack{
		{"nothing", "", "3 parts"},
		{"garbage", "canary canary", "3 parts"},
		{"two parts", raw[:strings.LastIndexByte(raw, '.')], "3 parts"},
		{"four parts", raw + ".x", "3 parts"},
		{"five parts, as JWE has", "a.b.c.d.e", "3 parts"},
		{"dots", "..", "header"},
		{"padding", strings.Replace(raw, ".", "=.", 1), "header"},
		{"a line break in the signature", raw[:len(raw)-4] + "\n" + raw[len(raw)-4:], "signature"},
		{"a space before it", " " + raw, "header"},
		{"standard base64", raw + "+/", "signature"},
		{"a huge one", claims(good()[:len(good())-1] + `,"more":"` + strings.Repeat("x", 4096) + `"}`), "4096 bytes"},
		{"claims that are no JSON", claims("canary"), "JSON"},
		{"claims that are an array", claims("[]"), "JSON"},
		{"claims that are null", claims("null"), "JSON"},
		{"claims that end too soon", claims(good()[:20]), "JSON"},
		{"claims with more behind them", claims(good() + "{}"), "JSON"},
		{"claims that are no UTF-8", with("\"sub\":\"a\xff\""), "JSON"},
		{"a deep one", claims(`{"a":` + strings.Repeat("[", 2500) + `}`), "JSON"},
		{"a name twice", with(`"sub":"ann","sub":"bob"`), "twice"},
		{"the same value twice", with(`"sub":"ann","sub":"ann"`), "twice"},
		{"exp twice", with(fmt.Sprintf(`"sub":"ann","exp":%d`, exp)), "twice"},
		{"a name twice, once as an escape", with(`"sub":"ann","s\u0075b":"bob"`), "twice"},
		{"a name in other letters", with(`"SUB":"ann"`), "sub"},
		{"no sub", with(`"name":"Ann"`), "sub"},
		{"an empty sub", with(`"sub":""`), "sub"},
		{"a null sub", with(`"sub":null`), "sub"},
		{"a sub of 129 bytes", with(`"sub":"` + strings.Repeat("u", 129) + `"`), "sub"},
		{"a sub with a control character", with(`"sub":"a\u0000b"`), "sub"},
		{"half of a surrogate pair in sub", with(`"sub":"a\ud800"`), "sub"},
		{"a sub that is a number", with(`"sub":7`), "sub"},
		{"a long name", with(`"sub":"ann","name":"` + strings.Repeat("n", 257) + `"`), "name"},
		{"a name with a control character", with(`"sub":"ann","name":"Ann\u0007"`), "name"},
		{"a name that is an object", with(`"sub":"ann","name":{}`), "name"},
		{"a long device", with(`"sub":"ann","device":"` + strings.Repeat("d", 97) + `"`), "device"},
		{"a device with a line break", with(`"sub":"ann","device":"a\n"`), "device"},
		{"no app", claims(fmt.Sprintf(`{"sub":"ann","aud":"ringline","exp":%d}`, exp)), "app"},
		{"an invalid app", claims(fmt.Sprintf(`{"sub":"ann","app":"de.mo","aud":"ringline","exp":%d}`, exp)), "app"},
		{"an unknown app", claims(fmt.Sprintf(`{"sub":"ann","app":"nope","aud":"ringline","exp":%d}`, exp)), "not known"},
		{"no exp", claims(`{"sub":"ann","app":"demo","aud":"ringline"}`), "exp"},
		{"exp as text", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":"ringline","exp":"%d"}`, exp)), "exp"},
		{"exp null", claims(`{"sub":"ann","app":"demo","aud":"ringline","exp":null}`), "exp"},
		{"iat as text", with(`"sub":"ann","iat":"1"`), "iat"},
		{"nbf as an array", with(`"sub":"ann","nbf":[1]`), "nbf"},
		{"no aud", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","exp":%d}`, exp)), "aud"},
		{"an empty aud", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":"","exp":%d}`, exp)), "aud"},
		{"an empty list of aud", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":[],"exp":%d}`, exp)), "aud"},
		{"another aud", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":"ringlines","exp":%d}`, exp)), "aud"},
		{"a list of others", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":["a","b"],"exp":%d}`, exp)), "aud"},
		{"a list with a number", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":["ringline",1],"exp":%d}`, exp)), "aud"},
		{"aud as an object", claims(fmt.Sprintf(`{"sub":"ann","app":"demo","aud":{"ringline":1},"exp":%d}`, exp)), "aud"},
	} {
		t.Run(a.what, func(t *testing.T) { refused(t, v, a.raw, token.ErrInvalid, a.text) })
	}
}
