package abuse

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/meter"
)

// Target is the edge under attack, and the apps that the attack uses.
type Target struct {
	Server string     `json:"server"`
	App    device.App `json:"app"`    // its tokens are verified with a secret
	Other  device.App `json:"other"`  // another app of this kind
	Public string     `json:"public"` // an app whose tokens are verified with a public key
	Key    []byte     `json:"key"`    // that public key, as PEM
	NATS   string     `json:"nats"`   // where the backend of the other app sends requests
}

// kind is a kind of misbehaving client.
type kind struct {
	name  string
	every time.Duration // between two attempts
	once  func(ctx context.Context, t Target, from string, out func(string))
	may   []string // allowed outcomes of an attempt
	must  []string // required outcomes: each must occur at least once
	alone bool     // attempts do not overlap
	slow  bool     // the edge stops it only after a timeout

	counted string // the edge's label for attempts with the first outcome of must: a refusal or a close code
}

// The outcomes.
const (
	outEntered = "admitted"
	outHung    = "no end within a minute"
	outCut     = "closed without a code"
)

func code(c session.Code) string { return fmt.Sprintf("%d %s", uint32(c), c) }

// outcome returns the outcome that an error represents.
func outcome(err error) string {
	r, refused := errors.AsType[*device.RefusedError](err)
	switch {
	case err == nil:
		return outEntered
	case refused:
		return fmt.Sprintf("%d %s", r.Code, r.Reason)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return outHung
	}
	return outCut
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// kinds lists the kinds.
func kinds() []kind {
	one := func(name string, want session.Code, counted meter.Refused, hello func(Target) (device.Hello, error)) kind {
		return kind{name: name, every: 10 * time.Millisecond, must: []string{code(want)}, once: tries(hello), counted: string(counted)}
	}
	const quick = 20 * time.Millisecond
	return []kind{
		one("no token", session.InvalidToken, meter.RefusedToken, func(Target) (device.Hello, error) { return device.Hello{}, nil }),
		one("expired", session.Expired, meter.RefusedExpired, expired),
		one("token of another app", session.InvalidToken, meter.RefusedToken, others),
		one("alg none", session.InvalidToken, meter.RefusedToken, algNone),
		one("HS256 with a public key", session.InvalidToken, meter.RefusedToken, publicKeyAsSecret),
		one("forged device", session.Denied, meter.RefusedDevice, forgedDevice),
		{name: "frame over 64 KB", every: quick, once: sends(bytes.Repeat([]byte("x"), 64<<10+1)), must: []string{tooBig}, counted: "1009"},
		{name: "garbage in a session", every: quick, once: sends([]byte("{\"id\":\x00\xFF")), must: []string{code(session.BadRequest)}},
		{name: "garbage at once", every: quick, once: sendMalformed, must: []string{code(session.BadRequest)}, counted: "3501"},
		{name: "bytes that are no WebSocket frames", every: quick, once: noFrames, must: []string{protocolError}, counted: "1002"},
		{name: "10,000 commands a second", every: time.Millisecond, once: flood, may: []string{answered, outCut}, must: []string{limited, code(session.TooManyRequests)}, alone: true, counted: string(meter.RefusedRate)},
		{name: "200 connections of one user", every: time.Second, once: crowd, must: []string{code(session.TooManySessions), outEntered}, alone: true, counted: string(meter.RefusedUser)},
		{name: "1,200 connections of one address", every: time.Second, once: sockets, must: []string{"429 Too Many Requests", outEntered}, alone: true, counted: string(meter.RefusedAddress)},
		{name: "TCP without HTTP", every: time.Hour, alone: true, once: many(noHTTP), must: []string{outCut}, slow: true},
		{name: "HTTP headers without an end", every: time.Hour, alone: true, once: many(halfHeaders), must: []string{outCut}, slow: true},
		{name: "a POST without its body", every: time.Hour, alone: true, once: many(halfBody), must: []string{outCut}, may: []string{"408 Request Timeout", "400 Bad Request"}, slow: true},
		{name: "WebSocket without connect", every: time.Hour, alone: true, once: many(noConnect), must: []string{outCut}, slow: true},
		{name: "silent after connect", every: time.Hour, alone: true, once: many(noPong), must: []string{code(session.Silent)}, slow: true},
	}
}

// Codes from centrifuge or WebSocket, not from Ringline.
const (
	tooBig        = "1009 "
	protocolError = "1002 RSV1 set, RSV2 set, RSV3 set, bad opcode 15"
)

// tries connects with a hello.
func tries(hello func(Target) (device.Hello, error)) func(context.Context, Target, string, func(string)) {
	return func(ctx context.Context, t Target, from string, out func(string)) {
		h, err := hello(t)
		if err != nil {
			out("not attempted: " + err.Error())
			return
		}
		h.Server, h.From = t.Server, from
		d, _, err := device.Connect(ctx, h, nil)
		if err == nil {
			d.Socket.Reset()
		}
		out(outcome(err))
	}
}

func expired(t Target) (device.Hello, error) {
	raw, err := t.App.Mint(token.Claims{UserID: "mallory", IssuedAt: time.Now().Add(-time.Hour), Expires: time.Now().Add(-time.Minute)})
	return device.Hello{Token: raw}, err
}

// others signs with the key of another app.
func others(t Target) (device.Hello, error) {
	raw, err := t.Other.Mint(token.Claims{App: t.App.Name, UserID: "ann0", Expires: time.Now().Add(time.Hour)})
	return device.Hello{Token: raw}, err
}

func algNone(t Target) (device.Hello, error) {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":"ann0","app":%q,"aud":"ringline","iat":%d,"exp":%d}`, t.App.Name, time.Now().Unix(), time.Now().Add(time.Hour).Unix())
	return device.Hello{Token: part([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part([]byte(claims)) + "."}, nil
}

// publicKeyAsSecret signs with the public key as an HMAC secret.
func publicKeyAsSecret(t Target) (device.Hello, error) {
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "ann0", "app": t.Public, "aud": token.DefaultAudience, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(t.Key)
	return device.Hello{Token: raw}, err
}

func forgedDevice(t Target) (device.Hello, error) {
	raw, err := t.App.Token("mallory", "phone")
	return device.Hello{Token: raw, Device: "tablet"}, err
}

// publicKey creates a key pair, and returns its public key.
func publicKey() (events.TokenKey, []byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return events.TokenKey{}, nil, fmt.Errorf("abuse: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return events.TokenKey{}, nil, fmt.Errorf("abuse: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return events.TokenKey{KID: "p1", Alg: events.AlgES256, PublicKey: string(bytes.TrimSpace(text))}, text, nil
}
