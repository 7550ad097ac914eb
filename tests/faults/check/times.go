package check

import (
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// Times of worker/call and CONTRACT, repeated here to be independent.
const (
	overtakenFor = 5 * time.Second        // how long a hang-up waits for an invitation that it may have overtaken
	clockError   = 250 * time.Millisecond // how far a worker's estimate of broker time may be ahead: half of the round trip that measures it
	latest       = time.Minute            // maximum wait of an invitation that still rings, unless its ring timeout is shorter
)

// ringTimeout returns how long the callees of an invite or add ring.
func ringTimeout(l call.Limits, c *command) time.Duration {
	if c.RingTimeoutS > 0 {
		return time.Duration(c.RingTimeoutS) * time.Second
	}
	return l.RingTimeout
}

func lateAfter(l call.Limits, c *command) time.Duration { return min(latest, ringTimeout(l, c)) }

// timely explains what is wrong with the time of a transition that is otherwise correct. It returns "" if
// nothing is.
func (r *run) timely(st *step, before events.Transition) string {
	waited := time.Duration(st.at - nanos(st.time))
	switch c := st.made; {
	case waited < -clockError:
		return fmt.Sprintf("its time is %s, after it was stored", r.when(nanos(st.time)))
	case c.Verb.Internal(), before.Seq > 0 && st.time == before.Call.CreatedAt: // the time may have been clamped
		return ""
	case st.Event == events.EventFenced && c.Verb != events.VerbInvite && c.Verb != events.VerbAdd && waited < overtakenFor-clockError:
		return fmt.Sprintf("the id was taken out of use after %v, but its invitation may take %v", waited, overtakenFor)
	case (c.Verb == events.VerbInvite || c.Verb == events.VerbAdd) && bornLate(st) && waited <= lateAfter(r.limits, c)-clockError:
		return fmt.Sprintf("its callees timed out after %v, but may ring until %v", waited, lateAfter(r.limits, c))
	case r.sentAt(st, c):
		return ""
	}
	return fmt.Sprintf("its time is %s, at which no message with its command was stored", r.when(nanos(st.time)))
}

// bornLate reports whether an attempt was timed out from the start.
func bornLate(st *step) bool {
	for _, ch := range st.Changes {
		if ch.From == "" && ch.To == events.StateTimedOut {
			return true
		}
	}
	return false
}

// sentAt reports whether the transition's time can be the time at which one of its messages was stored.
func (r *run) sentAt(st *step, c *command) bool {
	for _, m := range c.messages {
		stored := m.Acked
		if stored == 0 {
			stored = st.at
		}
		if events.TimeOf(timeOf(m.At)) <= st.time && st.time <= events.TimeOf(timeOf(stored)) {
			return true
		}
	}
	return false
}
