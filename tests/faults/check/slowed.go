package check

import (
	"slices"
	"time"

	"ringline.io/ringline/tests/faults/record"
)

// slowedTakes is the time limit for a command while every link is slow. It allows some twenty round trips,
// and the wait for an invitation.
const slowedTakes = 25 * time.Second

// SlowedCarries is the call rate, in calls per second, that workers can carry while every link is slow. Above
// it, slowed examines nothing.
const SlowedCarries = 8

// slowed checks that slow links delay commands but stop none. It covers commands stored during broker-slow
// without other faults. Each must be answered within a bound, even if it takes longer than the ack wait,
// because its worker extends the ack deadline. API requests do not count, because the API times out earlier:
// after 4 s in trials, 8 s by default. The rule holds only for a load that workers can carry at that delay.
// It is independent of worker/call.
func slowed(r *run, v *verdict) {
	others := slices.DeleteFunc(slices.Clone(r.Faults), func(f record.Fault) bool { return f.Kind == "broker-slow" })
	for _, f := range r.Faults {
		for _, m := range r.messages {
			if f.Kind != "broker-slow" || m.command == nil || m.Via == record.API || m.Acked < f.From || m.Acked > f.To {
				continue
			}
			by := m.Acked + int64(slowedTakes)
			broken := slices.ContainsFunc(others, func(o record.Fault) bool { return o.From <= by && o.To+int64(r.bounds.Settle) >= m.At })
			switch a := m.first(); {
			case broken || by > r.Run.Read:
				v.exempt("something else was broken")
			case r.Run.Rate > SlowedCarries:
				v.exempt("more calls than workers can process at that delay")
			case a == nil || a.at > by:
				v.looked()
				v.fail(m.story, "%s was not answered by %s, although links were only slow", r.describeSent(m), r.when(by))
			default:
				v.looked()
			}
		}
	}
}
