package check

import (
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// lost checks that every message that the broker acknowledged took effect, as an answer or a transition
// shows. A message with neither must have been refused, or have changed nothing, at some transition of its
// call after it was sent, or as exhausted. If every one of those transitions would have carried it out, it is lost.
// RINGLINE_REJECTED must hold exactly the malformed messages. At rest no command is pending.
func lost(r *run, v *verdict) {
	if n := r.Rest.Waiting; n > 0 {
		v.failApp("", "", "at rest %d commands wait that no worker has processed", n)
	}
	if n := r.Rest.InFlight; n > 0 {
		v.failApp("", "", "at rest %d commands are in flight that no worker has acknowledged", n)
	}
	for _, m := range r.messages {
		switch {
		case m.Bad || m.command == nil:
		case m.Acked == 0 && m.Via == record.API:
			r.answeredAtAll(m, v)
		case m.Acked == 0:
			v.exempt("never acknowledged")
		default:
			v.looked()
			r.tookEffect(m, v)
		}
	}
	r.kept(v)
}

// apiAnswers is the time limit for any answer of the API.
const apiAnswers = 10 * time.Second

// answeredAtAll checks that the API answers every request, even if only with unavailable. A request that got
// no answer while no fault was active was lost. The other checks decide whether its command was carried out,
// because it may never have been stored.
func (r *run) answeredAtAll(m *message, v *verdict) {
	switch {
	case len(m.answers) > 0:
		v.looked()
		v.count("answered by the api", 1)
	case strings.Contains(m.Failed, "canceled"):
		v.exempt("a request to the api that was cut off at the end of the run")
	case r.calm(m.At, m.At+int64(apiAnswers)) && m.At+int64(apiAnswers) <= r.Run.Read:
		v.looked()
		v.fail(m.story, "%s was never answered, although nothing was broken for %v", r.describeSent(m), apiAnswers)
	default:
		v.exempt("a request to the api, while something was broken")
	}
}

func (r *run) tookEffect(m *message, v *verdict) {
	switch s := m.story; {
	case len(m.said()) > 0:
		v.count("answered", 1)
	case r.carriedOut(m):
		v.count("not answered, executed", 1)
	case stepOf(s, m) == nil && r.mayRefuse(s, m, m.At, r.soonest(m), nil):
		v.count("not answered, may have changed nothing", 1)
	case m.invites() && r.maySayFull(m.At, r.soonest(m)):
		v.count("not answered, may have been refused as exhausted", 1)
	default:
		v.fail(s, "%s was acknowledged, but had no effect: no answer, no transition, although it would have been executed from seq %d to seq %d; %s",
			r.describeSent(m), s.state(r.known(s, m.At)).Seq, s.newest().Seq, r.broken(m.At, m.At+int64(r.bounds.Handled)))
	}
}

// stepOf returns the transition of this call that the message's command made, or nil if it made none.
func stepOf(s *story, m *message) *step {
	i := slices.IndexFunc(s.steps, func(st *step) bool { return st.made != nil && st.made.same(m.command) })
	if i < 0 {
		return nil
	}
	return s.steps[i]
}

// carriedOut reports whether the message's command made a transition. A merged invitation must also accept
// the call that it met, or find that it can't.
func (r *run) carriedOut(m *message) bool {
	st := stepOf(m.story, m)
	if st == nil || m.story.merged == nil || st.Seq != 1 {
		return st != nil
	}
	first := r.byCall[callID{m.App, m.story.merged.CallID}]
	return stepOf(first, m) != nil || r.mayRefuse(first, m, st.at, r.soonest(m), m.story.merged)
}

// known returns the number of transitions that the call certainly had at that time.
func (r *run) known(s *story, at int64) int {
	k := 0
	for k < len(s.steps) && s.until(k) < at {
		k++
	}
	return k
}

// soonest returns when an acknowledged message must have been handled: after the first fault-free interval
// that is long enough.
func (r *run) soonest(m *message) int64 {
	takes := r.takes(m.command.Verb)
	return r.quiet(m.Acked, takes) + int64(takes)
}

// mayRefuse reports whether the message changes nothing at some transition that the call had in this
// interval.
func (r *run) mayRefuse(s *story, m *message, at, until int64, g *call.Glare) bool {
	end := &answer{at: at + int64(24*time.Hour)}
	for k := r.known(s, at); k <= len(s.steps) && s.from(k) <= until; k++ {
		switch r.decided(s, &reading{message: m, answer: end, glare: g}, k).(type) {
		case call.Keep, call.Refuse:
			return true
		case call.Write, call.Wait:
		}
	}
	return false
}

// kept checks that RINGLINE_REJECTED holds each malformed message at least as often as it was acknowledged,
// and no other message.
func (r *run) kept(v *verdict) {
	type kind struct{ subject, data string }
	found, sent, acked := map[kind]int{}, map[kind]bool{}, map[kind]int{}
	for _, m := range r.Rest.Rejected {
		found[kind{m.Subject, m.Data}]++
	}
	for _, m := range r.messages {
		if !m.Bad || m.Via == record.API { // the API stores no malformed command
			continue
		}
		k := kind{events.RejectedSubject(m.App, events.Verb(m.Verb)), m.Body[:min(len(m.Body), events.MaxRejected)]}
		if sent[k] = true; m.Acked == 0 {
			continue
		}
		v.looked()
		v.count("malformed", 1)
		if acked[k]++; acked[k] > found[k] {
			v.failApp(m.App, m.CallID, "%s is malformed, and %d of %d like it are kept on %s", r.describeSent(m), found[k], acked[k], k.subject)
		}
	}
	for _, m := range r.Rest.Rejected {
		if !sent[kind{m.Subject, m.Data}] {
			v.failApp("", "", "%s, stored at %s, has a malformed command that was never sent: %.200s", m.Subject, r.when(m.At), m.Data)
		}
	}
}
