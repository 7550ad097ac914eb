package call_test

import (
	"time"

	"ringline.io/ringline/events"
)

// checkReach: a pending attempt has a reach deadline if the app has reach_s. A device has at least that time to confirm, counted
// from when the invitation is handled, but not beyond the ring deadline. Only an attempt that no device confirmed by then is
// not_reached.
func (w *world) checkReach(before events.Call, t events.Transition, l line) {
	now := max(l.at, l.now)
	for _, x := range t.Call.Callees {
		old := before.Callee(x.UserID)
		if old == nil || old.Attempt != x.Attempt {
			reach := min(events.DeadlineOf(start.Add(now+w.limits.Reach)), x.RingDeadline)
			if w.limits.Reach == 0 || x.State != events.StateInvited {
				reach = 0
			}
			if x.ReachDeadline != reach {
				w.failf("%s is to be reached by %v, want %v: %s", x.UserID, x.ReachDeadline, reach, w.json(t))
			}
			continue
		}
		if old.State == events.StateInvited && x.State == events.StateRinging && x.ReachDeadline != 0 {
			w.reached["reach deadline confirmed"]++
		}
		if old.State == x.State || x.State != events.StateTimedOut {
			continue
		}
		over := old.ReachDeadline != 0 && !start.Add(now.Truncate(time.Millisecond)).Before(old.ReachDeadline.Time())
		notReached := old.State == events.StateInvited && over
		if notReached != (x.Reason == events.ReasonNotReached) {
			w.failf("%s timed out with %s: %s", x.UserID, x.Reason, w.json(t))
		}
		if notReached {
			w.reached["not reached"]++
			if old.ReachDeadline == old.RingDeadline {
				w.reached["not reached, at the ring deadline"]++
			}
		}
	}
}
