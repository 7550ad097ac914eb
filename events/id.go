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

// CheckToken checks an app, a call id, a command id, a service, a verb or an answer token: 1 to 64 of A-Z a-z 0-9 _ -.
func CheckToken(field, s string) *Error {
	if !isToken(s) {
		return invalid("%s: must be 1 to %d characters of A-Z a-z 0-9 _ -, got %s", field, MaxToken, quoted(s))
	}
	return nil
}

// CheckName checks a user id, a device id or a room id: 1 to 128 bytes of UTF-8 without control characters.
func CheckName(field, s string) *Error {
	if s == "" || len(s) > MaxName || hasControl(s) || !utf8.ValidString(s) {
		return invalid("%s: must be 1 to %d bytes of UTF-8 without control characters, got %s", field, MaxName, quoted(s))
	}
	return nil
}

// CheckUserName checks a name to show: at most 256 bytes of UTF-8 without control characters.
func CheckUserName(field, s string) *Error {
	switch {
	case len(s) > MaxUserName:
		return invalid("%s: must be at most %d bytes, got %d", field, MaxUserName, len(s))
	case hasControl(s) || !utf8.ValidString(s):
		return invalid("%s: must be at most %d bytes of UTF-8 without control characters, got %s", field, MaxUserName, quoted(s))
	}
	return nil
}

// hasControl finds the characters of Unicode's category Cc.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f })
}

// quoted shows the value in a message, cut where it is long.
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

// Escape makes a token of a subject, or a KV key, of any id: each byte outside A-Z a-z 0-9 _ - becomes =HH
// (upper-case hex). If that is longer than 128 bytes it is =h and the lower-case hex SHA-256 of the id instead.
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

// Unescape gives the id back. ok is false for what Escape never makes, and for a hash, which has no way back.
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

// DeriveCallID makes the call id of an invitation that came without one, so that a retry never rings twice, and that
// can't be guessed without the secret: the first 32 hex digits of HMAC-SHA256, under the app's secret, of app,
// user id and command id, each followed by a NUL.
func DeriveCallID(secret []byte, app, userID, commandID string) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(app + "\x00" + userID + "\x00" + commandID + "\x00"))
	return hex.EncodeToString(mac.Sum(nil))[:32]
}

// ExpireID is the command id of the expire that the deadline <call>.<seq> becomes.
func ExpireID(callID string, seq int) string { return digest(fmt.Sprintf("%s\x00%d", callID, seq)) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:32]
}
