package check

import (
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// prompt checks that every acknowledged command is handled within a bound. If a fault was active meanwhile,
// the bound counts from the repair of the last fault. By then the command must be answered, or have made its
// transition. If no fault was active, it must be answered, also through the API. This check finds commands
// that deadlock each other.
func prompt(r *run, v *verdict) {
	var calm []int64
	for _, m := range r.messages {
		if m.command == nil {
			continue
		}
		takes, begun := r.takes(m.command.Verb), m.Acked
		quiet := r.calm(m.At, m.At+int64(takes))
		if m.Via == record.API && quiet {
			begun = m.At // the API stores the command immediately
		}
		if begun == 0 {
			continue
		}
		r.handledSoon(m, begun, takes, v)
		if a := m.first(); a != nil && quiet {
			calm = append(calm, a.at-begun)
		}
	}
	v.spread("answered after, nothing broken", calm)
}

// takes returns the time limit for a command. Some commands may have to wait for their invitation.
func (r *run) takes(verb events.Verb) time.Duration {
	if verb.MayOvertake() {
		return r.bounds.Handled + overtakenFor
	}
	return r.bounds.Handled
}

func (r *run) handledSoon(m *message, begun int64, takes time.Duration, v *verdict) {
	due, a := r.due(begun, takes), m.first()
	switch {
	case a != nil:
		if v.looked(); a.at > due {
			v.fail(m.story, "%s was %s, but had to be answered by %s; %s", r.describeSent(m), r.describeAnswer(a), r.when(due), r.broken(m.At, a.at))
		}
	case m.Via == record.API && len(m.answers) > 0:
		// A hang-up, for example, may wait longer for its invitation than the API waits for the answer.
		v.exempt("the api had timed out")
	case r.Run.Read < due:
		v.exempt("not due yet")
	case r.calm(begun, begun+int64(takes)):
		v.looked()
		v.fail(m.story, "%s was not answered until %s, although nothing was broken", r.describeSent(m), r.when(due))
	default:
		r.handledUnanswered(m, takes, v)
	}
}

// handledUnanswered checks a command whose answer may be lost. Its transition must be stored in time, counted
// from the last message that may have made it.
func (r *run) handledUnanswered(m *message, takes time.Duration, v *verdict) {
	st := stepOf(m.story, m)
	if st == nil {
		v.exempt("its answer may be lost, and it made no transition")
		return
	}
	v.looked()
	due := int64(0)
	for _, x := range r.alike(m.command) {
		if x.At <= st.at {
			due = max(due, r.due(max(x.At, x.Acked), takes))
		}
	}
	if st.at > due {
		v.fail(m.story, "%s was processed only with %s, but had to be by %s; %s", r.describeSent(m), r.describe(st), r.when(due), r.broken(m.At, st.at))
	}
}
