package quota

import (
	"cmp"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// Limits are the limits of an app, over all coordinators.
type Limits struct {
	CommandsPerS      int
	BytesPerS         int
	PairInvitesPerMin int
}

// LimitsOf returns the limits of an app with these settings.
func LimitsOf(s events.AppSettings) Limits {
	return Limits{
		CommandsPerS:      cmp.Or(s.CommandsPerS, events.DefaultCommandsPerS),
		BytesPerS:         cmp.Or(s.BytesPerS, events.DefaultBytesPerS),
		PairInvitesPerMin: cmp.Or(s.PairInvitesPerMin, events.DefaultPairInvitesPerMin),
	}
}

// Limits of the bytes that the session commands of one user may store. They are far above normal use. An attack of an hour adds
// less than 200 KB/s, including the timeouts of its invitations.
const (
	userBytesPerS  = 64 << 10
	userBytesBurst = 1 << 20
)

// Limits of the commands that one user may send from client sessions, over all edges: a share of the app's limit. With the
// default, that equals what one edge admits. An app with a lower limit gets the same number for a user, but at most half of its
// limit.
const (
	userShare        = 0.08
	userCommandsPerS = 40
	userBurstS       = 2.5 // burst, in seconds
)

// A command that waits for its invitation occupies a place of the consumer for at most waitsForS. An app has as many places as
// it may send commands in placesForS.
const (
	waitsForS  = 5.0
	placesForS = 0.1
	mostPlaces = 1000
)

// unknownCosts is how many commands one counts as if it finds no call, or if it was stored only to be refused.
const unknownCosts = 10

// unanswered limits the unanswered commands of an app in one process, in seconds of its setting. Otherwise commands that are
// stored faster than they are handled would wait longer than their senders do.
const unanswered = 0.5

// lookUps is the part of an app's commands that may be looked up before they are refused.
const lookUps = 0.1

// Minimum capacities of the buckets of one coordinator, however many coordinators share a small setting. The largest invitation
// must fit and leave the reserve.
const (
	leastCommands = events.MaxCallees / (1 - reserve)
	leastBytes    = call.MaxTransition / (1 - reserve)
	leastPlaces   = 5.0
)

func (l Limits) commands(n float64) speed {
	perSecond := float64(l.CommandsPerS) / n
	return speed{perSecond, max(leastCommands, perSecond)}
}

func (l Limits) bytes(n float64) speed {
	perSecond := float64(l.BytesPerS) / n
	return speed{perSecond, max(leastBytes, perSecond)}
}

func (l Limits) places(n float64) speed {
	places := max(leastPlaces, min(mostPlaces, placesForS*float64(l.CommandsPerS))/n)
	return speed{places / waitsForS, places}
}

// pair gives each coordinator the capacity of the whole setting, because a few commands are not spread evenly. With n
// coordinators, a pair may therefore invite n times the setting at first. After that, all coordinators together enforce the
// setting.
func (l Limits) pair(n float64) speed {
	most := float64(l.PairInvitesPerMin)
	return speed{most / 60 / n, most}
}

func userBytes(n float64) speed { return speed{userBytesPerS / n, max(leastBytes, userBytesBurst/n)} }

// userPerS is how many commands per second one user may send from client sessions.
func (l Limits) userPerS() float64 {
	all := float64(l.CommandsPerS)
	return max(userShare*all, min(userCommandsPerS, all/2))
}

func (l Limits) userCommands(n float64) speed {
	perSecond := l.userPerS() / n
	return speed{perSecond, max(leastCommands, userBurstS*perSecond)}
}

func (l Limits) lookUps(n float64) speed {
	perSecond := lookUps * float64(l.CommandsPerS) / n
	return speed{perSecond, max(1, perSecond)}
}
