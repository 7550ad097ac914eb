package check

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// notified checks that every watcher received exactly the notifications that the table gives for the stored
// transitions, and none before its transition was stored.
//
// A watcher may have missed notifications while it was disconnected. The other watchers show when a
// notification was published, if they were connected. If no watcher received it, the possible interval begins
// when the transition was stored. It ends when the command was answered, because a coordinator notifies
// before it answers. Without an answer, it ends a bound after the repair of the last fault.
//
// An invitation is published again only while it is pending (ADR 0006). If a worker dies, the first publish
// may be lost, and the invitation may end before another worker takes over. The same holds if its ring time
// ends between the decision and the storage. If a watcher is excused from a notification, the call at the end
// must still show its content.
func notified(r *run, v *verdict) {
	facts := r.facts()
	for _, t := range r.Notifications {
		if v.count("received", 1); t.Watcher >= 0 && t.Watcher < len(r.gaps) {
			r.match(facts, t, v)
		}
	}
	for _, s := range r.stories {
		for _, f := range s.facts {
			for w := range r.gaps {
				v.looked()
				r.checkReceipt(f, w, v)
			}
		}
	}
}

// fact is a notification that must be published.
type fact struct {
	events.Notice

	story    *story
	step     *step
	received []int64 // for each watcher, the time of the first receipt; 0: never
}

// factKey identifies a fact. Notification ids are unique per receiver.
type factKey struct{ app, to, id string }

// slow is the maximum delivery time of a notification to a watcher without a gap.
const slow = 5 * time.Second

func (r *run) facts() map[factKey]*fact {
	all := map[factKey]*fact{}
	for _, s := range r.stories {
		s.facts = nil
		for _, st := range s.steps {
			for _, n := range call.Notify(st.Transition) {
				f := &fact{Notice: n, story: s, step: st, received: make([]int64, len(r.gaps))}
				key := factKey{s.app, events.Escape(n.To), n.ID}
				if all[key] == nil { // otherwise two transitions have the same seq
					all[key] = f
					s.facts = append(s.facts, f)
				}
			}
		}
	}
	return all
}

// match compares a received notification with the facts.
func (r *run) match(facts map[factKey]*fact, t record.Notification, v *verdict) {
	f := facts[factKey{t.App, t.To, t.ID}]
	switch {
	case f == nil:
		v.failApp(t.App, t.CallID, "%s; no stored transition has that notification%s", r.describeNotification(t), r.atSeq(t))
	case f.CallID != t.CallID || f.Seq != t.Seq || string(f.Event) != t.Event || f.UserID != t.UserID || f.Reason != t.Reason:
		v.failApp(t.App, t.CallID, "%s; want %s about %q, reason %q, of %s", r.describeNotification(t), f.Event, f.UserID, f.Reason, r.describe(f.step))
	case t.Sum != 0 && t.Sum != record.Sum(f.Notification):
		v.failApp(t.App, t.CallID, "%s, with another body than the table has for %s", r.describeNotification(t), r.describe(f.step))
	case t.At < f.step.at:
		v.failApp(t.App, t.CallID, "%s, before it was stored: %s", r.describeNotification(t), r.describe(f.step))
	default:
		if f.received[t.Watcher] == 0 {
			f.received[t.Watcher] = t.At
		}
	}
}

func (r *run) describeNotification(t record.Notification) string {
	return fmt.Sprintf("watcher %d received at %s: to %s, %s (%s) about %q, reason %q", t.Watcher, r.when(t.At), t.To, t.Event, t.ID,
		t.UserID, t.Reason)
}

// atSeq describes what is stored with the seq of an unexpected notification.
func (r *run) atSeq(t record.Notification) string {
	s := r.byCall[callID{t.App, t.CallID}]
	if s == nil || s.bySeq[t.Seq] == nil {
		return ": the call has no such seq"
	}
	return ": there is " + r.describe(s.bySeq[t.Seq])
}

// checkReceipt checks that the watcher received the fact, or may have missed it.
func (r *run) checkReceipt(f *fact, w int, v *verdict) {
	if f.received[w] != 0 {
		return
	}
	why, exempt := r.whyMissed(f, w)
	switch {
	case !exempt:
		until := r.publishedBy(f.story, f.step)
		v.fail(f.story, "watcher %d never received: to %s, %s (%s) of %s; %s; %s", w, f.To, f.Event, f.ID, r.describe(f.step), why,
			r.broken(f.step.at, min(until, f.step.at+int64(r.bounds.Handled))))
	case !inEnd(f):
		v.fail(f.story, "watcher %d may have missed: to %s, %s (%s) of %s, and the call at the end, seq %d, does not show it", w, f.To,
			f.Event, f.ID, r.describe(f.step), f.story.newest().Seq)
	default:
		v.exempt(why)
	}
}

