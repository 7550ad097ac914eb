package events

// Command is a command as it was read: its address comes from the subject, all else from the body.
// Exactly one of UserID and Service is set. Zero values are unset; for cancel only the UserID of Callees is set.
type Command struct {
	CommandAddress

	CommandID    string
	UserID       string
	Service      string
	DeviceID     string
	CustomData   string
	UserName     string
	CallType     CallType
	RoomID       string
	Callees      []Party
	RingTimeoutS int
	Reason       Reason
	Attempt      int
}

// The limits of a command's fields.
const (
	MaxCustomData   = 4096 // bytes, as it stands between its quotes in the JSON
	MinRingTimeoutS = 1
	MaxRingTimeoutS = 600
)

// By is the sender, as whoever caused something.
func (c Command) By() By {
	switch {
	case c.Verb == VerbExpire:
		return By{Kind: ByTimer}
	case c.Service != "":
		return By{Kind: ByService, Service: c.Service}
	}
	return By{Kind: ByUser, UserID: c.UserID, DeviceID: c.DeviceID}
}

// Sender names the sender as invited_by does: the user id, or service:<service>.
func (c Command) Sender() string {
	if c.Service != "" {
		return "service:" + c.Service
	}
	return c.UserID
}

// wire is a command's body.
type wire struct {
	CommandID    string    `json:"command_id,omitempty"`
	CallID       string    `json:"call_id,omitempty"` // in a request only
	UserID       string    `json:"user_id,omitempty"`
	Service      string    `json:"service,omitempty"`
	DeviceID     string    `json:"device_id,omitempty"`
	CustomData   string    `json:"custom_data,omitempty"`
	UserName     string    `json:"user_name,omitempty"`
	CallType     *CallType `json:"call_type,omitempty"`
	RoomID       string    `json:"room_id,omitempty"`
	Callees      any       `json:"callees,omitempty"`
	RingTimeoutS int       `json:"ring_timeout_s,omitempty"`
	Reason       Reason    `json:"reason,omitempty"`
	Attempt      int       `json:"attempt,omitempty"`
}

func (c Command) wire() wire {
	w := wire{
		CommandID: c.CommandID, UserID: c.UserID, Service: c.Service, DeviceID: c.DeviceID, CustomData: c.CustomData,
		UserName: c.UserName, RoomID: c.RoomID, RingTimeoutS: c.RingTimeoutS, Reason: c.Reason, Attempt: c.Attempt,
	}
	if c.Verb == VerbInvite {
		w.CallType = &c.CallType
	}
	switch {
	case len(c.Callees) == 0:
	case c.Verb == VerbCancel:
		ids := make([]string, len(c.Callees))
		for i, p := range c.Callees {
			ids[i] = p.UserID
		}
		w.Callees = ids
	default:
		w.Callees = c.Callees
	}
	return w
}

// Encode writes the command's body, as it is published on its subject.
func (c Command) Encode() ([]byte, error) { return Encode(c.wire()) }

// EncodeRequest writes the body of a request to the api: the command with its call id.
func (c Command) EncodeRequest() ([]byte, error) {
	w := c.wire()
	w.CallID = c.CallID
	return Encode(w)
}
