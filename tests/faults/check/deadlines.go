package check

import (
	"fmt"

	"ringline.io/ringline/events"
)

// deadlines checks that no attempt times out before its deadline. It also checks that attempts and calls end
// within the bound after their deadline. If a fault was active then, the bound counts from the repair of the
// last fault.
func deadlines(r *run, v *verdict) {
	var all, calm []int64
	for _, s := range r.stories {
		for i, st := range s.steps {
			for _, late := range r.timedOut(s, i, st, v) {
				all = append(all, late.by)
				if late.calm {
					calm = append(calm, late.by)
				}
			}
		}
		r.endsInTime(s, v)
	}
	v.spread("lateness, all", all)
	v.spread("lateness, nothing broken", calm)
}

type lateness struct {
	by   int64
	calm bool
}

// timedOut returns the lateness of the deadlines that a transition enforced.
func (r *run) timedOut(s *story, i int, st *step, v *verdict) []lateness {
	var list []lateness
	if st.By.Kind != events.ByTimer {
		return nil
	}
	was := s.state(i).Call
	var due []events.Time
	if st.Event == events.EventEnded {
		due = append(due, was.ExpiresAt)
	}
	for _, ch := range st.Changes {
		switch x := was.Callee(ch.UserID); {
		case ch.To != events.StateTimedOut || x == nil:
		case ch.Reason == events.ReasonNotReached:
			due = append(due, x.ReachDeadline)
			v.count("not reached", 1)
		default:
			due = append(due, x.RingDeadline)
		}
	}
	for _, d := range due {
		v.looked()
		if st.at < nanos(d) {
			v.fail(s, "%s was made before its deadline at %s", r.describe(st), r.when(nanos(d)))
		}
		list = append(list, lateness{st.at - nanos(d), r.calm(nanos(d)-int64(r.bounds.Handled), st.at)})
	}
	return list
}

// waiting is an attempt or a call with a deadline.
type waiting struct {
	begun int64
	due   events.Time
	what  string
}

// endsInTime checks that everything with a deadline ends in time.
func (r *run) endsInTime(s *story, v *verdict) {
	open := map[awaited]waiting{}
	for _, st := range s.steps {
		now := waitsFor(st)
		for key, w := range open {
			if _, still := now[key]; !still {
				r.inTime(s, w, st, v)
				delete(open, key)
			}
		}
		for key, w := range now {
			if _, known := open[key]; !known {
				open[key] = w
			}
		}
	}
	for _, w := range open {
		r.inTime(s, w, nil, v)
	}
}

// awaited identifies what has a deadline: an attempt, or the call.
type awaited struct {
	attempt
	kind events.DeadlineKind
}

// waitsFor lists what has a deadline after a transition: each pending attempt, each attempt that no device has
// confirmed, and an active call because of its maximum duration.
func waitsFor(st *step) map[awaited]waiting {
	list := map[awaited]waiting{}
	if st.Call.State == events.CallStateEnded {
		return list
	}
	for _, x := range st.Call.Callees {
		if x.Pending() {
			key, what := attempt{x.UserID, x.Attempt}, fmt.Sprintf("attempt %d of %s", x.Attempt, x.UserID)
			list[awaited{attempt: key}] = waiting{st.at, x.RingDeadline, what}
			if x.Unconfirmed() && x.ReachDeadline != 0 {
				list[awaited{key, events.DeadlineReach}] = waiting{st.at, x.ReachDeadline, "the unconfirmed " + what}
			}
		}
	}
	if st.Call.State == events.CallStateActive {
		list[awaited{}] = waiting{st.at, st.Call.ExpiresAt, "the call"}
	}
	return list
}

// inTime checks that it ended in time with this transition, or is not due yet.
func (r *run) inTime(s *story, w waiting, over *step, v *verdict) {
	due := r.due(max(w.begun, nanos(w.due)), r.bounds.Ends)
	switch {
	case over != nil:
		if v.looked(); over.at > due {
			v.fail(s, "%s had a deadline at %s and may last until %s, but ended only with %s; %s", w.what, r.when(nanos(w.due)), r.when(due),
				r.describe(over), r.broken(nanos(w.due), over.at))
		}
	case due < r.Run.Read:
		v.looked()
		v.fail(s, "%s had a deadline at %s and may last until %s, but had not ended when the store was read at %s", w.what,
			r.when(nanos(w.due)), r.when(due), r.when(r.Run.Read))
	default:
		v.exempt("not due yet")
	}
}
