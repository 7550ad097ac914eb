package edgetest

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// The codes with which a client is refused or closed.
const (
	tokenExpired    = 109
	shutdown        = 3001
	expired         = 3005
	slow            = 3008
	tooManyRequests = 3013
	invalidToken    = 3500
	badRequest      = 3501
	denied          = 3507
	tooManySessions = 4004
	replaced        = 4501
)

// tokensThatAreRefused checks that a session needs a token of the app that is valid now.
func tokensThatAreRefused(s *stage) {
	public, der := publicKey(s)
	s.set(events.AppSettings{TokenKeys: []events.TokenKey{s.key, public}})
	other := *s
	other.key = token.Generate("k1")
	claims := s.encode(map[string]any{"sub": "ann", "app": s.app, "aud": "ringline", "exp": time.Now().Add(time.Hour).Unix()})
	signed := func(key string) string {
		return jws(`{"alg":"HS256","kid":"public"}`, claims, func(text string) []byte {
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(text))
			return mac.Sum(nil)
		})
	}
	past := func(c *token.Claims) { c.Expires = time.Now().Add(-time.Second) }
	for name, test := range map[string]struct {
		token string
		code  int
	}{
		"none":                        {"", invalidToken},
		"garbage":                     {"garbage", invalidToken},
		"three parts of garbage":      {"a.b.c", invalidToken},
		"expired":                     {s.token("ann", past), tokenExpired},
		"expired, key of another app": {other.token("ann", past), invalidToken},
		"key of another app":          {other.token("ann"), invalidToken},
		"an unknown app":              {s.token("ann", func(c *token.Claims) { c.App = "nowhere" }), invalidToken},
		"alg none":                    {jws(`{"alg":"none"}`, claims, func(string) []byte { return nil }), invalidToken},
		"a public key as secret":      {signed(public.PublicKey), invalidToken},
		"the same as DER":             {signed(string(der)), invalidToken},
	} {
		s.refused(name, Client{Token: test.token}, test.code)
	}
	s.open("ann", "")
}

func publicKey(s *stage) (key events.TokenKey, der []byte) {
	s.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err == nil {
		der, err = x509.MarshalPKIXPublicKey(public)
	}
	if err != nil {
		s.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return events.TokenKey{KID: "public", Alg: events.AlgEdDSA, PublicKey: string(text)}, der
}

// jws builds a token by hand.
func jws(header string, claims []byte, sign func(string) []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(header)) + "." + encode(claims)
	return text + "." + encode(sign(text))
}

// devices checks that a client can add a tab to the device that its token names, and nothing else.
func devices(s *stage) {
	phone := s.token("ann", func(c *token.Claims) { c.Device = "phone" })
	for name, test := range map[string]struct{ token, said, device string }{
		"that of the token":                     {phone, "phone", "phone"},
		"a tab of that device":                  {phone, "phone.tab1", "phone.tab1"},
		"that of the token, not sent":           {phone, "", "phone"},
		"the device of the client":              {s.token("ann"), "laptop.tab2", "laptop.tab2"},
		"another device than that of the token": {phone, "laptop", ""},
		"a device with the same prefix":         {phone, "phone2", ""},
	} {
		c := Client{Token: test.token, Data: fmt.Sprintf(`{"device":%q}`, test.said)}
		if test.device == "" {
			s.refused(name, c, denied)
			continue
		}
		if got := s.opened("ann", c).snapshot.DeviceID; got != test.device {
			s.Errorf("%s: the device is %q, want %q", name, got, test.device)
		}
	}
	one, two := s.open("ann", ""), s.open("ann", "")
	if a, b := one.snapshot.DeviceID, two.snapshot.DeviceID; a == "" || a == b {
		s.Errorf("two sessions without a device are the devices %q and %q", a, b)
	}
	call := two.does("invite", `{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}]}`)
	if call.Caller.DeviceID != two.snapshot.DeviceID {
		s.Errorf("device %q calls, its session is %q", call.Caller.DeviceID, two.snapshot.DeviceID)
	}
}

// revokedOnItsWay checks that revoking a user's tokens closes their session, and that only a newer token opens another.
func revokedOnItsWay(s *stage) {
	ann, bob := s.open("ann", ""), s.open("bob", "")
	now := time.Now()
	s.set(events.AppSettings{
		TokenKeys: []events.TokenKey{s.key}, NotBefore: map[string]events.Time{"ann": events.TimeOf(now.Add(-30 * time.Second))},
	})
	if got := s.code(ann.conn); got != invalidToken {
		s.Errorf("closed with %d", got)
	}
	s.refused("the old token", Client{Token: s.token("ann")}, invalidToken)
	s.opened("ann", Client{Token: s.token("ann", func(c *token.Claims) { c.IssuedAt = now })})
	bob.line()
}

// expiredOnItsWay checks that a session whose token expires is closed with the code that asks for a new token. A
// session that refreshed its token stays open.
func expiredOnItsWay(s *stage) {
	soon := func(c *token.Claims) { c.Expires = time.Now().Truncate(time.Second).Add(8 * time.Second) } // a connect may take seconds
	ann := s.opened("ann", Client{Token: s.token("ann", soon)})
	if code, ok := receive(s, "a reply", ann.conn.Refresh(s.token("ann"))); !ok || code != 0 {
		s.Fatalf("a new token is refused with %d", code)
	}
	bob := s.opened("bob", Client{Token: s.token("bob", soon)}) // this token expires no earlier than ann's first one
	if got := s.code(bob.conn); got != expired {
		s.Errorf("closed with %d", got)
	}
	ann.line()
}

// refreshThatIsRefused checks that a new token must be valid now, and name the same user and the same device.
func refreshThatIsRefused(s *stage) {
	device := func(d string) func(*token.Claims) { return func(c *token.Claims) { c.Device = d } }
	past := func(c *token.Claims) { c.Device, c.Expires = "phone", time.Now().Add(-time.Second) }
	for name, test := range map[string]struct {
		token string
		code  int
	}{
		"another user":   {s.token("bob", device("phone")), invalidToken},
		"another device": {s.token("ann", device("laptop")), invalidToken},
		"no device":      {s.token("ann"), invalidToken},
		"garbage":        {"garbage", invalidToken},
		"expired":        {s.token("ann", past), expired},
	} {
		ann := s.opened("ann", Client{Token: s.token("ann", device("phone"))})
		if code, ok := receive(s, "a reply", ann.conn.Refresh(test.token)); ok {
			s.Errorf("%s: the reply is %d", name, code)
		}
		if got := s.code(ann.conn); got != test.code {
			s.Errorf("%s: closed with %d, want %d", name, got, test.code)
		}
	}
}
