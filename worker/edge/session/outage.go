package session

import (
	"context"
	"time"
)

// watchNATS closes the sessions when NATS has not answered for Limits.WithoutNATS, until ctx ends. Their clients then
// connect to an edge that has NATS. Meanwhile this edge accepts no client.
func (e *Edge) watchNATS(ctx context.Context) {
	every := min(time.Second, e.Limits.WithoutNATS/5)
	tick := time.NewTicker(every)
	defer tick.Stop()
	silent, last := time.Duration(0), time.Now()
	for {
		answered := e.NC.FlushTimeout(2*every) == nil
		silent, last = silence(silent, answered, time.Since(last), 4*every), time.Now()
		if e.cut(silent > e.Limits.WithoutNATS) {
			e.closeAll()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// silence returns for how long NATS has not answered. A longer gap than most is a pause of this process, in which
// nothing could answer.
func silence(before time.Duration, answered bool, gap, most time.Duration) time.Duration {
	if answered {
		return 0
	}
	return before + min(gap, most)
}

// cut records whether this edge is cut off, and returns it.
func (e *Edge) cut(off bool) bool {
	switch was := e.cutOff.Swap(off); {
	case off && !was:
		e.Log.Error().Int("sessions", e.Sessions()).Msg("NATS does not answer; closing the sessions, so that clients connect to another edge")
	case was && !off:
		e.Log.Info().Msg("NATS answers again; accepting clients")
	}
	return off
}
