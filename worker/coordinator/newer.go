package coordinator

import (
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
)

// waitForNewer is the nak delay of a command for a call of a newer version. The redelivery may reach any coordinator, perhaps a
// newer one, so the first delays are short. Without a newer coordinator the redeliveries continue, for every such open call, so
// later delays are longer.
func waitForNewer(delivered uint64) time.Duration {
	const least, most = 10 * time.Millisecond, time.Second
	return growing(least, most, delivered)
}

// leaveToNewer naks a command that only a newer version can carry out.
func (c *Coordinator) leaveToNewer(d delivery, newer *events.NewerFormatError) worker.Exit {
	if c.outdated.Allow("") {
		c.log.Error().Str("app", d.cmd.App).Str("call_id", newer.CallID).Str("subject", d.subject).
			Msgf("call is stored in format %d and this is version %s, which reads up to %d: upgrade this coordinator",
				newer.Format, c.cfg.Version, events.NewestFormat)
	}
	return worker.Nak(waitForNewer(d.delivered), meter.NewerFormat)
}
