package token

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events"
)

// The limits of a token, in bytes. A device of MaxDevice bytes leaves room in the session's device id for the tab's own
// part.
const (
	MaxToken  = 4096
	MaxDevice = 96
)

// Leeway is how far the issuer's clock may be ahead of this clock. The expiry has no leeway.
const Leeway = 5 * time.Second

// Claims holds the claims of a token.
type Claims struct {
	App      string
	UserID   string
	UserName string // may be empty
	Avatar   string // https URL of the user's picture; may be empty
	Device   string // may be empty; otherwise the stable part of the session's device id

	IssuedAt time.Time // zero if the token has no iat
	Expires  time.Time
}

// Unverified holds the contents of a token whose signature is not checked.
type Unverified struct {
	Alg, KID string // the KID may be empty
	Audience []string
	From     time.Time // nbf; zero if the token has none
	Claims   Claims
}

// check rejects claims that a token must not have.
func (c Claims) check() error {
	switch {
	case events.CheckName("", c.UserID) != nil:
		return invalid("sub must be a user id, 1 to %d bytes without control characters", events.MaxName)
	case events.CheckToken("", c.App) != nil:
		return invalid("app must be 1 to %d characters of A-Z a-z 0-9 _ -", events.MaxToken)
	case events.CheckUserName("", c.UserName) != nil:
		return invalid("name must be at most %d bytes without control characters", events.MaxUserName)
	case c.Avatar != "" && events.CheckAvatar("", c.Avatar) != nil:
		return invalid("avatar must be an https URL of at most %d bytes", events.MaxAvatar)
	case c.Device != "" && (len(c.Device) > MaxDevice || events.CheckName("", c.Device) != nil):
		return invalid("device must be a device id of at most %d bytes without control characters", MaxDevice)
	case c.Expires.IsZero():
		return invalid("exp is required")
	}
	return nil
}

// inForce checks that a signed token is valid now, for this audience. The expiry is checked last, so that ErrExpired
// means that nothing else is wrong.
func (u Unverified) inForce(notBefore map[string]events.Time, audience string, now time.Time) error {
	switch {
	case !slices.Contains(u.Audience, audience):
		return invalid("aud is not %q", audience)
	case u.From.After(now.Add(Leeway)):
		return invalid("nbf is in the future")
	case u.Claims.IssuedAt.After(now.Add(Leeway)):
		return invalid("iat is in the future")
	}
	return u.Claims.inForce(notBefore, now)
}

func (c Claims) inForce(notBefore map[string]events.Time, now time.Time) error {
	if from, ok := notBefore[c.UserID]; ok && (c.IssuedAt.IsZero() || c.IssuedAt.Before(from.Time())) {
		return ErrRevoked
	}
	if !now.Before(c.Expires) {
		return ErrExpired
	}
	return nil
}

// readClaims reads the second part of a token.
func readClaims(data []byte) (u Unverified, err error) {
	members, err := object("claims", data)
	if err != nil {
		return u, err
	}
	for name, to := range map[string]*string{
		"sub": &u.Claims.UserID, "app": &u.Claims.App, "name": &u.Claims.UserName, "device": &u.Claims.Device,
	} {
		if *to, err = optString(name, members[name]); err != nil {
			return u, err
		}
	}
	for name, to := range map[string]*time.Time{"exp": &u.Claims.Expires, "iat": &u.Claims.IssuedAt, "nbf": &u.From} {
		if *to, err = optTime(name, members[name]); err != nil {
			return u, err
		}
	}
	if u.Claims.Avatar, err = optString("avatar", members["avatar"]); err != nil || events.CheckAvatar("", u.Claims.Avatar) != nil {
		u.Claims.Avatar = "" // a picture never locks a user out
	}
	if u.Audience, err = audiences(members["aud"]); err != nil {
		return u, err
	}
	return u, u.Claims.check()
}

// audiences reads a string or an array of strings.
func audiences(raw jsontext.Value) ([]string, error) {
	if len(raw) == 0 {
		return nil, invalid("aud is required")
	}
	if raw.Kind() != jsontext.KindBeginArray {
		s, err := optString("aud", raw)
		return []string{s}, err
	}
	var items []jsontext.Value
	if json.Unmarshal(raw, &items, jsontext.AllowInvalidUTF8(true)) != nil {
		return nil, invalid("aud is not an array")
	}
	list := make([]string, len(items))
	for i, item := range items {
		s, err := optString("aud", item)
		if err != nil {
			return nil, err
		}
		list[i] = s
	}
	return list, nil
}
