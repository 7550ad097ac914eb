package check

import (
	"encoding/json"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// deadlineID identifies a deadline.
type deadlineID struct {
	callID
	events.DeadlineID
}

// timers checks the deadlines in RINGLINE_TIMERS at rest. They must be exactly the deadlines that the calls
// wait for, and none may be overdue.
func timers(r *run, v *verdict) {
	pending := map[deadlineID]bool{}
	for _, m := range r.Rest.Timers {
		v.looked()
		app, id, deadline, ok := events.ParseTimerSubject(m.Subject)
		var d events.Deadline
		if err := json.Unmarshal([]byte(m.Data), &d); !ok || err != nil {
			v.failApp(app, id, "%s, stored at %s: malformed deadline: %.200s", m.Subject, r.when(m.At), m.Data)
			continue
		}
		if due := r.due(nanos(d.Deadline), r.bounds.Ends); due < r.Run.Read {
			v.failApp(app, id, "%s was due at %s and had to be removed by %s, but existed when the store was read at %s", m.Subject,
				r.when(nanos(d.Deadline)), r.when(due), r.when(r.Run.Read))
		}
		key := deadlineID{callID{app, id}, deadline}
		pending[key] = true
		r.waitedFor(key, m, v)
	}
	for _, s := range r.stories {
		for _, d := range call.Deadlines(s.newest()) {
			r.armed(s, d, pending[deadlineID{callID{s.app, s.call}, d.DeadlineID}], v)
		}
	}
}

// dotted returns the kind of a deadline as the end of its subject.
func dotted(k events.DeadlineKind) string {
	if k == "" {
		return ""
	}
	return "." + string(k)
}

// waitedFor checks that the call waits for the timer's deadline.
func (r *run) waitedFor(id deadlineID, m record.Stored, v *verdict) {
	s := r.byCall[id.callID]
	if s == nil || len(s.steps) == 0 {
		v.failApp(id.app, id.call, "%s, stored at %s, belongs to a call that does not exist", m.Subject, r.when(m.At))
		return
	}
	if !slices.ContainsFunc(call.Deadlines(s.newest()), func(d call.Deadline) bool { return d.DeadlineID == id.DeadlineID }) {
		v.fail(s, "%s, stored at %s, is not a current deadline of the call, which is %s with %s", m.Subject, r.when(m.At),
			s.newest().Call.State, r.describe(s.steps[len(s.steps)-1]))
	}
}

// armed checks that a deadline that a call waits for has a timer, unless it is already due.
func (r *run) armed(s *story, d call.Deadline, pending bool, v *verdict) {
	if nanos(d.At) < r.Run.Read {
		v.exempt("due, and its call has not ended yet") // deadlines finds it if that takes too long
		return
	}
	if v.looked(); !pending {
		v.fail(s, "the call waits for deadline %d%s at %s, but the store has no timer", d.Seq, dotted(d.Kind), r.when(nanos(d.At)))
	}
}
