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
	Via          Via // where it came from; only edges set it
}

// Via says by what way a command came.
type Via string

// ViaSession is the way of a client session. Without it a command is the backend's.
const ViaSession Via = "session"

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

// body is a command as it is written.
type body struct {
	Command

	inRequest bool // with its call
}

// Encode writes the command's body, as it is published on its subject.
func (c Command) Encode() ([]byte, error) { return c.encode(false), nil }

// EncodeRequest writes the body of a request to the api: the command with its call id.
func (c Command) EncodeRequest() ([]byte, error) { return c.encode(true), nil }

func (c Command) encode(inRequest bool) []byte {
	return encode(&body{c, inRequest}, 256+64*len(c.Callees)+len(c.CustomData))
}
