package quota

import (
	"cmp"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// Limits are what an app may do, over all coordinators.
type Limits struct {
	CommandsPerS      int
	BytesPerS         int
	PairInvitesPerMin int
}

// LimitsOf gives those of an app that has set this.
func LimitsOf(s events.AppSettings) Limits {
	return Limits{
		CommandsPerS:      cmp.Or(s.CommandsPerS, events.DefaultCommandsPerS),
		BytesPerS:         cmp.Or(s.BytesPerS, events.DefaultBytesPerS),
		PairInvitesPerMin: cmp.Or(s.PairInvitesPerMin, events.DefaultPairInvitesPerMin),
	}
}

// What one user may have stored by commands of client sessions. It is far above what people do, and an attack of an hour
// adds less than 200 KB/s, the timeouts of its invitations included.
const (
	userBytesPerS  = 64 << 10
	userBytesBurst = 1 << 20
)

// How many commands one user may send from client sessions, over all edges: a share of what the app may, which with the default is
// as much as one edge lets through; and that much also where the app may send less, but at most half.
const (
	userShare        = 0.08
	userCommandsPerS = 40
	userBurstS       = 2.5 // at once, in seconds
)

// A command that waits for its invitation holds a place of the consumer, for waitsFor at most. An app holds as many as it
// may send commands in placesFor.
const (
	waitsForS  = 5.0
	placesForS = 0.1
	mostPlaces = 1000
)

// unknownCosts is how many commands one counts as that finds no call, or that was stored to be refused.
const unknownCosts = 10

// unanswered is how many of its commands an app may have under way in one process, in seconds: what is stored faster than it is
// handled would else wait for longer than its senders do.
const unanswered = 0.5

// lookUps is the part of its commands that an app may have looked up before they are refused.
const lookUps = 0.1

// The least that a bucket of one coordinator holds, however many share a small setting: the largest invitation must fit
// and leave the reserve.
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

// pair holds the whole setting in each coordinator, as a few commands do not spread evenly. So a pair may invite as often as
// the setting in each of n coordinators at first, and as often as the setting in all of them from then on.
func (l Limits) pair(n float64) speed {
	most := float64(l.PairInvitesPerMin)
	return speed{most / 60 / n, most}
}

func userBytes(n float64) speed { return speed{userBytesPerS / n, max(leastBytes, userBytesBurst/n)} }

// userPerS is how many commands a second one user may send from client sessions.
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
