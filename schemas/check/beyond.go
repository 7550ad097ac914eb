package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

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
	twice, replaced := scan(body)
	add(twice != "", "%q is given twice", twice)
	add(replaced > written(body), "half of a surrogate pair")

	var c struct {
		UserID     string          `json:"user_id"`
		DeviceID   string          `json:"device_id"`
		RoomID     string          `json:"room_id"`
		UserName   string          `json:"user_name"`
		CustomData json.RawMessage `json:"custom_data"`
		Callees    []callee        `json:"callees"`
	}
	if json.Unmarshal(body, &c) != nil {
		return wrong
	}
	for _, id := range []string{c.UserID, c.DeviceID, c.RoomID} {
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
func longOnlyAsWritten(raw json.RawMessage) bool {
	var s string
	return len(raw)-2 > events.MaxCustomData && json.Unmarshal(raw, &s) == nil && utf8.RuneCountInString(s) <= events.MaxCustomData
}

// callee is an entry of callees: an object in an invite or add, a user id in a cancel.
type callee struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"`

	named bool // the entry is an object
}

func (c *callee) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, &c.UserID)
	}
	type plain callee
	c.named = true
	return json.Unmarshal(data, (*plain)(c))
}

// scan returns a duplicate name of an object, and counts the replacement characters in all strings: encoding/json
// decodes half of a surrogate pair as one.
func scan(body []byte) (twice string, replaced int) {
	dec := json.NewDecoder(bytes.NewReader(body))
	var objects []map[string]bool // the open objects; nil for an array
	isName := false
	for {
		t, err := dec.Token()
		if err != nil {
			return twice, replaced
		}
		switch t {
		case json.Delim('{'):
			objects = append(objects, map[string]bool{})
			isName = true
			continue
		case json.Delim('['):
			objects = append(objects, nil)
			isName = false
			continue
		case json.Delim('}'), json.Delim(']'):
			objects = objects[:len(objects)-1]
		}
		if s, ok := t.(string); ok {
			replaced += strings.Count(s, "\ufffd")
			if isName {
				if objects[len(objects)-1][s] {
					twice = s
				}
				objects[len(objects)-1][s] = true
				isName = false
				continue
			}
		}
		isName = len(objects) > 0 && objects[len(objects)-1] != nil
	}
}

// written counts the replacement characters in the encoded text.
func written(body []byte) int {
	n := bytes.Count(body, []byte("\ufffd"))
	for rest := body; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 || i+1 >= len(rest) {
			return n
		}
		if len(rest) >= i+6 && strings.EqualFold(string(rest[i:i+6]), `\ufffd`) {
			n++
		}
		rest = rest[i+2:]
	}
}
