package quota

import (
	"cmp"

	"ringline.io/ringline/events"
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

// A command that waits for its invitation holds a place of the consumer, for waitsFor at most. An app holds as many as it
// may send commands in placesFor.
const (
	waitsForS  = 5.0
	placesForS = 0.1
	mostPlaces = 1000
)

// unknownCosts is how many commands one counts as that finds no call.
const unknownCosts = 10

// The least that a bucket of one coordinator holds, however many share a small setting: a command must fit.
const (
	leastCommands = 5.0
	leastBytes    = 128 << 10
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
