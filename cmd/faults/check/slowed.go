package check

import (
	"slices"
	"time"

	"ringline.io/ringline/cmd/faults/record"
)

// slowedTakes is how long a command may take while every link is slow: some twenty round trips, and the wait for an invitation.
const slowedTakes = 25 * time.Second

// SlowedCarries is how many calls a second workers can carry while every link is slow. At more, slowed looks at nothing.
const SlowedCarries = 8

// slowed, by hand: slow links delay commands and stop none. Where nothing else is broken, what was stored during broker-slow is
// answered within a bound, though it may take longer than the broker waits for an acknowledgement: its worker asks for more
// time. The api gives up after 8 s, so its requests do not count. It holds for a load that workers can carry at that delay.
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
				v.exempt("more calls than workers can carry at that delay")
			case a == nil || a.at > by:
				v.looked()
				v.fail(m.story, "%s was not answered by %s, though all was only slow", r.describeSent(m), r.when(by))
			default:
				v.looked()
			}
		}
	}
}
