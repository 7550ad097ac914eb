package check

import (
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events"
)

// Beyond lists the errors in the body of a command or request that JSON Schema can't express: limits in bytes,
// duplicate names, invalid Unicode, duplicate callees, and a caller among the callees.
func Beyond(body []byte) []string {
	var wrong []string
	add := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	add(len(body) > events.MaxCommand, "the body has more than %d bytes", events.MaxCommand)
	add(!utf8.Valid(body), "the body is not UTF-8")
	twice, half := jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)
	if text := jsontext.Value(body); text.IsValid(twice, half) {
		add(!text.IsValid(half), "a name is given twice")
		add(utf8.Valid(body) && !text.IsValid(twice), "half of a surrogate pair")
	}

	var c struct {
		UserID     string         `json:"user_id"`
		DeviceID   string         `json:"device_id"`
		RoomID     string         `json:"room_id"`
		UserName   string         `json:"user_name"`
		CustomData jsontext.Value `json:"custom_data"`
		Callees    []callee       `json:"callees"`
		Party      events.Seat    `json:"party"`
	}
	if json.Unmarshal(body, &c, twice, half) != nil {
		return wrong
	}
	for _, id := range []string{c.UserID, c.DeviceID, c.RoomID, c.Party.UserID, c.Party.DeviceID} {
		add(onlyInBytes(id, events.MaxName), "an id has more than %d bytes", events.MaxName)
	}
	add(onlyInBytes(c.UserName, events.MaxUserName), "a name has more than %d bytes", events.MaxUserName)
	add(longOnlyAsWritten(c.CustomData), "custom data has more than %d bytes", events.MaxCustomData)
	users := map[string]callee{}
	for _, x := range c.Callees {
		add(onlyInBytes(x.UserID, events.MaxName), "a callee's id has more than %d bytes", events.MaxName)
		add(onlyInBytes(x.UserName, events.MaxUserName), "a callee's name has more than %d bytes", events.MaxUserName)
		other, twice := users[x.UserID]
		add(twice && other != x, "%q is a callee twice", x.UserID) // uniqueItems detects identical entries
		add(x.named && x.UserID == c.UserID, "%q is the caller", x.UserID)
		users[x.UserID] = x
	}
	return wrong
}

// onlyInBytes reports whether s exceeds the limit in bytes but not in characters, which maxLength counts.
func onlyInBytes(s string, most int) bool { return len(s) > most && utf8.RuneCountInString(s) <= most }

// longOnlyAsWritten reports whether custom data exceeds its limit only in the encoded form. The limit counts the
// bytes between the quotes; maxLength counts the decoded characters.
func longOnlyAsWritten(raw jsontext.Value) bool {
	s, _ := jsontext.AppendUnquote(nil, raw)
	return raw.Kind() == jsontext.KindString && len(raw)-2 > events.MaxCustomData && utf8.RuneCount(s) <= events.MaxCustomData
}

// callee is an entry of callees: an object in an invite or add, a user id in a cancel.
type callee struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"`

	named bool // the entry is an object
}

// UnmarshalJSONFrom reads either form.
func (c *callee) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == jsontext.KindString {
		return json.UnmarshalDecode(dec, &c.UserID)
	}
	type plain callee
	c.named = true
	return json.UnmarshalDecode(dec, (*plain)(c))
}
