package token

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ringline.io/ringline/events"
)

// DefaultAudience is the aud of a token unless another one is configured.
const DefaultAudience = "ringline"

// Settings returns an app's settings, and whether the app is known. store.Apps.Settings is one.
type Settings func(ctx context.Context, app string) (s events.AppSettings, known bool, err error)

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	settings Settings
	audience string
	extra    map[string][]events.TokenKey
}

// New returns a verifier for this audience. An empty audience means DefaultAudience.
func New(settings Settings, audience string) *Verifier {
	if audience == "" {
		audience = DefaultAudience
	}
	return &Verifier{settings: settings, audience: audience}
}

// WithKey returns a verifier that also accepts tokens that this key signed for this app. The app need not be known.
func (v *Verifier) WithKey(app string, key events.TokenKey) *Verifier {
	more := *v
	more.extra = maps.Clone(v.extra)
	if more.extra == nil {
		more.extra = map[string][]events.TokenKey{}
	}
	more.extra[app] = append(slices.Clone(v.extra[app]), key)
	return &more
}

// Verify returns the claims of a token that is signed and valid now. Otherwise the claims are empty, and the error
// wraps one of the errors of this package.
func (v *Verifier) Verify(ctx context.Context, raw string, now time.Time) (Claims, error) {
	f, err := open(raw)
	if err != nil {
		return Claims{}, err
	}
	s, err := v.settingsOf(ctx, f.Claims.App)
	if err != nil {
		return Claims{}, err
	}
	if err := f.checkSignature(s.TokenKeys); err != nil {
		return Claims{}, err
	}
	if err := f.inForce(s.NotBefore, v.audience, now); err != nil {
		return Claims{}, err
	}
	return f.Claims, nil
}

// Check reports whether claims that Verify returned earlier are still valid. They are valid while the token is not
// expired, the user's tokens are not revoked since, and the app has keys. Check does not notice that the signing key
// was removed.
func (v *Verifier) Check(ctx context.Context, c Claims, now time.Time) error {
	s, err := v.settingsOf(ctx, c.App)
	if err != nil {
		return err
	}
	return c.inForce(s.NotBefore, now)
}

// settingsOf returns the settings of an app that has keys.
func (v *Verifier) settingsOf(ctx context.Context, app string) (events.AppSettings, error) {
	s, _, err := v.settings(ctx, app)
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.TokenKeys = slices.Concat(s.TokenKeys, v.extra[app])
	if len(s.TokenKeys) == 0 {
		return s, invalid("app %s is not known, or has no token keys", app)
	}
	return s, nil
}

// checkSignature looks for the key that signed the token. The key must have the kid of the token, if there is one, and
// its algorithm must be that of the token.
func (f frame) checkSignature(keys []events.TokenKey) error {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k events.TokenKey) bool { return f.KID != "" && k.KID != f.KID })
	if len(keys) == 0 {
		return invalid("app %s has no key of its kid", f.Claims.App)
	}
	keys = slices.DeleteFunc(keys, func(k events.TokenKey) bool { return string(k.Alg) != f.Alg })
	if len(keys) == 0 {
		return invalid("its alg is not that of a key of app %s", f.Claims.App)
	}
	if !slices.ContainsFunc(keys, f.signedBy) {
		return invalid("its signature is not of a key of app %s", f.Claims.App)
	}
	return nil
}

func (f frame) signedBy(k events.TokenKey) bool {
	key, err := k.Parse()
	if err != nil {
		return false
	}
	m := method(k.Alg)
	return m != nil && m.Verify(f.signed, f.signature, key) == nil
}

// method returns the signing method of an algorithm, and nil for an unsupported one.
func method(alg events.TokenAlg) jwt.SigningMethod {
	switch alg {
	case events.AlgHS256:
		return jwt.SigningMethodHS256
	case events.AlgEdDSA:
		return jwt.SigningMethodEdDSA
	case events.AlgES256:
		return jwt.SigningMethodES256
	}
	return nil
}
