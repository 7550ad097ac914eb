package events

import (
	"encoding/json"
	"maps"
	"slices"
)

// AppSettings is what an app changes of the defaults, the value of its key in RINGLINE_APPS. What is 0 is not changed.
type AppSettings struct {
	Capacity     int `json:"capacity,omitempty"`       // how many calls a user's line holds
	RingTimeoutS int `json:"ring_timeout_s,omitempty"` // of an invite or add that names none
	MaxCallees   int `json:"max_callees,omitempty"`    // in a call, all in all
	MaxDurationS int `json:"max_duration_s,omitempty"` // of a call, counted from its creation
}

// The limits of an app's settings. The longest duration leaves the TTL of lines (18 h) an hour.
const (
	MaxCapacity  = 50
	MaxCallees   = 50
	MaxDurationS = 17 * 60 * 60
)

// ReadAppSettings reads an app's settings strictly: what is misspelt would be a limit that nobody keeps.
func ReadAppSettings(data []byte) (s AppSettings, err error) {
	fields := map[string]struct {
		value *int
		most  int
	}{
		"capacity":       {&s.Capacity, MaxCapacity},
		"ring_timeout_s": {&s.RingTimeoutS, MaxRingTimeoutS},
		"max_callees":    {&s.MaxCallees, MaxCallees},
		"max_duration_s": {&s.MaxDurationS, MaxDurationS},
	}
	bad := readRequest("an app", data, slices.Sorted(maps.Keys(fields)), func(name string, raw json.RawMessage) (err error) {
		*fields[name].value, err = readInt(raw, 1, fields[name].most)
		return err
	})
	if bad != nil {
		return s, bad
	}
	return s, nil
}
