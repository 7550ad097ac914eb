package session

import (
	"context"
	"encoding/json"
	"time"

	"ringline.io/ringline/worker/streams"
)

// watchNATS closes the sessions when NATS has not answered for Limits.WithoutNATS, until ctx ends. Their clients then
// connect to an edge that has NATS. Meanwhile this edge accepts no client. Presence relies on how long this takes at most:
// see presence.DefaultTimes.
func (e *Edge) watchNATS(ctx context.Context) {
	every := min(time.Second, e.Limits.WithoutNATS/5)
	tick := time.NewTicker(every)
	defer tick.Stop()
	silent, last := time.Duration(0), time.Now()
	for {
		answered := e.NC.FlushTimeout(2*every) == nil && (!e.inDoubt() || e.leads(ctx, 2*every))
		silent, last = silence(silent, answered, time.Since(last), 4*every), time.Now()
		if e.cut(silent > e.Limits.WithoutNATS) {
			e.closeAll(0) // at once: other edges judge its devices soon
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

// inDoubt reports whether the server of this connection may be cut off from the others. It still answers pings then.
func (e *Edge) inDoubt() bool {
	return e.Presence != nil && (e.cutOff.Load() || e.Presence.Quiet())
}

// reports is how recently a leader has heard a replica that it reaches. Replicas answer it every second.
const reports = 3 * time.Second

// leads reports whether the leader of the commands answers, and reaches most replicas. A leader that is cut off from them
// answers for 10 to 20 s.
func (e *Edge) leads(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	reply, err := e.NC.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+streams.StreamCommands, nil)
	if err != nil {
		return false
	}
	var info struct {
		Error   json.RawMessage `json:"error"`
		Cluster struct {
			Replicas []struct {
				Offline bool          `json:"offline"`
				Active  time.Duration `json:"active"` // since it was heard last
			} `json:"replicas"`
		} `json:"cluster"`
	}
	if json.Unmarshal(reply.Data, &info) != nil || info.Error != nil {
		return false
	}
	there := 1
	for _, r := range info.Cluster.Replicas {
		if !r.Offline && r.Active < reports {
			there++
		}
	}
	return 2*there > 1+len(info.Cluster.Replicas)
}

// cut records whether this edge is cut off, and returns it.
func (e *Edge) cut(off bool) bool {
	switch was := e.cutOff.Swap(off); {
	case off && !was:
		e.Log.Error().Int("sessions", e.Sessions()).Msg("NATS does not answer; closing the sessions, so that clients connect to another edge")
	case was && !off:
		e.Log.Info().Msg("NATS answers again; accepting clients")
	}
	if e.Presence != nil {
		e.Presence.Cut(off)
	}
	return off
}
