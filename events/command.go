package events

import (
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// Command is a decoded command. Its address comes from the subject, all other fields from the body. Exactly one of
// UserID and Service is set. Zero values are unset. For cancel, Callees contains only user ids.
type Command struct {
	CommandAddress

	CommandID    string
	UserID       string
	Service      string
	DeviceID     string
	CustomData   string
	UserName     string
	UserAvatar   string // https URL of the sender's picture
	CallType     CallType
	RoomID       string
	Callees      []Party
	RingTimeoutS int
	Reason       Reason
	Attempt      int
	Seen         int  // seq of the newest version of the call that the sender has seen
	Party        Seat // of a drop
	Via          Via  // set only by edges
}

// Seat is a party of a call, with the device that they are in with.
type Seat struct {
	UserID   string `json:"user_id"`
	DeviceID string `json:"device_id"`
}

// Via is the channel through which a command arrived.
type Via string

// ViaSession marks commands from a client session. A command without a Via comes from the backend.
const ViaSession Via = "session"

// The limits of a command's fields.
const (
	MaxCustomData   = 4096 // bytes, as encoded between the quotes in the JSON
	MinRingTimeoutS = 1
	MaxRingTimeoutS = 600
)

// By returns the sender as the actor of a transition.
func (c Command) By() By {
	switch {
	case c.Verb == VerbExpire:
		return By{Kind: ByTimer}
	case c.Service != "":
		return By{Kind: ByService, Service: c.Service}
	}
	return By{Kind: ByUser, UserID: c.UserID, DeviceID: c.DeviceID}
}

// Sender returns the sender in the format of invited_by: the user id, or service:<service>.
func (c Command) Sender() string {
	if c.Service != "" {
		return "service:" + c.Service
	}
	return c.UserID
}

// body is the encoded form of a command.
type body struct {
	CommandID    string    `json:"command_id,omitempty"`
	CallID       string    `json:"call_id,omitempty"` // in requests only
	UserID       string    `json:"user_id,omitempty"`
	Service      string    `json:"service,omitempty"`
	DeviceID     string    `json:"device_id,omitempty"`
	CustomData   string    `json:"custom_data,omitempty"`
	UserName     string    `json:"user_name,omitempty"`
	UserAvatar   string    `json:"user_avatar,omitempty"`
	CallType     *CallType `json:"call_type,omitempty"` // always in an invite, never in others
	RoomID       string    `json:"room_id,omitempty"`
	Callees      any       `json:"callees,omitempty"` // []Party; []string in a cancel
	RingTimeoutS int       `json:"ring_timeout_s,omitzero"`
	Reason       Reason    `json:"reason,omitempty"`
	Attempt      int       `json:"attempt,omitzero"`
	Seen         int       `json:"seen,omitzero"`
	Party        Seat      `json:"party,omitzero"`
	Via          Via       `json:"via,omitempty"`
}

// Encode encodes the command's body for its subject.
func (c Command) Encode() ([]byte, error) { return Encode(c.body()) }

// EncodeRequest encodes the body of an api request: the command with its call id.
func (c Command) EncodeRequest() ([]byte, error) {
	b := c.body()
	b.CallID = c.CallID
	return Encode(b)
}

func (c Command) body() *body {
	b := body{
		CommandID: c.CommandID, UserID: c.UserID, Service: c.Service, DeviceID: c.DeviceID, CustomData: c.CustomData,
		UserName: c.UserName, UserAvatar: c.UserAvatar, RoomID: c.RoomID, Callees: c.Callees, RingTimeoutS: c.RingTimeoutS, Reason: c.Reason,
		Attempt: c.Attempt, Seen: c.Seen, Party: c.Party, Via: c.Via,
	}
	if c.Verb == VerbInvite {
		b.CallType = &c.CallType
	}
	if c.Verb == VerbCancel {
		ids := make([]string, len(c.Callees))
		for i, p := range c.Callees {
			ids[i] = p.UserID
		}
		b.Callees = ids
	}
	return &b
}

// set reads one field of the body. An empty string is equal to a missing field.
func (c *Command) set(name string, raw jsontext.Value) error {
	var err error
	switch name {
	case "command_id": // drop a malformed one: an answer would carry it
		var id string
		if id, err = readString(raw); err == nil && id != "" {
			if bad := CheckToken(name, id); bad != nil {
				return bad
			}
		}
		c.CommandID = id
	case "call_id":
		c.CallID, err = readString(raw)
	case "user_id":
		c.UserID, err = readString(raw)
	case "service":
		c.Service, err = readString(raw)
	case "device_id":
		c.DeviceID, err = readString(raw)
	case "custom_data":
		if c.CustomData, err = readString(raw); err == nil && len(raw)-2 > MaxCustomData {
			err = fmt.Errorf("must be at most %d bytes as written in the JSON, got %d", MaxCustomData, len(raw)-2)
		}
	case "user_name":
		if c.UserName, err = readString(raw); err == nil {
			if bad := CheckUserName(name, c.UserName); bad != nil {
				return bad
			}
		}
	case "user_avatar":
		if c.UserAvatar, err = readString(raw); err == nil && c.UserAvatar != "" {
			if bad := CheckAvatar(name, c.UserAvatar); bad != nil {
				return bad
			}
		}
	case "room_id":
		c.RoomID, err = readString(raw)
	case "call_type":
		var n int
		n, err = readInt(raw, int(CallTypeVoice), int(CallTypeVideo))
		c.CallType = CallType(n)
	case "ring_timeout_s":
		c.RingTimeoutS, err = readInt(raw, MinRingTimeoutS, MaxRingTimeoutS)
	case "attempt":
		c.Attempt, err = readInt(raw, 1, math.MaxInt32)
	case "seen":
		c.Seen, err = readInt(raw, 1, math.MaxInt32)
	case "party":
		return c.setParty(raw)
	case "reason":
		var s string
		s, err = readString(raw)
		c.Reason = Reason(s)
	case "via":
		var s string
		s, err = readString(raw)
		c.Via = Via(s)
	case "callees":
		return c.setCallees(raw)
	}
	if err != nil {
		return invalid("%s: %v", name, err)
	}
	return nil
}
