package check

import (
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// offBy is the tolerance of server_time: it may be this much earlier than the storage of the transition, or
// later than the delivery. It is smaller than the clock errors that faults cause.
const offBy = 3 * time.Second

// frames checks the time fields of notifications. It is written from CONTRACT, section 3:
//
//   - server_time is the send time of the notification, in broker time.
//   - ring_remaining_ms is the time from server_time to the receiver's deadline, rounded down. For the
//     caller, the latest deadline of a ringing callee counts. It is 0 after the deadline, and absent if the
//     receiver waits for nothing.
//   - Of the notifications of one transition to one receiver, only the first and call_ended carry the call.
//     Only these carry ring_remaining_ms.
func frames(r *run, v *verdict) {
	for _, t := range r.Notifications {
		s := r.byCall[callID{t.App, t.CallID}]
		if s == nil || s.bySeq[t.Seq] == nil || t.Server == 0 {
			v.exempt("the check notified finds it")
			continue
		}
		whole := strings.HasSuffix(t.ID, "-0") || t.Event == "call_ended"
		if whole == t.Bare {
			v.fail(s, "%s; it has the call: %v, but only the first of a transition and call_ended have it", r.describeNotification(t), !t.Bare)
		}
		if t.Bare {
			if t.Remaining != nil {
				v.fail(s, "%s has ring_remaining_ms but not the call", r.describeNotification(t))
			}
			continue
		}
		st := s.bySeq[t.Seq]
		if v.looked(); t.Server < st.at-int64(offBy) || t.Server > t.At+int64(offBy) {
			v.fail(s, "%s with server_time %s; it was stored at %s and received at %s", r.describeNotification(t), r.when(t.Server), r.when(st.at), r.when(t.At))
		}
		until, known := ringsUntil(st, t)
		left := max(0, until.UnixNano()-t.Server) / int64(time.Millisecond)
		switch {
		case !known:
			v.count("no hand-written rule", 1)
		case until.IsZero() != (t.Remaining == nil):
			v.fail(s, "%s; ring_remaining_ms is set: %v, a callee rings: %v", r.describeNotification(t), t.Remaining != nil, !until.IsZero())
		case t.Remaining != nil && (*t.Remaining < left-1 || *t.Remaining > left+1):
			v.fail(s, "%s with ring_remaining_ms %d; from its server_time to the deadline it is %d", r.describeNotification(t), *t.Remaining, left)
		}
	}
}

// ringsUntil returns the deadline that the receiver waits for: a callee's own deadline, or the latest one for
// the caller. known is false for receivers that the rule does not cover.
func ringsUntil(st *step, t record.Notification) (until time.Time, known bool) {
	p, ok := byHand(st)
	c := p.Data.Call
	if !ok || c.State == "ended" {
		return until, ok
	}
	if events.Escape(c.Caller.UserID) == t.To && c.Caller.State == "in" {
		for _, x := range c.Callees {
			if x.pends() && x.RingDeadline.After(until) {
				until = x.RingDeadline
			}
		}
		return until, true
	}
	for _, x := range c.Callees {
		if events.Escape(x.UserID) == t.To && x.pends() {
			return x.RingDeadline, true
		}
	}
	return until, false
}
