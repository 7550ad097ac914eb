package coordinator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringline.io/ringline/worker/natstest"
)

// idleCalls is how many calls the benchmark makes, one after another.
const idleCalls = 2000

// BenchmarkInviteToNotification takes the time from publishing an invitation to the callee's notification, one
// idle call after another, beside the same number of bare JetStream publishes on the same server.
func BenchmarkInviteToNotification(b *testing.B) {
	for b.Loop() {
		s := natstest.Start(b)
		startWorkers(b, s, 1)
		i := newIntegrator(b, s)
		told := i.user("*")
		js := stream(b, i.nc)
		answers, err := i.nc.SubscribeSync("ringline.demo.answer.bench")
		if err != nil {
			b.Fatal(err)
		}

		var bare, ring []time.Duration
		for n := range idleCalls {
			body := fmt.Sprintf(`{"command_id":"k%d","user_id":"ann%d","call_type":0,"callees":[{"user_id":"bob%d"}]}`, n, n, n)
			start := time.Now()
			if _, err := js.Publish(b.Context(), "ringline.bare.rejected.invite", []byte(body)); err != nil {
				b.Fatal(err)
			}
			bare = append(bare, time.Since(start))

			start = time.Now()
			i.publish(fmt.Sprintf("c%d", n), "invite", body, "bench")
			told.next("incoming_call_received")
			ring = append(ring, time.Since(start))
			if _, err := answers.NextMsg(within); err != nil { // the call has come to rest
				b.Fatal(err)
			}
		}
		report(b, "bare", bare)
		report(b, "ring", ring)
		b.ReportMetric(float64(at(ring, 50))/float64(at(bare, 50)), "p50-ratio")
		b.ReportMetric(float64(at(ring, 99))/float64(at(bare, 99)), "p99-ratio")
	}
}

func report(b *testing.B, name string, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	b.ReportMetric(float64(at(all, 50).Microseconds()), name+"-p50-µs")
	b.ReportMetric(float64(at(all, 99).Microseconds()), name+"-p99-µs")
}

func at(sorted []time.Duration, percent int) time.Duration { return sorted[len(sorted)*percent/100] }
