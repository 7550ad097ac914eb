package check

import (
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// sameAnswer checks that commands are idempotent by command id. All answers to a message agree. A command
// that was carried out is carried out once, and gets the same answer when it is sent again. A refused command
// may be decided again, and so may a command that the call no longer remembers. Every ok answer to an add
// names the callees that its transition did not invite.
func sameAnswer(r *run, v *verdict) {
	for _, m := range r.messages {
		if len(m.answers) > 0 {
			v.looked()
			r.oneAnswer(m, v)
			r.namesRefused(m, v)
		}
	}
	r.each(v, func(s *story, v *verdict) {
		for _, messages := range repeats(s.messages) {
			v.looked()
			v.count("repeated commands", 1)
			r.againOK(s, messages, v)
		}
		r.once(s, v)
	})
}

// oneAnswer checks that all answers to a message agree, and name its command.
func (r *run) oneAnswer(m *message, v *verdict) {
	said := m.said()
	for _, a := range said {
		switch {
		case a.outcome() != said[0].outcome() && (!said[0].OK || changedNothing(m)) && r.forgotten(m.At, a.at):
			v.exempt("refused, or nothing changed, and the ack may be lost")
		case a.outcome() != said[0].outcome():
			v.failApp(m.App, m.CallID, "%s was %s, and %s; %s", r.describeSent(m), r.describeAnswer(said[0]), r.describeAnswer(a), r.broken(m.At, a.at))
		case a.err != nil:
			v.failApp(m.App, m.CallID, "%s got a malformed answer at %s: %v: %.200s", r.describeSent(m), r.when(a.at), a.err, a.body)
		case m.command != nil && a.CommandID != m.command.CommandID:
			v.failApp(m.App, m.CallID, "%s was %s, for command %q", r.describeSent(m), r.describeAnswer(a), a.CommandID)
		case m.Bad && (a.OK || a.Error == nil || a.Error.Code != events.CodeInvalidArgument):
			v.failApp(m.App, m.CallID, "%s is malformed, but was %s", r.describeSent(m), r.describeAnswer(a))
		}
	}
}

// namesRefused checks the refused callees in the answers to a message. It is written from CONTRACT, section 8.
func (r *run) namesRefused(m *message, v *verdict) {
	var st *step
	if m.command != nil && m.command.Verb == events.VerbAdd {
		st = stepOf(m.story, m)
	}
	for _, a := range m.said() {
		if a.err != nil || st == nil && len(a.Refused) == 0 || st != nil && !a.OK {
			continue // an ok without a transition is reported by linearizable
		}
		var want []events.RefusedCallee
		if st != nil {
			want = leftOut(m.command.Command, st.Transition)
			v.count("callees that an add refused", len(want))
		}
		if !slices.Equal(a.Refused, want) {
			v.failApp(m.App, m.CallID, "%s was %s, and refuses %v; it left out %v", r.describeSent(m), r.describeAnswer(a), a.Refused, want)
		}
	}
}

// leftOut lists the callees of an add that are not in the changes of its transition.
func leftOut(cmd events.Command, t events.Transition) []events.RefusedCallee {
	var list []events.RefusedCallee
	for _, p := range cmd.Callees {
		code := events.CodeAlreadyExists
		if p.UserID == t.Call.Caller.UserID {
			code = events.CodeInvalidArgument
		}
		if !slices.ContainsFunc(t.Changes, func(ch events.Change) bool { return ch.UserID == p.UserID }) {
			list = append(list, events.RefusedCallee{UserID: p.UserID, Code: code})
		}
	}
	return list
}

// changedNothing reports whether the message made no transition. Then only its acknowledgement records the
// ok, as for a refusal (ADR 0009).
func changedNothing(m *message) bool { return m.story == nil || stepOf(m.story, m) == nil }

// forgotten reports whether an acknowledgement may have been lost in this interval. That occurs when a broker
// is killed or the consumer is deleted.
func (r *run) forgotten(from, to int64) bool {
	return slices.ContainsFunc(r.Faults, func(f record.Fault) bool {
		switch f.Kind {
		case "broker-kill", "broker-kill-leader", "broker-kill-all", "disk-full", "delete-consumer":
			return f.From <= to && f.To >= from
		}
		return false
	})
}

// repeats returns the messages of each command that was sent more than once, in the order of sending.
func repeats(messages []*message) [][]*message {
	var groups [][]*message
	for _, m := range messages {
		i := slices.IndexFunc(groups, func(g []*message) bool { return g[0].command.same(m.command) })
		if i < 0 {
			groups = append(groups, []*message{m})
		} else {
			groups[i] = append(groups[i], m)
		}
	}
	return slices.DeleteFunc(groups, func(g []*message) bool { return len(g) < 2 })
}

// againOK checks that after a command was answered with ok, later messages with it also get ok, and about the
// same call.
func (r *run) againOK(s *story, messages []*message, v *verdict) {
	verb := messages[0].command.Verb
	if !verb.Remembered() {
		v.exempt("ring, which is idempotent by state")
		return
	}
	for _, m := range messages {
		for _, later := range messages {
			ok, then := m.first(), later.first()
			if ok == nil || then == nil || !ok.OK || ok.at >= later.At {
				continue
			}
			switch {
			case then.OK && ok.Call != nil && then.Call != nil && ok.Call.CallID != then.Call.CallID,
				!then.OK && r.remembered(s, m, later.At, then.at):
				v.fail(s, "%s was %s; sent again as message %d at %s it was %s; %s", r.describeSent(m), r.describeAnswer(ok), later.N,
					r.when(later.At), r.describeAnswer(then), r.broken(later.At, then.at))
			case !then.OK:
				v.exempt("not remembered")
			}
		}
	}
}

// remembered reports whether the call remembered the command during this whole interval.
func (r *run) remembered(s *story, m *message, from, to int64) bool {
	if s.merged != nil {
		s = r.byCall[callID{s.app, s.merged.CallID}]
	}
	for k := range len(s.steps) + 1 {
		if s.within(k, from, to) && !remembers(s.state(k), m.command) {
			return false
		}
	}
	return true
}

func remembers(t events.Transition, c *command) bool {
	return slices.ContainsFunc(t.Commands, func(x events.Remembered) bool {
		return x.ID == c.CommandID && x.UserID == c.UserID && x.Service == c.Service && x.Verb == c.Verb
	})
}

// once checks in the stored transitions that a command that the call remembers makes no second transition.
func (r *run) once(s *story, v *verdict) {
	for i, st := range s.steps {
		if st.By.Kind == events.ByTimer || st.Event == events.EventFenced {
			continue
		}
		v.looked()
		for _, x := range s.state(i).Commands {
			if x.ID == st.CommandID && x.UserID == st.By.UserID && x.Service == st.By.Service {
				v.fail(s, "%s was executed with seq %d, and again with %s", st.CommandID, x.Seq, r.describe(st))
			}
		}
	}
}
