package events

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// Sender is who a client session's commands are from.
type Sender struct{ UserID, UserName, DeviceID string }

// ReadSessionCommand reads what a client session sends: a command plus its call_id, without a word about its sender. A
// user name that is known of him stands, whatever an invitation says. Else it is like ReadRequest.
func ReadSessionCommand(app string, verb Verb, data []byte, by Sender, makeID func() string) (Command, *Error) {
	ofSender := []string{"user_id", "service", "device_id"}
	fields := slices.DeleteFunc(verbFields(verb), func(f string) bool { return slices.Contains(ofSender, f) })
	c := Command{CommandAddress: CommandAddress{App: app, Verb: verb}, UserID: by.UserID, DeviceID: by.DeviceID}
	c, err := readAddressed(c, data, fields, makeID)
	if verb == VerbInvite && by.UserName != "" {
		c.UserName = by.UserName
	}
	return c, err
}

// MaxShowing is how many calls a client may say it shows.
const MaxShowing = 100

// ConnectData is what a client says of itself when it connects: its device, and the calls that it still shows.
type ConnectData struct {
	Device  string   `json:"device,omitempty"`
	Showing []string `json:"showing,omitempty"`
}

// ReadConnectData reads it; nothing at all is as good as an empty object. Fields that are not known are ignored.
func ReadConnectData(data []byte) (d ConnectData, bad *Error) {
	if data = bytes.TrimSpace(data); len(data) == 0 || string(data) == "null" {
		return d, nil
	}
	members, bad := readObject(data, MaxCommand)
	if bad != nil {
		return d, bad
	}
	for _, m := range members {
		var err error
		switch m.name {
		case "device":
			d.Device, err = readString(m.raw)
		case "showing":
			if bad := d.setShowing(m.raw); bad != nil {
				return d, bad
			}
		}
		if err != nil {
			return d, invalid("%s: %v", m.name, err)
		}
	}
	if d.Device != "" {
		return d, CheckName("device", d.Device)
	}
	return d, nil
}

func (d *ConnectData) setShowing(raw json.RawMessage) *Error {
	if raw[0] != '[' || json.Unmarshal(raw, &d.Showing) != nil {
		return invalid("showing: must be an array of call ids")
	}
	if len(d.Showing) > MaxShowing {
		return invalid("showing: must be at most %d call ids, got %d", MaxShowing, len(d.Showing))
	}
	for _, id := range d.Showing {
		if err := CheckToken("showing", id); err != nil {
			return err
		}
	}
	slices.Sort(d.Showing)
	d.Showing = slices.Compact(d.Showing)
	return nil
}

// Snapshot is how the calls of a user stand: those on his line, and those that his client shows, however they ended. What
// the client shows and is not there is over.
type Snapshot struct {
	ServerTime Time           `json:"server_time"`
	UserID     string         `json:"user_id"`
	DeviceID   string         `json:"device_id"`
	Calls      []SnapshotCall `json:"calls"`
}

// SnapshotCall is a call as its receiver may see it, and how long it still rings for him.
type SnapshotCall struct {
	Call            Call   `json:"call"`
	RingRemainingMS *int64 `json:"ring_remaining_ms,omitempty"`
}

// NewSnapshot makes what this user gets of these calls, at that time.
func NewSnapshot(calls []Call, userID, deviceID string, now time.Time) Snapshot {
	for _, c := range calls {
		now = c.notBefore(now)
	}
	s := Snapshot{ServerTime: TimeOf(now), UserID: userID, DeviceID: deviceID, Calls: []SnapshotCall{}}
	for _, c := range calls {
		s.Calls = append(s.Calls, SnapshotCall{Call: c.For(userID), RingRemainingMS: RingRemaining(c, userID, now)})
	}
	return s
}

// PushEvent is the event of a push that is no notification.
type PushEvent string

// PushSnapshot is that of a SnapshotPush.
const PushSnapshot PushEvent = "snapshot"

// SnapshotPush is a snapshot that a session gets on its way, because something may have been lost. Showing lists the calls
// that the edge takes it to show: what is there and not among the calls is over.
type SnapshotPush struct {
	Event    PushEvent      `json:"event"`
	Snapshot PushedSnapshot `json:"snapshot"`
}

// PushedSnapshot is the snapshot of a SnapshotPush.
type PushedSnapshot struct {
	ServerTime Time           `json:"server_time"`
	UserID     string         `json:"user_id"`
	DeviceID   string         `json:"device_id"`
	Calls      []SnapshotCall `json:"calls"`
	Showing    []string       `json:"showing"`
}

// Pushed makes a push of a snapshot that was read while the client showed these calls.
func (s Snapshot) Pushed(showing []string) SnapshotPush {
	return SnapshotPush{PushSnapshot, PushedSnapshot{s.ServerTime, s.UserID, s.DeviceID, s.Calls, array(showing)}}
}

// Restamped gives a notification as it is to be sent now: the server's time and how long it still rings for the receiver
// are new, and everything else stays, fields that are not known here too. The call is what it says of the call: nothing where
// another notification of the same transition does.
func Restamped(body []byte, userID string, now time.Time) (restamped []byte, c Call, err error) {
	var n Notification
	if decode(body, &n) && n.CallID != "" {
		now = n.Call.notBefore(now)
		n.ServerTime, n.RingRemainingMS = TimeOf(now), RingRemaining(n.Call, userID, now)
		return encode(&n, roomFor(len(n.Call.Callees))), n.Call, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, c, err
	}
	if raw, there := fields["call"]; there {
		err = json.Unmarshal(raw, &c)
	} else {
		err = json.Unmarshal(fields["call_id"], &n.CallID)
	}
	if err != nil {
		return nil, Call{}, err
	}
	now = c.notBefore(now)
	if fields["server_time"], err = Encode(TimeOf(now)); err != nil {
		return nil, c, err
	}
	delete(fields, "ring_remaining_ms")
	if left := RingRemaining(c, userID, now); left != nil {
		if fields["ring_remaining_ms"], err = Encode(*left); err != nil {
			return nil, c, err
		}
	}
	restamped, err = Encode(fields)
	return restamped, c, err
}

// SessionEvent says that a client session began or ended, for who asks why something did not ring.
type SessionEvent struct {
	Event     SessionChange `json:"event"`
	Time      Time          `json:"time"`
	UserID    string        `json:"user_id"`
	DeviceID  string        `json:"device_id"`
	Session   string        `json:"session"`
	Transport string        `json:"transport"`
	Edge      string        `json:"edge"`             // which edge it was on
	Code      int           `json:"code,omitempty"`   // why it ended
	Reason    string        `json:"reason,omitempty"` // the same in words
}

// SessionChange is what a SessionEvent tells of.
type SessionChange string

// The changes.
const (
	SessionConnected    SessionChange = "connected"
	SessionDisconnected SessionChange = "disconnected"
)

// SessionChanges lists every change.
func SessionChanges() []SessionChange { return []SessionChange{SessionConnected, SessionDisconnected} }
