package check

import (
	"cmp"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// claims checks that every user reported as busy was busy. Between the invitation and its transition, the
// user was in as many other calls as a line holds. It also checks that every merged call met a call that
// crossed it. A coordinator evaluates the entries of a line one after another. So it is enough that the user
// was in each of those calls at some time in the interval.
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

// stay is the longest possible time of a user in a call.
type stay struct {
	span

	call string
}

// stays lists the stays of each user, by app and user.
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

// asked returns when the command of the transition was first sent. A coordinator need not check again what it
// found full at that time.
func (s *story) asked(st *step) int64 {
	from := nanos(st.time)
	for _, m := range s.messages {
		if m.command.same(st.made) {
			from = min(from, m.At)
		}
	}
	return from
}

// met checks the call that a merged invitation met: it must exist, with the caller of the merged invitation
// as a pending callee.
func (r *run) met(s *story, st *step, v *verdict) {
	v.looked()
	v.count("merged", 1)
	g := call.Merged(st.Transition)
	first := r.byCall[callID{s.app, g.CallID}]
	for k := 1; first != nil && k <= len(first.steps); k++ {
		found := call.FindGlare(st.made.Command, first.state(k).Call)
		if found != nil && *found == *g && first.within(k, nanos(st.time), st.at) {
			return
		}
	}
	v.fail(s, "%s was merged into call %s, attempt %d, which did not cross it between %s, when it was sent, and then; %s", r.describe(st), g.CallID,
		g.Attempt, r.when(nanos(st.time)), r.broken(nanos(st.time), st.at))
}
