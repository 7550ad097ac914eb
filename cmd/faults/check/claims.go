package check

import (
	"cmp"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// claims: who is called busy was: at some time between his invitation and its transition he was in as many other calls
// as a line holds. And a call that was merged met one that crossed it. The entries of a line are judged one after
// another, so it is enough that he was in each of those calls at a time of its own.
func claims(r *run, v *verdict) {
	on := r.stays()
	for _, s := range r.stories {
		for _, st := range s.steps {
			if st.made == nil {
				continue
			}
			for _, ch := range st.Changes {
				if ch.To == events.StateBusy && ch.Reason == events.ReasonLineBusy {
					r.wasBusy(on, s, st, ch.UserID, v)
				}
			}
			switch {
			case st.Event != events.EventInvited:
			case st.Call.EndReason == events.EndCallerBusy:
				r.wasBusy(on, s, st, st.Call.Caller.UserID, v)
			case st.Call.EndReason == events.EndMerged:
				r.met(s, st, v)
			}
		}
	}
}

// stay is how long somebody was in a call at most.
type stay struct {
	span

	call string
}

// stays lists by app and user in which calls he was when.
func (r *run) stays() map[callID][]stay {
	on := map[callID][]stay{}
	for _, s := range r.stories {
		begun := map[string]int64{}
		for i, st := range s.steps {
			for user := range parties(st.Call) {
				_, was := begun[user]
				switch is := st.Call.On(user); {
				case is && !was:
					begun[user] = st.at
				case !is && was:
					on[callID{s.app, user}] = append(on[callID{s.app, user}], stay{span{begun[user], s.until(i)}, s.call})
					delete(begun, user)
				}
			}
		}
		for user, from := range begun {
			on[callID{s.app, user}] = append(on[callID{s.app, user}], stay{span{from, never}, s.call})
		}
	}
	for _, list := range on {
		slices.SortFunc(list, func(a, b stay) int { return cmp.Compare(a.from, b.from) })
	}
	return on
}

func (r *run) wasBusy(on map[callID][]stay, s *story, st *step, user string, v *verdict) {
	v.looked()
	v.count("busy", 1)
	calls, from := map[string]bool{}, s.asked(st)
	for _, x := range on[callID{s.app, user}] {
		if x.call != s.call && x.meets(from, st.at) {
			calls[x.call] = true
		}
	}
	if len(calls) < r.limits.Capacity {
		v.fail(s, "%s is busy with %s, and was in %d other calls between %s, when it was first sent, and then; a line holds %d; %s", user,
			r.describe(st), len(calls), r.when(from), r.limits.Capacity, r.broken(from, st.at))
	}
}

// asked is when the command that made the transition was first sent: what was found full then need not be looked at again.
func (s *story) asked(st *step) int64 {
	from := moment(st.time)
	for _, m := range s.messages {
		if m.command.same(st.made) {
			from = min(from, m.At)
		}
	}
	return from
}

// met: the call that a merged invitation met was there, with its inviter pending.
func (r *run) met(s *story, st *step, v *verdict) {
	v.looked()
	v.count("merged", 1)
	g := call.Merged(st.Transition)
	first := r.byCall[callID{s.app, g.CallID}]
	for k := 1; first != nil && k <= len(first.steps); k++ {
		found := call.FindGlare(st.made.Command, first.state(k).Call)
		if found != nil && *found == *g && first.within(k, moment(st.time), st.at) {
			return
		}
	}
	v.fail(s, "%s was merged into call %s, attempt %d, which did not cross it between %s, when it was sent, and then; %s", r.describe(st), g.CallID,
		g.Attempt, r.when(moment(st.time)), r.broken(moment(st.time), st.at))
}
