package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"ringline.io/ringline/events"
)

// linearizable checks each call as a register of its transitions, written in the order of the stream. Every
// answer must be what worker/call gives at a transition that was the latest at some time between the message
// and the answer. Porcupine searches one order of all writes and answers of a call. A transition is written
// between its broker timestamp and the first evidence of it. Evidence is an answer, a notification, or the
// next transition, because its writer had read this one.
//
// An answer that fits no transition is reported on its own. The check lost covers messages without an answer.
func linearizable(r *run, v *verdict) {
	r.each(v, func(s *story, v *verdict) {
		var fitting []*reading
		for _, x := range r.readings(s) {
			v.looked()
			v.count("answer "+x.answer.outcome(), 1)
			if !slices.Contains(x.legal, true) {
				v.fail(s, "%s was %s; worker/call returns no such answer then: %s; %s",
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

// order searches one order of all transitions and answers of a call.
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
		v.fail(s, "each of these answers is right by itself, but not in any common order: %s", r.list(s, readings))
	}
}

// register is the porcupine model of a call. The state is the number of transitions. A write adds the next
// transition, and a reading changes nothing.
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

// refusedAndDone checks that refused commands were not carried out. A command that was carried out must have
// a message that could get ok.
func (r *run) refusedAndDone(s *story, v *verdict) {
	for _, st := range s.steps {
		if st.made == nil || len(st.made.messages) == 0 || !mustBeOK(st) {
			continue
		}
		messages := r.alike(st.made)
		if slices.ContainsFunc(messages, func(m *message) bool { return !m.refused() }) {
			continue
		}
		m := messages[0]
		v.fail(s, "%s was %s, but it made %s", r.describeSent(m), r.describeAnswer(m.first()), r.describe(st))
	}
}

// mustBeOK reports whether only ok can answer the command that made the transition. It returns false for fences
// and for calls that ended at once (caller busy, or merged). It also returns false for rings, expires and drops:
// calls do not remember them, so they may be refused after they made a transition.
func mustBeOK(st *step) bool {
	switch st.Call.EndReason {
	case events.EndCallerBusy, events.EndMerged:
		return false
	case events.EndCompleted, events.EndDeclined, events.EndBusy, events.EndTimedOut, events.EndCanceled, events.EndExpired,
		events.EndServerEnded, events.EndFailed, "":
	}
	return st.Event != events.EventFenced && st.made.Verb.Remembered()
}

// refused reports whether the message has answers, and all of them are refusals.
func (m *message) refused() bool {
	said := m.said()
	return len(said) > 0 && !slices.ContainsFunc(said, func(a *answer) bool { return a.OK })
}
