package events

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of ids and names, in bytes.
const (
	MaxToken    = 64
	MaxName     = 128
	MaxUserName = 256
	MaxAvatar   = 256
	maxEscaped  = 128
)

func tokenByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != "" && len(s) <= MaxToken
}

// CheckToken checks an app, call id, command id, service, verb or answer token: 1 to 64 characters of A-Z a-z 0-9 _
// -.
func CheckToken(field, s string) error {
	if !isToken(s) {
		return invalid("%s: must be 1 to %d characters of A-Z a-z 0-9 _ -, got %s", field, MaxToken, quoted(s))
	}
	return nil
}

// CheckName checks a user id, device id or room id: 1 to 128 bytes of UTF-8 without control characters.
func CheckName(field, s string) error {
	if s == "" || len(s) > MaxName || hasControl(s) || !utf8.ValidString(s) {
		return invalid("%s: must be 1 to %d bytes of UTF-8 without control characters, got %s", field, MaxName, quoted(s))
	}
	return nil
}

// CheckUserName checks a display name: at most 256 bytes of UTF-8 without control characters.
func CheckUserName(field, s string) error {
	switch {
	case len(s) > MaxUserName:
		return invalid("%s: must be at most %d bytes, got %d", field, MaxUserName, len(s))
	case hasControl(s) || !utf8.ValidString(s):
		return invalid("%s: must be at most %d bytes of UTF-8 without control characters, got %s", field, MaxUserName, quoted(s))
	}
	return nil
}

// AvatarPattern is the pattern of a picture's URL, without its maximum length.
const AvatarPattern = `^https://[!#-\[\]-~]+$`

// CheckAvatar checks the URL of a picture: https, at most 256 bytes of ASCII without spaces, quotes and backslashes.
func CheckAvatar(field, s string) error {
	const want = "must be an https URL of at most %d bytes of ASCII without spaces, quotes and backslashes"
	rest, ok := strings.CutPrefix(s, "https://")
	fits := func(r rune) bool { return r > ' ' && r <= '~' && r != '"' && r != '\\' }
	if !ok || rest == "" || len(s) > MaxAvatar || strings.ContainsFunc(rest, func(r rune) bool { return !fits(r) }) {
		return invalid("%s: "+want+", got %s", field, MaxAvatar, quoted(s))
	}
	return nil
}

// hasControl reports whether s contains a character of Unicode category Cc.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f })
}

// quoted quotes a value for a message and truncates long values.
func quoted(s string) string {
	const most = 40
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%d bytes beginning with %q", len(s), s[:cut])
}

// Escape converts any id to one token of a subject or KV key. Each byte outside A-Z a-z 0-9 _ - becomes =HH
// (upper-case hex). If the result is longer than 128 bytes, Escape returns =h and the lower-case hex SHA-256 of the
// id instead.
func Escape(id string) string {
	const digits = "0123456789ABCDEF"
	if isToken(id) {
		return id
	}
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; tokenByte(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	if b.Len() > maxEscaped {
		sum := sha256.Sum256([]byte(id))
		return "=h" + hex.EncodeToString(sum[:])
	}
	return b.String()
}

// Unescape reverses Escape. ok is false for a token that Escape never returns, and for a hash, which can't be
// reversed.
func Unescape(token string) (id string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		switch {
		case token[i] != '=':
			b.WriteByte(token[i])
		case i+2 >= len(token):
			return "", false
		default:
			c, err := hex.DecodeString(token[i+1 : i+3])
			if err != nil {
				return "", false
			}
			b.WriteByte(c[0])
			i += 2
		}
	}
	id = b.String()
	return id, id != "" && Escape(id) == token
}

// DeriveCallID returns the call id of an invitation that has none. A retry gets the same call id, so that it never
// rings twice. The id can't be guessed without the secret: it is the first 32 hex digits of HMAC-SHA256, keyed with
// the app's secret, over app, user id and command id, each followed by a NUL.
func DeriveCallID(secret []byte, app, userID, commandID string) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(app + "\x00" + userID + "\x00" + commandID + "\x00"))
	return hex.EncodeToString(mac.Sum(nil))[:32]
}

// ExpireID returns the command id of the expire command for a deadline of a call.
func ExpireID(callID string, d DeadlineID) string { return digest(callID + "\x00" + d.token()) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:32]
}
