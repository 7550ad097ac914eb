package devices

import (
	"cmp"
	"time"
)

// Key identifies a device.
type Key struct {
	App      string `json:"app"`
	UserID   string `json:"user_id"`
	DeviceID string `json:"device_id"`
}

// Compare orders devices.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.App, o.App), cmp.Compare(k.UserID, o.UserID), cmp.Compare(k.DeviceID, o.DeviceID))
}

// State is what one or more edges know of a device. The times are broker times. A time is zero if it is not known.
type State struct {
	Connected bool      `json:"connected,omitempty"` // it has a session
	Opened    time.Time `json:"opened,omitzero"`     // when it last opened a session, or came back
	Seen      time.Time `json:"seen,omitzero"`       // when its latest session ended, or until when it is present without one
	Away      time.Time `json:"away,omitzero"`       // when it was last away
}

// IsAway reports whether the device is away.
func (s State) IsAway() bool { return s.Away.After(s.Opened) }

// Merge combines what two edges know.
func (s State) Merge(o State) State {
	return State{s.Connected || o.Connected, later(s.Opened, o.Opened), later(s.Seen, o.Seen), later(s.Away, o.Away)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
