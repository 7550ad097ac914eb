package check

import (
	"fmt"
	"slices"
	"strings"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// reading is an answer to a message, treated as a read of a call. worker/call must give that answer at a
// transition that was the latest at some time between the message and the answer.
type reading struct {
	message *message
	answer  *answer
	glare   *call.Glare // set if the message is a merged invitation, and the call is the one that it met
	from    int64       // the earliest time of the decision
	legal   []bool      // indexed by the number of transitions of the call
}

// readings lists the answers about a call.
func (r *run) readings(s *story) []*reading {
	var list []*reading
	for _, m := range s.messages {
		for _, a := range m.said() {
			if !r.isOfJoin(s, m, a) {
				list = append(list, &reading{message: m, answer: a, from: m.At})
			}
		}
	}
	for _, m := range s.joins {
		own := r.byCall[callID{m.App, m.command.CallID}]
		for _, a := range m.said() {
			if r.isOfJoin(own, m, a) {
				list = append(list, &reading{message: m, answer: a, glare: own.merged, from: max(m.At, own.steps[0].at)})
			}
		}
	}
	for _, x := range list {
		x.legal = make([]bool, len(s.steps)+1)
		for k := range x.legal {
			x.legal[k] = x.from <= x.answer.at && s.within(k, x.from, x.answer.at) && r.gives(s, x, k)
		}
	}
	return list
}

// isOfJoin reports whether an answer to a message of this call is about the call that it was merged into. All
// answers are, except a refusal from before the merge.
func (r *run) isOfJoin(s *story, m *message, a *answer) bool {
	if s.merged == nil || !m.command.same(s.steps[0].made) {
		return false
	}
	return !r.gives(s, &reading{message: m, answer: a}, 0)
}

// decided returns the decision of worker/call on the message at the call's kth transition.
func (r *run) decided(s *story, x *reading, k int) call.Outcome {
	in := call.Input{At: timeOf(x.message.At), Now: timeOf(x.answer.at).Add(clockError), Limits: r.limits}
	if x.glare != nil {
		return call.Join(s.state(k), x.message.command.Command, *x.glare, in)
	}
	return call.Decide(s.state(k), x.message.command.Command, in)
}

// gives reports whether a coordinator that decides the message at the call's kth transition gives this
// answer. A command that is carried out there gets its answer later, when the call remembers the command.
func (r *run) gives(s *story, x *reading, k int) bool {
	if x.answer.err != nil {
		return false
	}
	if x.admission() {
		return true
	}
	switch o := r.decided(s, x, k).(type) {
	case call.Keep:
		if o.Made > 0 && x.answer.OK { // it may have been read from a lagging replica
			return r.showsSince(s, x, o.Made, k)
		}
		return x.answer.OK && r.shows(s, x, k)
	case call.Refuse:
		if x.answer.Error != nil && !x.answer.OK && x.answer.Error.Code == o.Err.Code {
			return r.showsRefused(s, x, k)
		}
	case call.Write, call.Wait:
	}
	return x.answer.OK && r.madeBefore(s, x, k) && r.shows(s, x, k)
}

// admission reports whether the message was refused before any decision, because call storage was full or the
// command rate was too high. Such an answer carries no call.
func (x *reading) admission() bool {
	e := x.answer.Error
	return e != nil && (e.Code == events.CodeExhausted || e.Code == events.CodeRateLimited) && !x.answer.OK && x.answer.Call == nil
}

// showsSince reports whether the answer shows the call at a transition from seq up to the kth. With one
// broker there are no stale reads, so only the kth counts.
func (r *run) showsSince(s *story, x *reading, seq, k int) bool {
	if r.Run.Nodes == 1 {
		return r.shows(s, x, k)
	}
	for i := k; i > 0 && s.steps[i-1].Seq >= seq; i-- {
		if r.shows(s, x, i) {
			return true
		}
	}
	return false
}

// madeBefore reports whether the message is a ring, expire or drop that made one of the transitions up to the
// kth. Calls do not remember these commands. A coordinator can find them in the stored transitions, but does
// not always look.
func (r *run) madeBefore(s *story, x *reading, k int) bool {
	cmd := x.message.command
	if cmd.Verb.Remembered() {
		return false
	}
	return slices.ContainsFunc(s.steps[:k], func(st *step) bool { return call.MadeBy(st.Transition, cmd.Command) })
}

// shows reports whether the answer carries the call after its kth transition, as visible to the sender.
func (r *run) shows(s *story, x *reading, k int) bool {
	return k > 0 && x.answer.Call != nil && x.answer.Call.Seq == s.state(k).Seq &&
		text(view(x.message.command.Command, s.state(k).Call)) == text(*x.answer.Call)
}

// showsRefused reports whether a refusal carries the call at its kth transition if the sender takes part in
// the call, and no call otherwise.
func (r *run) showsRefused(s *story, x *reading, k int) bool {
	now, cmd := s.state(k).Call, x.message.command
	if now.EndReason != events.EndFailed && (now.Has(cmd.UserID) || now.Seq > 0 && cmd.Service != "") {
		return r.shows(s, x, k)
	}
	return x.answer.Call == nil
}

// view returns the call as visible to the sender of the command.
func view(cmd events.Command, c events.Call) events.Call {
	if cmd.Service != "" {
		return c
	}
	return c.For(cmd.UserID)
}

func text(c events.Call) string {
	b, err := events.Encode(c)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// whyNot explains why no transition of the call matches the answer.
func (r *run) whyNot(s *story, x *reading) string {
	var at, gives []string
	for k := range x.legal {
		if r.gives(s, x, k) {
			at = append(at, r.howLong(s, k))
		}
		if s.within(k, x.from, x.answer.at) && len(gives) < 6 {
			gives = append(gives, fmt.Sprintf("seq %d gives %s", s.state(k).Seq, r.wouldGive(s, x, k)))
		}
	}
	if len(at) > 0 {
		return "that is so only at " + strings.Join(at, " and at ")
	}
	return strings.Join(gives, ", ")
}

// howLong describes when the call was at its kth transition.
func (r *run) howLong(s *story, k int) string {
	if k == len(s.steps) {
		return fmt.Sprintf("seq %d, stored only at %s", s.state(k).Seq, r.when(s.from(k)))
	}
	return fmt.Sprintf("seq %d, which was replaced at %s at the latest", s.state(k).Seq, r.when(s.until(k)))
}

func (r *run) wouldGive(s *story, x *reading, k int) string {
	switch o := r.decided(s, x, k).(type) {
	case call.Write:
		return "that it is executed (" + string(o.Transition.Event) + ")"
	case call.Keep:
		return "ok with the current call"
	case call.Refuse:
		if x.answer.Error != nil && x.answer.Error.Code == o.Err.Code {
			return string(o.Err.Code) + " with another call"
		}
		return string(o.Err.Code)
	case call.Wait:
		return "that it waits"
	}
	return "nothing"
}
