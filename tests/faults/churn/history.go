package churn

import (
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// History is everything known about a run. Times are nanoseconds since 1970.
type History struct {
	App      string
	Grace    time.Duration // time limit from NATS to a connected client
	Clients  []Client
	Calls    []record.Stored  // RINGLINE_CALLS, in stream order
	Received map[Notice]int64 // when a subscriber other than the edges first received it on NATS
	Pulses   []Pulse          // in the order of sending
	Breaks   []Break
}

// Break is an interval in which an edge was killed or paused.
type Break struct {
	Edge     string // host:port
	From, To int64
}

// Notice identifies the notification of a user about a transition.
type Notice struct {
	User, CallID string
	Seq          int
}

// Client is the record of one device of a user.
type Client struct {
	User, Device string
	Edge         string // host:port
	Periods      []Period
	Sights       []Sight
	Facts        []Fact
}

// Period is one connection.
type Period struct {
	Asked   int64    // the connect command was sent
	Opened  int64    // the snapshot arrived
	Left    int64    // the client was about to disconnect, or the connection ended
	Showing []string // the calls that the client said it shows
}

// Sight is a new state of a call that a client learned. It is newer than the known state, or over because a
// snapshot did not contain the call.
type Sight struct {
	At     int64
	CallID string
	Seq    int  // 0 if Gone is set
	Gone   bool // the call was shown, and a snapshot did not contain it
	Is     UserState
}

// UserState is the state of a user in a call.
type UserState struct {
	On      bool // the user's line holds it
	Attempt int  // of a callee
	Mine    events.PartyState
	Call    events.CallState
}

// userState returns the state of a user in a call.
func userState(c events.Call, user string) UserState {
	s := UserState{On: c.On(user), Call: c.State}
	if c.Caller.UserID == user {
		s.Mine = c.Caller.State
	} else if x := c.Callee(user); x != nil {
		s.Mine, s.Attempt = x.State, x.Attempt
	}
	return s
}

// Fact is a change that a client reports to its app, once each.
type Fact struct {
	CallID  string
	Callee  string // empty for the end of the call
	Attempt int
	What    string
}

// Facts other than the states of callees.
const (
	factIncoming = "incoming"
	factEnded    = "ended"
)
