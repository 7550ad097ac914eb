package broker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringline.io/ringline/worker/broker"
)

// TestLogThrottle: a text is logged when it is new, and then once a minute.
func TestLogThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var throttle broker.LogThrottle
		one, other := "one", "other"
		for n, c := range []struct {
			after   time.Duration
			text    string
			allowed bool
		}{
			{0, one, true},
			{0, one, false},
			{time.Minute - 1, one, false},
			{1, one, true},
			{0, other, true},
			{0, one, true},
			{59 * time.Second, "one", false},
		} {
			time.Sleep(c.after)
			if got := throttle.Allow(c.text); got != c.allowed {
				t.Errorf("%d: %s after %v: allowed is %v", n, c.text, c.after, got)
			}
		}
	})
}
