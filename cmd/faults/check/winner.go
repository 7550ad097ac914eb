package check

import (
	"slices"

	"ringline.io/ringline/events"
)

// winner: of everything that can become of an attempt to reach somebody one thing does, and whoever was told ok won.
// It reads what is stored as it stands and asks worker/call nothing.
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

// oneOutcome: an attempt is answered or given up once, and nothing changes once the call has ended.
func (r *run) oneOutcome(s *story, v *verdict) {
	decided := map[attempt]*step{} // by the last transition that answered it or gave it up
	for i, st := range s.steps {
		if before := s.state(i).Call; before.State == events.CallStateEnded {
			v.fail(s, "the call had ended (%s) with seq %d, and goes on with %s", before.EndReason, before.Seq, r.describe(st))
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

// stateOf is what a transition made of an attempt.
func stateOf(st *step, key attempt) events.PartyState {
	for _, ch := range st.Changes {
		if ch.UserID == key.user && ch.Attempt == key.n {
			return ch.To
		}
	}
	return ""
}

// won: an answer ok has something stored behind it, which was there before the answer.
func (r *run) won(m *message, a *answer, v *verdict) {
	backed := r.backing(m)
	if backed == nil {
		v.fail(m.story, "%s was %s, and nothing that is stored bears that out", r.describeSent(m), r.describeAnswer(a))
	} else if backed.at > a.at {
		v.fail(m.story, "%s was %s, before it was stored: %s", r.describeSent(m), r.describeAnswer(a), r.describe(backed))
	}
}

// backing is the first transition that bears an ok out: for those that are idempotent by state, one after which it is as
// they want it; for all others, one that they made.
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

// answering lists the calls that an ok to the message can be about: that of the message, or the one that it was merged
// into, as what is stored says.
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
