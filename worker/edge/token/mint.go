package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
)

// SigningKey signs tokens.
type SigningKey struct {
	kid string
	alg events.TokenAlg
	key any
}

// Secret returns the signing key of an HS256 key, which has one secret for both directions.
func Secret(k events.TokenKey) (SigningKey, error) {
	if k.Alg != events.AlgHS256 {
		return SigningKey{}, fmt.Errorf("token: key %s is for %s, but its private key is missing", k.KID, k.Alg)
	}
	secret, err := k.Parse()
	if err != nil {
		return SigningKey{}, fmt.Errorf("token: the secret of key %s %w", k.KID, err)
	}
	return SigningKey{k.KID, k.Alg, secret}, nil
}

// PrivateKey reads the private half of an EdDSA or ES256 key, in PEM of PKCS #8.
func PrivateKey(kid string, text []byte) (SigningKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return SigningKey{}, errors.New("token: a private key must be PEM of PKCS #8, -----BEGIN PRIVATE KEY----- " +
			"(openssl pkcs8 -topk8 -nocrypt converts other formats)")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return SigningKey{}, errors.New("token: the PEM block is not a private key (PKCS #8)")
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return SigningKey{kid, events.AlgEdDSA, key}, nil
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return SigningKey{kid, events.AlgES256, key}, nil
		}
	}
	return SigningKey{}, errors.New("token: a private key must be an Ed25519 key, or one on the curve P-256")
}

// Mint makes a token. An empty audience means DefaultAudience. Times are truncated to seconds.
func Mint(k SigningKey, c Claims, audience string) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	if audience == "" {
		audience = DefaultAudience
	}
	claims := jwt.MapClaims{"sub": c.UserID, "app": c.App, "aud": audience, "exp": c.Expires.Unix()}
	for name, s := range map[string]string{"name": c.UserName, "avatar": c.Avatar, "device": c.Device} {
		if s != "" {
			claims[name] = s
		}
	}
	if !c.IssuedAt.IsZero() {
		claims["iat"] = c.IssuedAt.Unix()
	}
	m := method(k.alg)
	if m == nil {
		return "", errors.New("token: mint: no signing key")
	}
	t := jwt.NewWithClaims(m, claims)
	if k.kid != "" {
		t.Header["kid"] = k.kid
	}
	raw, err := t.SignedString(k.key)
	if err != nil {
		return "", fmt.Errorf("token: mint: %w", err)
	}
	return raw, nil
}

// Generate makes an HS256 key with a random secret of 32 bytes.
func Generate(kid string) events.TokenKey {
	secret := make([]byte, events.MinSecret)
	_, _ = rand.Read(secret) // it never returns an error: it crashes the process instead
	return events.TokenKey{KID: kid, Alg: events.AlgHS256, Secret: base64.RawURLEncoding.EncodeToString(secret)}
}

// Fingerprint identifies a key without revealing it. It is the beginning of the SHA-256 of the secret or of the public
// key.
func Fingerprint(k events.TokenKey) string {
	key, err := k.Parse()
	if err != nil {
		return "unreadable"
	}
	secret, ok := key.([]byte)
	if !ok {
		if secret, err = x509.MarshalPKIXPublicKey(key); err != nil {
			return "unreadable"
		}
	}
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:8])
}
