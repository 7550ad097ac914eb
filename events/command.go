package events

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
	CallType     CallType
	RoomID       string
	Callees      []Party
	RingTimeoutS int
	Reason       Reason
	Attempt      int
	Via          Via // set only by edges
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
	Command

	inRequest bool // include the call id
}

// Encode encodes the command's body for its subject.
func (c Command) Encode() ([]byte, error) { return c.encode(false), nil }

// EncodeRequest encodes the body of an api request: the command with its call id.
func (c Command) EncodeRequest() ([]byte, error) { return c.encode(true), nil }

func (c Command) encode(inRequest bool) []byte {
	return encode(&body{c, inRequest}, 256+64*len(c.Callees)+len(c.CustomData))
}
