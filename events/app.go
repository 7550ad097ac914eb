package events

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// Check names the first field that is over its limit.
func (s AppSettings) Check() error {
	for _, f := range []struct {
		name        string
		value, most int
	}{
		{"capacity", s.Capacity, MaxCapacity},
		{"ring_timeout_s", s.RingTimeoutS, MaxRingTimeoutS},
		{"max_callees", s.MaxCallees, MaxCallees},
		{"max_duration_s", s.MaxDurationS, MaxDurationS},
	} {
		if f.value < 0 || f.value > f.most {
			return fmt.Errorf("%s: must be from 1 to %d, or 0 for the default, got %d", f.name, f.most, f.value)
		}
	}
	return nil
}

// ReadAppSettings reads an app's settings strictly: what is misspelt would be a limit that nobody keeps.
func ReadAppSettings(data []byte) (AppSettings, error) {
	var s AppSettings
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, fmt.Errorf("events: read an app's settings: %w", err)
	}
	return s, s.Check()
}
