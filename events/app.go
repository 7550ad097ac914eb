package events

import (
	"encoding/json"
	"fmt"
)

// AppSettings is what an app changes of the defaults, and what its client sessions need: the value of its key in
// RINGLINE_APPS. What is 0 is not changed; without token keys nobody has a session.
type AppSettings struct {
	Capacity     int `json:"capacity,omitempty"`       // how many calls a user's line holds
	RingTimeoutS int `json:"ring_timeout_s,omitempty"` // of an invite or add that names none
	MaxCallees   int `json:"max_callees,omitempty"`    // in a call, all in all
	MaxDurationS int `json:"max_duration_s,omitempty"` // of a call, counted from its creation

	TokenKeys []TokenKey      `json:"token_keys,omitempty"` // what the tokens of its users are checked with, the newest last
	Origins   []string        `json:"origins,omitempty"`    // of the pages that may open sessions
	NotBefore map[string]Time `json:"not_before,omitempty"` // by user id: his tokens that were issued before it are revoked
}

// The limits of an app's settings. The longest duration leaves the TTL of lines (18 h) an hour, and the largest value
// holds a NotBefore of the longest ids, and is well below what NATS takes as one message.
const (
	MaxCapacity    = 50
	MaxCallees     = 50
	MaxDurationS   = 17 * 60 * 60
	MaxTokenKeys   = 8
	MaxSecrets     = 2 // of them HS256: the old and the new one, while they are rotated
	MaxOrigins     = 50
	MaxNotBefore   = 1000
	MaxAppSettings = 512 << 10 // bytes
)

// appFields are the fields of an app's settings.
func appFields() []string {
	return []string{
		"capacity", "ring_timeout_s", "max_callees", "max_duration_s", "token_keys", "origins", "not_before",
	}
}

// ReadAppSettings reads an app's settings strictly: what is misspelt would be a limit that nobody keeps. No error
// holds a secret.
func ReadAppSettings(data []byte) (AppSettings, error) {
	var s AppSettings
	members, bad := readObject(data, MaxAppSettings)
	if bad == nil {
		bad = readFields("an app", members, appFields(), s.set)
	}
	if bad != nil {
		return s, bad
	}
	return s, nil
}

func (s *AppSettings) set(name string, raw json.RawMessage) (bad *Error) {
	var err error
	switch name {
	case "capacity":
		s.Capacity, err = readInt(raw, 1, MaxCapacity)
	case "ring_timeout_s":
		s.RingTimeoutS, err = readInt(raw, MinRingTimeoutS, MaxRingTimeoutS)
	case "max_callees":
		s.MaxCallees, err = readInt(raw, 1, MaxCallees)
	case "max_duration_s":
		s.MaxDurationS, err = readInt(raw, 1, MaxDurationS)
	case "token_keys":
		s.TokenKeys, bad = readTokenKeys(raw)
	case "origins":
		s.Origins, bad = readOrigins(raw)
	case "not_before":
		s.NotBefore, bad = readNotBefore(raw)
	}
	if err != nil {
		return invalid("%s: %v", name, err)
	}
	return bad
}

// readItems takes an array apart.
func readItems(field string, raw json.RawMessage, most int) (items []json.RawMessage, bad *Error) {
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		return nil, invalid("%s: must be an array, got %s", field, kindOf(raw))
	}
	if len(items) > most {
		return nil, invalid("%s: must have at most %d entries, got %d", field, most, len(items))
	}
	return items, nil
}

func readNotBefore(raw json.RawMessage) (map[string]Time, *Error) {
	if raw[0] != '{' {
		return nil, invalid("not_before: must be an object of user ids and times, got %s", kindOf(raw))
	}
	members, bad := readObject(raw, MaxAppSettings)
	if bad != nil {
		return nil, bad
	}
	if len(members) > MaxNotBefore {
		return nil, invalid("not_before: must have at most %d users, got %d", MaxNotBefore, len(members))
	}
	times := make(map[string]Time, len(members))
	for _, m := range members {
		where := fmt.Sprintf("not_before[%s]", quoted(m.name))
		if bad := CheckName("not_before: user id", m.name); bad != nil {
			return nil, bad
		}
		if _, twice := times[m.name]; twice {
			return nil, invalid("%s: given twice", where)
		}
		t, err := readTime(m.raw)
		if err != nil {
			return nil, invalid("%s: %v", where, err)
		}
		times[m.name] = t
	}
	return times, nil
}

// readTime reads a time exactly as Ringline writes it.
func readTime(raw json.RawMessage) (t Time, err error) {
	s, err := readString(raw)
	if err != nil {
		return 0, err
	}
	if t.UnmarshalText([]byte(s)) != nil || t.String() != s {
		return 0, fmt.Errorf("must be a time such as 2026-11-24T10:00:07.250Z, got %s", quoted(s))
	}
	return t, nil
}
