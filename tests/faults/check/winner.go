package check

import (
	"slices"

	"ringline.io/ringline/events"
)

// winner checks that each attempt to reach a callee has exactly one outcome, and that an answer ok means that
// the command took effect. It reads the stored transitions as they are, without worker/call.
func winner(r *run, v *verdict) {
	r.each(v, func(s *story, v *verdict) {
		r.oneOutcome(s, v)
		for _, m := range s.messages {
			for _, a := range m.said() {
				if a.OK {
					v.looked()
					r.won(m, a, v)
				}
			}
		}
	})
}

// attempt is one attempt to reach a callee.
type attempt struct {
	user string
	n    int
}

// oneOutcome checks that an attempt is answered or ends only once, and that nothing changes after the call
// ended.
func (r *run) oneOutcome(s *story, v *verdict) {
	decided := map[attempt]*step{} // by attempt: the last transition that answered or ended it
	for i, st := range s.steps {
		if before := s.state(i).Call; before.State == events.CallStateEnded {
			v.fail(s, "the call had ended (%s) with seq %d, but continues with %s", before.EndReason, before.Seq, r.describe(st))
		}
		for _, ch := range st.Changes {
			if ch.Attempt == 0 {
				continue // the caller
			}
			v.looked()
			key := attempt{ch.UserID, ch.Attempt}
			if first := decided[key]; first != nil && (over(stateOf(first, key)) || ch.To != events.StateLeft) {
				v.fail(s, "attempt %d of %s was %s with %s, and is %s with %s", key.n, key.user, stateOf(first, key), r.describe(first), ch.To,
					r.describe(st))
			}
			if over(ch.To) || ch.To == events.StateAccepted {
				decided[key] = st
			}
		}
	}
}

// stateOf returns the state of an attempt after a transition.
func stateOf(st *step, key attempt) events.PartyState {
	for _, ch := range st.Changes {
		if ch.UserID == key.user && ch.Attempt == key.n {
			return ch.To
		}
	}
	return ""
}

// won checks that an answer ok is backed by a transition that was stored before the answer.
func (r *run) won(m *message, a *answer, v *verdict) {
	backed := r.backing(m)
	if backed == nil {
		v.fail(m.story, "%s was %s, but no stored transition supports that", r.describeSent(m), r.describeAnswer(a))
	} else if backed.at > a.at {
		v.fail(m.story, "%s was %s, before it was stored: %s", r.describeSent(m), r.describeAnswer(a), r.describe(backed))
	}
}

// backing returns the first transition that backs an ok. For a command that is idempotent by state, this is
// the first one with the requested state. For any other command, it is one that the command made.
func (r *run) backing(m *message) *step {
	for _, s := range r.answering(m) {
		i := slices.IndexFunc(s.steps, func(st *step) bool {
			if x := st.Call.Callee(m.command.UserID); x != nil {
				switch {
				case m.command.Verb == events.VerbRing && (x.State == events.StateRinging || x.State == events.StateAccepted),
					m.command.Verb == events.VerbAccept && x.State == events.StateAccepted && x.DeviceID == m.command.DeviceID,
					m.command.Verb == events.VerbInvite && x.State == events.StateAccepted && s != m.story:
					return true
				}
			}
			return s == m.story && st.CommandID == m.command.CommandID && st.By == m.command.By()
		})
		if i >= 0 {
			return s.steps[i]
		}
	}
	return nil
}

// answering lists the calls that an ok to the message can be about: the message's call, or the stored call
// that it was merged into.
func (r *run) answering(m *message) []*story {
	s := m.story
	if len(s.steps) > 0 && s.steps[0].Call.EndReason == events.EndMerged && m.command.Verb == events.VerbInvite {
		if first := r.byCall[callID{m.App, s.steps[0].Call.MergedInto}]; first != nil {
			return []*story{first}
		}
		return nil
	}
	return []*story{s}
}
