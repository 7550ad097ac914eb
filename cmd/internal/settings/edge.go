package settings

import (
	"fmt"
	"strings"
	"time"

	"ringline.io/ringline/events"
)

// Edge are the settings of client sessions.
type Edge struct {
	Origins            string        `split_words:"true" unit:"URLs" desc:"origins that may open client sessions, comma-separated, in addition to the same host and to those of the app"`
	AddressHeader      string        `split_words:"true" unit:"header" desc:"header in which a proxy in front sends the client's address, such as X-Forwarded-For"`
	Audience           string        `split_words:"true" default:"ringline" unit:"word" desc:"the aud that tokens must have"`
	SessionsPerUser    int           `split_words:"true" default:"20" unit:"number" desc:"client sessions of a user on one edge"`
	SessionsPerAddress int           `split_words:"true" default:"1000" unit:"number" desc:"client connections from one IP address to one edge"`
	CommandRate        float64       `split_words:"true" default:"20" unit:"a second" desc:"commands of a session, with a burst of twice as many; of a user twice that"`
	InviteRate         float64       `split_words:"true" default:"1" unit:"a second" desc:"invitations of a caller, with a burst of ten times as many"`
	SweepEvery         time.Duration `split_words:"true" default:"60s" unit:"duration" desc:"how often a session that shows a call is compared with the call"`
	PingEvery          time.Duration `split_words:"true" default:"10s" unit:"duration" desc:"how often a client is pinged"`
	PongWithin         time.Duration `split_words:"true" default:"5s" unit:"duration" desc:"how long a client has to answer a ping"`
	SendVia            bool          `split_words:"true" default:"true" unit:"bool" desc:"set via in commands of sessions; false while a coordinator runs that does not know via (see docs/upgrading.md)"`
	CloseOver          time.Duration `split_words:"true" default:"10s" unit:"duration" desc:"how long a stopping edge takes to close its sessions, if there are many"`
}

func (s Edge) problems() (list []Problem) {
	refuse := func(when bool, name, format string, args ...any) {
		if when {
			list = append(list, Problem{[]string{name}, name + " " + fmt.Sprintf(format, args...)})
		}
	}
	for _, o := range s.OriginList() {
		if err := events.CheckOrigin("RINGLINE_EDGE_ORIGINS", o); err != nil {
			list = append(list, Problem{[]string{"RINGLINE_EDGE_ORIGINS"}, events.Message(err)})
		}
	}
	refuse(s.SessionsPerUser < 1, "RINGLINE_EDGE_SESSIONS_PER_USER", "must be at least 1, got %d", s.SessionsPerUser)
	refuse(s.SessionsPerAddress < 1, "RINGLINE_EDGE_SESSIONS_PER_ADDRESS", "must be at least 1, got %d", s.SessionsPerAddress)
	refuse(!(s.CommandRate >= minRate && s.CommandRate <= MaxRate), "RINGLINE_EDGE_COMMAND_RATE",
		"must be from %g to %g, got %g", minRate, MaxRate, s.CommandRate)
	refuse(!(s.InviteRate >= minRate && s.InviteRate <= MaxRate), "RINGLINE_EDGE_INVITE_RATE",
		"must be from %g to %g, got %g", minRate, MaxRate, s.InviteRate)
	refuse(s.SweepEvery < leastSweep, "RINGLINE_EDGE_SWEEP_EVERY", "must be at least %v, got %v", leastSweep, s.SweepEvery)
	refuse(s.PingEvery < leastPing || s.PingEvery > mostPing || s.PingEvery%time.Second != 0, "RINGLINE_EDGE_PING_EVERY",
		"must be whole seconds from %v to %v, got %v", leastPing, mostPing, s.PingEvery)
	refuse(s.PongWithin < leastPong || s.PongWithin >= s.PingEvery, "RINGLINE_EDGE_PONG_WITHIN",
		"must be at least %v and less than RINGLINE_EDGE_PING_EVERY, got %v", leastPong, s.PongWithin)
	refuse(s.CloseOver < 0, "RINGLINE_EDGE_CLOSE_OVER", "must not be below 0, got %v", s.CloseOver)
	return list
}

// The limits of rates, per second. The lowest allows one call in 100 s.
const (
	minRate = 0.01
	MaxRate = 100_000.0
)

// The limits of pings.
const (
	leastPing = 2 * time.Second
	mostPing  = time.Minute
	leastPong = time.Second
)

// OriginList lists the origins of RINGLINE_EDGE_ORIGINS.
func (s Edge) OriginList() (list []string) {
	for o := range strings.SplitSeq(s.Origins, ",") {
		if o = strings.TrimSpace(o); o != "" {
			list = append(list, o)
		}
	}
	return list
}
