package token

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

// frame is a parsed token.
type frame struct {
	Unverified

	signed    string // the input of the signature
	signature []byte
}

// Read returns the contents of a token without checking its signature. Use it to display a token, never to trust one.
func Read(raw string) (Unverified, error) {
	f, err := open(raw)
	return f.Unverified, err
}

// open parses a token. It does not check the signature.
func open(raw string) (f frame, err error) {
	if len(raw) > MaxToken {
		return f, invalid("must be at most %d bytes, got %d", MaxToken, len(raw))
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return f, invalid("is not a JWT: must have 3 parts, got %d", len(parts))
	}
	header, err := decode("header", parts[0])
	if err != nil {
		return f, err
	}
	claims, err := decode("claims", parts[1])
	if err != nil {
		return f, err
	}
	if f.signature, err = decode("signature", parts[2]); err != nil {
		return f, err
	}
	f.signed = parts[0] + "." + parts[1]
	alg, kid, err := readHeader(header)
	if err != nil {
		return f, err
	}
	f.Unverified, err = readClaims(claims)
	f.Alg, f.KID = alg, kid
	return f, err
}

func decode(part, s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // the decoder ignores line breaks
		return nil, invalid("its %s is not base64url", part)
	}
	return b, nil
}

func readHeader(data []byte) (alg, kid string, err error) {
	members, err := object("header", data)
	if err != nil {
		return "", "", err
	}
	if _, there := members["crit"]; there { // RFC 7515, 4.1.11: an unknown critical header must be rejected
		return "", "", invalid("its header has crit")
	}
	if alg, err = optString("alg", members["alg"]); err != nil {
		return "", "", err
	}
	if kid, err = optString("kid", members["kid"]); err != nil {
		return "", "", err
	}
	if _, there := members["kid"]; there && kid == "" {
		return "", "", invalid("kid is empty")
	}
	return alg, kid, nil
}

// object reads a JSON object. It rejects duplicate names at the top level, because another parser may use the other value. It does
// not check the values: a claim that no code reads may hold any JSON.
func object(part string, data []byte) (map[string]jsontext.Value, error) {
	list, err := jsonobject.Read(data)
	if err != nil || !utf8.Valid(data) {
		return nil, invalid("its %s is not a JSON object", part)
	}
	members := make(map[string]jsontext.Value, len(list))
	for _, m := range list {
		if _, twice := members[m.Name]; twice {
			return nil, invalid("its %s has a name twice", part)
		}
		members[m.Name] = m.Value
	}
	return members, nil
}

// optString reads a string. It returns "" if there is none.
func optString(name string, raw jsontext.Value) (s string, err error) {
	if len(raw) == 0 {
		return "", nil
	}
	if raw.Kind() != jsontext.KindString || json.Unmarshal(raw, &s) != nil {
		return "", invalid("%s must be a string", name)
	}
	return s, nil
}

// lastSecond is the end of the year 9999. A larger number was meant in milliseconds.
const lastSecond = 253402300799

// optTime reads seconds since 1970, truncated to milliseconds. It returns the zero time if there are none.
func optTime(name string, raw jsontext.Value) (time.Time, error) {
	if len(raw) == 0 {
		return time.Time{}, nil
	}
	s, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || s < 0 || s > lastSecond {
		return time.Time{}, invalid("%s must be a number of seconds since 1970 (not milliseconds, not a string)", name)
	}
	return time.UnixMilli(int64(s * 1000)).UTC(), nil
}
