package check

import (
	"time"

	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/events"
)

// prompt: what the broker acknowledged is handled soon: within a bound, counted from when the last fault was mended where
// something was broken meanwhile. It is answered then, or has made its transition; where nothing was broken, it is
// answered, also by the api. Two commands that wait for each other are found by this.
func prompt(r *run, v *verdict) {
	var calm []int64
	for _, m := range r.messages {
		if m.command == nil {
			continue
		}
		takes, begun := r.takes(m.command.Verb), m.Acked
		quiet := r.calm(m.At, m.At+int64(takes))
		if m.Via == record.API && quiet {
			begun = m.At // it stores the command at once
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

// takes is how long a command may take: some may have to wait for their invitation.
func (r *run) takes(verb events.Verb) time.Duration {
	switch verb {
	case events.VerbCancel, events.VerbLeave, events.VerbEnd, events.VerbAdd:
		return r.bounds.Handled + overtakenFor
	case events.VerbInvite, events.VerbRing, events.VerbAccept, events.VerbDecline, events.VerbExpire:
	}
	return r.bounds.Handled
}

func (r *run) handledSoon(m *message, begun int64, takes time.Duration, v *verdict) {
	due, a := r.due(begun, takes), m.first()
	switch {
	case a != nil:
		if v.looked(); a.at > due {
			v.fail(m.story, "%s was %s, and had to be by %s; %s", r.describeSent(m), r.describeAnswer(a), r.when(due), r.broken(m.At, a.at))
		}
	case m.Via == record.API && len(m.answers) > 0:
		v.exempt("the api had given up") // as for a hang-up that waits longer for its invitation than the api for its answer
	case r.Run.Read < due:
		v.exempt("not due yet")
	case r.calm(begun, begun+int64(takes)):
		v.looked()
		v.fail(m.story, "%s was not answered until %s, though nothing was broken", r.describeSent(m), r.when(due))
	default:
		r.handledUnanswered(m, takes, v)
	}
}

// handledUnanswered: an answer may be lost, but what the command made must be there in time, counted from the last of
// its messages that may have made it.
func (r *run) handledUnanswered(m *message, takes time.Duration, v *verdict) {
	st := stepOf(m.story, m)
	if st == nil {
		v.exempt("its answer may be lost, and it made nothing")
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
		v.fail(m.story, "%s was handled only with %s, and had to be by %s; %s", r.describeSent(m), r.describe(st), r.when(due), r.broken(m.At, st.at))
	}
}
