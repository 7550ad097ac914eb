package check

import (
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// What worker/call and CONTRACT say of times, stated anew.
const (
	overtakenFor = 5 * time.Second        // how long a hang-up waits for the invitation that it may have overtaken
	clockError   = 250 * time.Millisecond // how far a worker's estimate of broker time may be ahead: half of what a look at it takes
	latest       = time.Minute            // how long an invitation may wait and still ring, unless its ring timeout is shorter
)

// ringTimeout is how long the callees of an invite or add ring.
func ringTimeout(l call.Limits, c *command) time.Duration {
	if c.RingTimeoutS > 0 {
		return time.Duration(c.RingTimeoutS) * time.Second
	}
	return l.RingTimeout
}

func lateAfter(l call.Limits, c *command) time.Duration { return min(latest, ringTimeout(l, c)) }

// timely says what is wrong with the time of a transition that is right otherwise.
func (r *run) timely(st *step, before events.Transition) string {
	waited := time.Duration(st.at - moment(st.time))
	switch c := st.made; {
	case waited < -clockError:
		return fmt.Sprintf("its time is %s, after it was stored", r.when(moment(st.time)))
	case c.Verb == events.VerbExpire, before.Seq > 0 && st.time == before.Call.CreatedAt: // where it may have been cut
		return ""
	case st.Event == events.EventFenced && c.Verb != events.VerbInvite && c.Verb != events.VerbAdd && waited < overtakenFor-clockError:
		return fmt.Sprintf("the id was taken out of use after %v, and its invitation may take %v", waited, overtakenFor)
	case (c.Verb == events.VerbInvite || c.Verb == events.VerbAdd) && bornLate(st) && waited <= lateAfter(r.limits, c)-clockError:
		return fmt.Sprintf("its callees have timed out after %v, and may ring until %v", waited, lateAfter(r.limits, c))
	case r.sentAt(st, c):
		return ""
	}
	return fmt.Sprintf("its time is %s, at which no message with its command was stored", r.when(moment(st.time)))
}

// bornLate says whether somebody's attempt began timed out.
func bornLate(st *step) bool {
	for _, ch := range st.Changes {
		if ch.From == "" && ch.To == events.StateTimedOut {
			return true
		}
	}
	return false
}

// sentAt says whether the time of the transition can be that at which one of its messages was stored.
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
