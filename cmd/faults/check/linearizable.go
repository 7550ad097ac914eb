package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"ringline.io/ringline/events"
)

// linearizable: each call is a register of its transitions, written in the order in which they are stored, and every
// answer is what worker/call gives at one of them that was the newest some time between the message and the answer.
// Porcupine looks for one order of all writes and answers about a call. A transition is written between the broker's
// time and the first thing that shows it: an answer, a notification, or the next transition, whose writer had read it.
//
// An answer that fits nowhere by itself is told of by itself. Messages without an answer are the business of lost.
func linearizable(r *run, v *verdict) {
	r.each(v, func(s *story, v *verdict) {
		var fitting []*reading
		for _, x := range r.readings(s) {
			v.looked()
			v.count("answer "+x.answer.outcome(), 1)
			if !slices.Contains(x.legal, true) {
				v.fail(s, "%s was %s; worker/call gives no such answer then: %s; %s",
					r.describeSent(x.message), r.describeAnswer(x.answer), r.whyNot(s, x), r.broken(x.from, x.answer.at))
				continue
			}
			fitting = append(fitting, x)
		}
		r.order(s, fitting, v)
		r.refusedAndDone(s, v)
	})
	for _, m := range r.messages {
		if m.command != nil && len(m.said()) == 0 {
			v.exempt("not answered")
		}
	}
}

// order looks for an order of everything about one call.
func (r *run) order(s *story, readings []*reading, v *verdict) {
	var ops []porcupine.Operation
	for k := 1; k <= len(s.steps); k++ {
		ops = append(ops, porcupine.Operation{Input: k, Call: s.from(k), Return: s.steps[k-1].seen})
	}
	for _, x := range readings {
		ops = append(ops, porcupine.Operation{Input: x, Call: x.from, Return: x.answer.at})
	}
	v.count("calls", 1)
	switch porcupine.CheckOperationsTimeout(register(), ops, r.bounds.Search) {
	case porcupine.Ok:
	case porcupine.Unknown:
		v.count("unknown", 1)
		v.fail(s, "no order of %d transitions and %d answers was found within %v, and none was excluded", len(s.steps), len(readings), r.bounds.Search)
	case porcupine.Illegal:
		v.fail(s, "each of these answers is right by itself, but there is no order in which all of them are: %s", r.list(s, readings))
	}
}

// register is a call to porcupine: how many transitions it has. A write adds the next one, a reading changes nothing.
func register() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, _ any) (bool, any) {
			at, _ := state.(int)
			if x, reads := input.(*reading); reads {
				return x.legal[at], at
			}
			return input == at+1, at + 1
		},
	}
}

func (r *run) list(s *story, readings []*reading) string {
	var list []string
	for _, x := range readings {
		var at []string
		for k, legal := range x.legal {
			if legal {
				at = append(at, fmt.Sprint(s.state(k).Seq))
			}
		}
		list = append(list, fmt.Sprintf("%s was %s, right at seq %s", r.describeSent(x.message), r.describeAnswer(x.answer), strings.Join(at, " or ")))
	}
	return strings.Join(list, "; ")
}

// refusedAndDone: what was refused is not carried out. A command that was has a message that may have been told so.
func (r *run) refusedAndDone(s *story, v *verdict) {
	for _, st := range s.steps {
		if st.made == nil || len(st.made.messages) == 0 || !toldOK(st) {
			continue
		}
		messages := r.alike(st.made)
		if slices.ContainsFunc(messages, func(m *message) bool { return !m.refused() }) {
			continue
		}
		m := messages[0]
		v.fail(s, "%s was %s, and yet it made %s", r.describeSent(m), r.describeAnswer(m.first()), r.describe(st))
	}
}

// toldOK says whether the answer to the command that made the transition is ok. It is not that of a call that came to
// nothing at once; and a ring may be refused that made something, as no call remembers it.
func toldOK(st *step) bool {
	switch st.Call.EndReason {
	case events.EndCallerBusy, events.EndMerged:
		return false
	case events.EndCompleted, events.EndDeclined, events.EndBusy, events.EndTimedOut, events.EndCanceled, events.EndExpired,
		events.EndServerEnded, events.EndFailed, "":
	}
	return st.Event != events.EventFenced && st.made.Verb != events.VerbRing && st.made.Verb != events.VerbExpire
}

// refused says whether every answer to the message is a refusal, and there is one.
func (m *message) refused() bool {
	said := m.said()
	return len(said) > 0 && !slices.ContainsFunc(said, func(a *answer) bool { return a.OK })
}
