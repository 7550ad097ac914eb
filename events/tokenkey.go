package events

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

// TokenAlg is the signature algorithm of a token. It is a property of the key. A token must name the same algorithm.
type TokenAlg string

// The algorithms, by their JWT names.
const (
	AlgHS256 TokenAlg = "HS256" // a secret shared by the app's backend and Ringline
	AlgEdDSA TokenAlg = "EdDSA" // an Ed25519 key; only the backend has the private key
	AlgES256 TokenAlg = "ES256" // a key on the curve P-256; only the backend has the private key
)

// TokenAlgs lists every algorithm.
func TokenAlgs() []TokenAlg { return []TokenAlg{AlgHS256, AlgEdDSA, AlgES256} }

// Limits of a token key in bytes: of the decoded secret, and of the encoded public key.
const (
	MinSecret    = 32
	MaxSecret    = 512
	MaxPublicKey = 1024
)

// TokenKey verifies the tokens of an app.
type TokenKey struct {
	KID       string   `json:"kid"` // key id, in the header of a token
	Alg       TokenAlg `json:"alg"`
	Secret    string   `json:"secret,omitempty"`     // for HS256: base64url without padding
	PublicKey string   `json:"public_key,omitempty"` // for EdDSA and ES256: PEM of PKIX
}

// String omits the secret, so that it never appears in a log or error by accident.
func (k TokenKey) String() string { return string(k.Alg) + " " + k.KID }

// GoString omits the secret for %#v.
func (k TokenKey) GoString() string { return k.String() }

// Parse returns the key in the type of the standard library: []byte, ed25519.PublicKey or *ecdsa.PublicKey.
func (k TokenKey) Parse() (any, error) {
	switch k.Alg {
	case AlgHS256:
		return parseSecret(k.Secret)
	case AlgEdDSA, AlgES256:
		alg, key, err := ParsePublicKey(k.PublicKey)
		if err == nil && alg != k.Alg {
			err = fmt.Errorf("is a key for %s, but alg is %s", alg, k.Alg)
		}
		return key, err
	}
	return nil, errors.New("alg must be HS256, EdDSA or ES256")
}

func parseSecret(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // the decoder ignores line breaks
		return nil, errors.New("must be base64url (A-Z a-z 0-9 - _) without padding")
	}
	if len(b) < MinSecret || len(b) > MaxSecret {
		return nil, fmt.Errorf("must be %d to %d bytes, got %d", MinSecret, MaxSecret, len(b))
	}
	return b, nil
}

const publicKeyBegins = "-----BEGIN PUBLIC KEY-----"

// ParsePublicKey decodes a PEM public key and returns its algorithm: EdDSA with ed25519.PublicKey, or ES256 with
// *ecdsa.PublicKey.
func ParsePublicKey(text string) (TokenAlg, any, error) {
	if len(text) > MaxPublicKey {
		return "", nil, fmt.Errorf("must be at most %d bytes, got %d", MaxPublicKey, len(text))
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return "", nil, errors.New("must be PEM, " + publicKeyBegins + " and so on")
	case strings.Contains(block.Type, "PRIVATE"):
		return "", nil, errors.New("must be a public key, got a private one; treat it as stolen if it was stored")
	case !strings.HasPrefix(text, publicKeyBegins) || strings.TrimSpace(string(rest)) != "":
		return "", nil, errors.New("must be exactly one PEM block PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return "", nil, errors.New("is PEM, but not a public key (PKIX)")
	}
	switch key := key.(type) {
	case ed25519.PublicKey:
		return AlgEdDSA, key, nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return AlgES256, key, nil
		}
	}
	return "", nil, errors.New("must be an Ed25519 key, or one on the curve P-256")
}

func readTokenKeys(raw jsontext.Value) ([]TokenKey, error) {
	items, bad := readItems("token_keys", raw, MaxTokenKeys)
	if bad != nil {
		return nil, bad
	}
	keys := make([]TokenKey, len(items))
	kids, secrets := map[string]bool{}, 0
	for i, item := range items {
		where := fmt.Sprintf("token_keys[%d]", i)
		k, bad := readTokenKey(where, item)
		if bad != nil {
			return nil, bad
		}
		if kids[k.KID] {
			return nil, invalid("%s.kid: given twice", where)
		}
		if k.Alg == AlgHS256 {
			secrets++
		}
		keys[i], kids[k.KID] = k, true
	}
	if secrets > MaxSecrets {
		return nil, invalid("token_keys: must have at most %d of HS256, got %d; remove the older one", MaxSecrets, secrets)
	}
	return keys, nil
}

func readTokenKey(where string, raw jsontext.Value) (k TokenKey, bad error) {
	if raw[0] != '{' {
		return k, invalid("%s: must be an object, got %s", where, kindOf(raw))
	}
	members, bad := readObject(raw, MaxAppSettings)
	if bad != nil {
		return k, bad
	}
	alg := ""
	fields := map[string]*string{"kid": &k.KID, "alg": &alg, "secret": &k.Secret, "public_key": &k.PublicKey}
	bad = readFields("a token key", members, []string{"kid", "alg", "secret", "public_key"}, func(name string, raw jsontext.Value) (err error) {
		if *fields[name], err = readString(raw); err != nil {
			return invalid("%s: %v", name, err)
		}
		return nil
	})
	k.Alg = TokenAlg(alg)
	if bad == nil {
		bad = k.check(members)
	}
	if bad != nil {
		return k, invalid("%s.%s", where, Message(bad))
	}
	return k, nil
}

// check validates the key. Its errors quote nothing, because a secret may be in the wrong field.
func (k TokenKey) check(members []jsonobject.Member) error {
	secret := k.Alg == AlgHS256
	switch {
	case !isToken(k.KID):
		return invalid("kid: must be 1 to %d characters of A-Z a-z 0-9 _ -", MaxToken)
	case !secret && k.Alg != AlgEdDSA && k.Alg != AlgES256:
		return invalid("alg: must be HS256, EdDSA or ES256")
	case secret && isThere(members, "public_key"):
		return invalid("public_key: not allowed with HS256, which has a secret")
	case !secret && isThere(members, "secret"):
		return invalid("secret: not allowed with %s, which has a public_key", k.Alg)
	}
	if _, err := k.Parse(); err != nil {
		return invalid("%s: %v", map[bool]string{true: "secret", false: "public_key"}[secret], err)
	}
	return nil
}
