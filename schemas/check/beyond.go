package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"ringline.io/ringline/events"
)

// Beyond lists what is wrong with the body of a command or request that its schema can't say: limits in bytes, names
// given twice, text that is no Unicode, a user twice among the callees, a caller who calls himself.
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
		add(twice && other != x, "%q is a callee twice", x.UserID) // uniqueItems sees two that are the same
		add(x.named && x.UserID == c.UserID, "%q is the caller", x.UserID)
		users[x.UserID] = x
	}
	return wrong
}

// onlyInBytes: maxLength counts characters.
func onlyInBytes(s string, most int) bool { return len(s) > most && utf8.RuneCountInString(s) <= most }

// longOnlyAsWritten: the limit of custom data counts what stands between the quotes, and maxLength what it means.
func longOnlyAsWritten(raw json.RawMessage) bool {
	var s string
	return len(raw)-2 > events.MaxCustomData && json.Unmarshal(raw, &s) == nil && utf8.RuneCountInString(s) <= events.MaxCustomData
}

// callee is one of an invite or add, an object, or one of a cancel, a user id.
type callee struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"`

	named bool // an object
}

func (c *callee) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, &c.UserID)
	}
	type plain callee
	c.named = true
	return json.Unmarshal(data, (*plain)(c))
}

// scan finds a name that an object has twice, and counts the replacement characters of all strings: encoding/json
// reads half of a surrogate pair as one.
func scan(body []byte) (twice string, replaced int) {
	dec := json.NewDecoder(bytes.NewReader(body))
	var objects []map[string]bool // those that are open; nil for an array
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

// written counts the replacement characters that the text itself has.
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
