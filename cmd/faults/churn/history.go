package churn

import (
	"time"

	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/events"
)

// History is everything that is known of a run. Times are nanoseconds since 1970.
type History struct {
	App     string
	Grace   time.Duration // how long something may take from NATS to a client that is connected
	Clients []Client
	Calls   []record.Stored  // RINGLINE_CALLS, in the order of the stream
	Heard   map[Notice]int64 // when somebody beside the edges first heard it on NATS
	Pulses  []Pulse          // in the order in which they were sent
	Breaks  []Break
}

// Break is that an edge was killed or stopped for a while.
type Break struct {
	Edge     string // host:port
	From, To int64
}

// Notice is that a user was told of a transition.
type Notice struct {
	User, CallID string
	Seq          int
}

// Client is what one device of a user went through.
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
	Opened  int64    // the snapshot was there
	Left    int64    // the client was about to drop it, or it ended
	Showing []string // what the client said it shows
}

// Sight is a call as a client came to know it: newer than what it knew, or over because a snapshot did not have it.
type Sight struct {
	At     int64
	CallID string
	Seq    int  // unset where it is gone
	Gone   bool // it was shown, and a snapshot did not have it
	Is     Standing
}

// Standing is how a user stands in a call.
type Standing struct {
	On      bool // his line holds it
	Attempt int  // of a callee
	Mine    events.PartyState
	Call    events.CallState
}

// standing gives how a user stands in a call.
func standing(c events.Call, user string) Standing {
	s := Standing{On: c.On(user), Call: c.State}
	if c.Caller.UserID == user {
		s.Mine = c.Caller.State
	} else if x := c.Callee(user); x != nil {
		s.Mine, s.Attempt = x.State, x.Attempt
	}
	return s
}

// Fact is what a client tells its app, once each.
type Fact struct {
	CallID  string
	Callee  string // unset for the end of the call
	Attempt int
	What    string
}

// What is told besides the states of callees.
const (
	factIncoming = "incoming"
	factEnded    = "ended"
)
