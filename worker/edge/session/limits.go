package session

import (
	"time"

	"golang.org/x/time/rate"
)

// Limits limits what clients may do, and what is queued for them. Each must be above 0.
type Limits struct {
	SessionsPerUser    int // on this edge
	SessionsPerAddress int // connections of one IP address, including those without a session

	Commands     Rate // of a session
	UserCommands Rate // of a user, in all their sessions here
	Invitations  Rate // of a user who invites or adds
	Refusals     Rate // of a user, sent at once; further ones are sent late
	Connects     Rate // of a user; showing many calls costs more, because each call is read

	InFlight    int           // commands and reads of a session in flight
	Held        int           // notifications that are held for a session between its snapshot and its start
	Queue       int           // bytes that may be queued for a client
	MessageSize int           // bytes of one message from a client
	Snapshots   int           // concurrent reads of snapshots; a quarter of them for one app
	Sweep       time.Duration // how often a session that shows a call is checked for missed notifications
	Revoked     time.Duration // how often sessions are checked for revoked tokens
	Ping        time.Duration // interval of pings; whole seconds, because clients learn it in seconds
	Pong        time.Duration // how long a client has to answer a ping; less than Ping
	Connect     time.Duration // how long a client has to send its connect command
	Open        time.Duration // how long a session may take to open
	Renewal     time.Duration // how long a client has to send a new token after the old one expired
	Away        time.Duration // how long a device is remembered as away: longer than the longest lost_away_s
	WithoutNATS time.Duration // how long NATS may not answer before the sessions are closed
	CloseOver   time.Duration // how long an edge that stops takes to close its sessions
}

// Rate is a rate per second, and a burst.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) limiter() *rate.Limiter { return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst) }

// DefaultLimits returns the limits of an edge without other settings.
func DefaultLimits() Limits {
	return Limits{
		SessionsPerUser: 20, SessionsPerAddress: 1000,
		Commands: Rate{20, 40}, UserCommands: Rate{40, 80}, Invitations: Rate{1, 10}, Refusals: Rate{1, 20}, Connects: Rate{1, 40},
		InFlight: 8, Held: 256, Queue: 1 << 20, MessageSize: 64 << 10, Snapshots: 32,
		Sweep: time.Minute, Revoked: 5 * time.Second, Ping: 10 * time.Second, Pong: 5 * time.Second,
		Connect: 15 * time.Second, Open: 20 * time.Second, Renewal: 25 * time.Second, WithoutNATS: 10 * time.Second, Away: 13 * time.Hour,
		CloseOver: 10 * time.Second,
	}
}
