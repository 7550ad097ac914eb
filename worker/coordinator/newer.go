package coordinator

import (
	"sync/atomic"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
)

// waitForNewer is how long a command is put back that has met a call of a newer version. It comes again to any of the
// coordinators, and a newer one may be among them: so soon at first. If there is none it goes on for as long as it takes,
// for every open call that a newer version began: so not too often then.
func waitForNewer(delivered uint64) time.Duration {
	const least, most = 10 * time.Millisecond, time.Second
	return growing(least, most, delivered)
}

// leaveToNewer puts back a command that only a newer version can carry out.
func (c *Coordinator) leaveToNewer(d delivery, newer *events.NewerFormatError) worker.Exit {
	if c.outdated.again(time.Now()) {
		c.log.Error().Str("app", d.cmd.App).Str("call_id", newer.CallID).Str("subject", d.subject).
			Msgf("call is stored in format %d and this is version %s, which reads up to %d: upgrade this coordinator",
				newer.Format, c.cfg.Version, events.NewestFormat)
	}
	return worker.Nak(waitForNewer(d.delivered), meter.NewerFormat)
}

// seldom says of what happens often when to tell it again.
type seldom struct{ told atomic.Int64 }

// tellAfter is how long the same is not told again.
const tellAfter = time.Minute

func (s *seldom) again(now time.Time) bool {
	last := s.told.Load()
	return now.UnixNano()-last >= int64(tellAfter) && s.told.CompareAndSwap(last, now.UnixNano())
}