// whyMissed explains why a watcher may have missed a fact, or why it must have received it.
func (r *run) whyMissed(f *fact, w int) (why string, exempt bool) {
	receipts := r.receiptsOf(f)
	for _, at := range receipts {
		if !r.missed(w, at-int64(slow), at+int64(slow)) {
			return "it was sent at " + r.when(at) + ", when the watcher missed nothing", false
		}
	}
	until := r.publishedBy(f.story, f.step)
	switch {
	case len(receipts) > 0:
		return "sent while the watcher was disconnected", true
	case r.missed(w, f.step.at, until+int64(slow)):
		return "may have been sent while the watcher was disconnected", true
	case f.Event == events.IncomingCallReceived && f.missedByAll() && r.overSoon(f):
		return "an invitation that ended before it was sent again", true
	case f.Event == events.IncomingCallReceived && f.missedByAll() && f.step.Call.Callee(f.To).RingDeadline.Time().UnixNano() <= until:
		return "an invitation that may have been stored after its ring time", true
	}
	return "it was sent by " + r.when(until) + " at the latest, and the watcher missed nothing until then", false
}

// receiptsOf lists when the fact was received by watchers without a gap around that time.
func (r *run) receiptsOf(f *fact) []int64 {
	var list []int64
	for w, at := range f.received {
		if at != 0 && !r.missed(w, at-int64(slow), at+int64(slow)) {
			list = append(list, at)
		}
	}
	return list
}

// missedByAll reports whether no watcher received the fact.
func (f *fact) missedByAll() bool {
	return !slices.ContainsFunc(f.received, func(at int64) bool { return at != 0 })
}

// publishedBy returns the time by which a transition's notifications were published at least once, unless they
// were lost. Before a remembered command is answered with ok, the notifications of its transition are
// published. Calls do not remember rings. The notifications of a ring were published once all its messages
// were answered, because one of them made the transition.
func (r *run) publishedBy(s *story, st *step) int64 {
	latest := max(st.at, r.Run.Healed) + int64(r.bounds.Notified)
	if st.made == nil || len(st.made.messages) == 0 { // a deadline: if the worker died during it, another takes over soon
		return min(latest, r.quiet(st.at, r.bounds.Handled)+int64(r.bounds.Handled))
	}
	all := st.at
	for _, m := range r.alike(st.made) {
		if a := m.first(); a == nil {
			all = never
		} else {
			all = max(all, a.at)
		}
		for _, a := range m.said() {
			if a.OK && a.Call != nil && a.Call.CallID == s.call && a.Call.Seq >= st.Seq && remembersAt(s, a.Call.Seq, st.made) {
				latest = min(latest, a.at)
			}
		}
	}
	return min(latest, all)
}

func remembersAt(s *story, seq int, c *command) bool {
	st := s.bySeq[seq]
	return st != nil && remembers(st.Transition, c)
}

// overSoon reports whether an invitation ended before another worker surely published it again, in place of a
// worker that died. Without a fault it returns false.
func (r *run) overSoon(f *fact) bool {
	again := r.quiet(f.step.at, r.bounds.Handled)
	if again == f.step.at {
		return false
	}
	x := f.step.Call.Callee(f.To)
	for _, st := range f.story.steps[f.step.index:] {
		now := st.Call.Callee(f.To)
		if now == nil || !now.Pending() || now.Attempt != x.Attempt {
			return st.at <= again+int64(r.bounds.Handled)
		}
	}
	return false
}

// inEnd reports whether the call at the end shows the fact, or has moved past it.
func inEnd(f *fact) bool {
	end := f.story.newest().Call
	if f.UserID == "" {
		return end.State == events.CallStateEnded && (f.Event != events.CallEnded || string(end.EndReason) == f.Reason)
	}
	then, now := f.step.Call.Callee(f.UserID), end.Callee(f.UserID)
	switch {
	case then == nil: // about the caller, who was in if they took the call, and never comes back
		return !over(f.step.Call.Caller.State) || over(end.Caller.State)
	case now == nil:
		return false
	case now.Attempt != then.Attempt:
		return now.Attempt > then.Attempt
	}
	return now.State == then.State && now.Reason == then.Reason || !over(then.State)
}

// over reports whether a callee's state is final for the attempt.
func over(s events.PartyState) bool {
	switch s {
	case events.StateIn, events.StateInvited, events.StateRinging, events.StateAccepted:
		return false
	case events.StateLeft, events.StateDeclined, events.StateBusy, events.StateCanceled, events.StateTimedOut:
	}
	return true
}
