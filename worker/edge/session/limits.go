package session

import (
	"time"

	"golang.org/x/time/rate"
)

// Limits bounds what clients may do, and what is held for them. Each must be above 0.
type Limits struct {
	SessionsPerUser    int // on this edge
	SessionsPerAddress int // connections of one IP address, those that are not sessions yet included

	Commands     Rate // of a session
	UserCommands Rate // of a user, all of his sessions here
	Invitations  Rate // of a caller, and of whoever adds
	Refusals     Rate // of a user, that are told at once; the others are told late
	Connects     Rate // of a user. One who shows many calls counts for more, as each is read

	InFlight    int           // commands and reads of a session under way
	Held        int           // notifications kept for a session between its snapshot and its start
	Queue       int           // bytes that wait for a client to read them
	MessageSize int           // bytes of one message from a client
	Snapshots   int           // read at once
	Sweep       time.Duration // how often a session that shows a call gets a snapshot if it missed something
	Revoked     time.Duration // how often sessions are held against what was revoked
	Ping        time.Duration // how often a client is asked whether it is there; it has a third of that to answer
	Renewal     time.Duration // how long a client whose token's time is over has to bring a new one
	CloseOver   time.Duration // how long the sessions of an edge that stops are closed one after another
}

// Rate is how many a second, and how many at once after a while of none.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) limiter() *rate.Limiter { return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst) }

// DefaultLimits are those of an edge that says nothing else.
func DefaultLimits() Limits {
	return Limits{
		SessionsPerUser: 20, SessionsPerAddress: 1000,
		Commands: Rate{20, 40}, UserCommands: Rate{40, 80}, Invitations: Rate{1, 10}, Refusals: Rate{1, 20}, Connects: Rate{1, 40},
		InFlight: 8, Held: 256, Queue: 1 << 20, MessageSize: 64 << 10, Snapshots: 32,
		Sweep: time.Minute, Revoked: 5 * time.Second, Ping: 25 * time.Second,
		Renewal: 25 * time.Second, CloseOver: 10 * time.Second,
	}
}
