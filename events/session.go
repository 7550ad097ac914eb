package events

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

// Sender identifies the client session that sends commands. Name and picture are those of its token.
type Sender struct{ UserID, UserName, UserAvatar, DeviceID string }

// ReadSessionCommand decodes a command of a client session: a command plus its call_id, without fields for the
// sender. The user name and the picture of the session override those of the command. Otherwise it works like ReadRequest.
func ReadSessionCommand(app string, verb Verb, data []byte, by Sender, makeID func() string) (Command, error) {
	ofSender := []string{"user_id", "service", "device_id"}
	fields := slices.DeleteFunc(verb.Fields(), func(f string) bool { return slices.Contains(ofSender, f) })
	c := Command{CommandAddress: CommandAddress{App: app, Verb: verb}, UserID: by.UserID, DeviceID: by.DeviceID}
	c, err := readAddressed(c, data, fields, makeID)
	if verb.Has("user_name") {
		c.UserName = cmp.Or(by.UserName, c.UserName)
		c.UserAvatar = cmp.Or(by.UserAvatar, c.UserAvatar)
	}
	return c, err
}

// MaxShowing is the maximum number of calls in ConnectData.Showing.
const MaxShowing = 100

// ConnectData is the data that a client sends when it connects: its device, and the calls that it still shows.
type ConnectData struct {
	Device  string   `json:"device,omitempty"`
	Showing []string `json:"showing,omitempty"`
}

// ReadConnectData decodes connect data. Empty input is equal to an empty object. Unknown fields are ignored.
func ReadConnectData(data []byte) (d ConnectData, bad error) {
	if data = bytes.TrimSpace(data); len(data) == 0 || string(data) == "null" {
		return d, nil
	}
	members, bad := readObject(data, MaxCommand)
	if bad != nil {
		return d, bad
	}
	for _, m := range members {
		var err error
		switch m.Name {
		case "device":
			d.Device, err = readString(m.Value)
		case "showing":
			if bad := d.setShowing(m.Value); bad != nil {
				return d, bad
			}
		}
		if err != nil {
			return d, invalid("%s: %v", m.Name, err)
		}
	}
	if d.Device != "" {
		return d, CheckName("device", d.Device)
	}
	return d, nil
}

func (d *ConnectData) setShowing(raw jsontext.Value) error {
	if raw.Kind() != jsontext.KindBeginArray || json.Unmarshal(raw, &d.Showing) != nil {
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

// Snapshot is the current state of a user's calls: the calls on the user's line, and the calls that the client shows,
// even if they have ended. A call that the client shows and that is missing here has ended.
type Snapshot struct {
	ServerTime Time           `json:"server_time"`
	UserID     string         `json:"user_id"`
	DeviceID   string         `json:"device_id"`
	Calls      []SnapshotCall `json:"calls"`
}

// SnapshotCall is a call as its receiver may see it, with the remaining ring time.
type SnapshotCall struct {
	Call            Call   `json:"call"`
	RingRemainingMS *int64 `json:"ring_remaining_ms,omitempty"`
}

// NewSnapshot builds a snapshot of these calls for this user.
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

// PushEvent is the event of a push that is not a notification.
type PushEvent string

// PushSnapshot is the event of a SnapshotPush.
const PushSnapshot PushEvent = "snapshot"

// SnapshotPush is a snapshot that an edge pushes to a session because notifications may have been lost. Showing lists
// the calls that the edge believes the client shows. A call in Showing that is not in Calls has ended.
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

// Pushed returns a push of a snapshot that was read while the client showed these calls.
func (s Snapshot) Pushed(showing []string) SnapshotPush {
	return SnapshotPush{PushSnapshot, PushedSnapshot{s.ServerTime, s.UserID, s.DeviceID, s.Calls, array(showing)}}
}

// Restamped updates a notification that is sent again: it renews the server time and the receiver's remaining ring
// time, which come last. All other fields stay, even unknown ones. It also returns the call of the notification, which
// is zero if another notification of the transition carries it.
func Restamped(body []byte, userID string, now time.Time) (restamped []byte, c Call, err error) {
	members, err := jsonobject.Read(body)
	if err != nil {
		return nil, Call{}, err
	}
	if c, err = callOf(members); err != nil {
		return nil, Call{}, err
	}
	now = c.notBefore(now)
	renewed, err := Encode(struct {
		ServerTime      Time   `json:"server_time"`
		RingRemainingMS *int64 `json:"ring_remaining_ms,omitempty"`
	}{TimeOf(now), RingRemaining(c, userID, now)})
	if err != nil {
		return nil, Call{}, err
	}
	restamped = append(make([]byte, 0, len(body)+64), '{')
	for _, m := range members {
		if m.Name != "server_time" && m.Name != "ring_remaining_ms" {
			restamped = append(m.Append(restamped), ',')
		}
	}
	return append(restamped, renewed[1:]...), c, nil
}

// callOf returns the call of a notification. It is zero if the notification has only the call id.
func callOf(members []jsonobject.Member) (c Call, err error) {
	callID := ""
	for _, m := range members {
		switch m.Name {
		case "call":
			err = json.Unmarshal(m.Value, &c)
		case "call_id":
			err = json.Unmarshal(m.Value, &callID)
		}
		if err != nil {
			return Call{}, err
		}
	}
	if callID == "" && c.IsZero() {
		return Call{}, errors.New("events: a notification without a call")
	}
	return c, nil
}

// SessionEvent records that a client session began or ended. It helps to find out why a device did not ring.
type SessionEvent struct {
	Event     SessionChange `json:"event"`
	Time      Time          `json:"time"`
	UserID    string        `json:"user_id"`
	DeviceID  string        `json:"device_id"`
	Session   string        `json:"session"`
	Transport string        `json:"transport"`
	Edge      string        `json:"edge"`             // id of the edge
	Code      int           `json:"code,omitzero"`    // close code
	Reason    string        `json:"reason,omitempty"` // close reason as text
}

// SessionChange is the event of a SessionEvent.
type SessionChange string

// The session changes.
const (
	SessionConnected    SessionChange = "connected"
	SessionDisconnected SessionChange = "disconnected"
)

// SessionChanges lists every change.
func SessionChanges() []SessionChange { return []SessionChange{SessionConnected, SessionDisconnected} }
