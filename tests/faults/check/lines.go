package check

import (
	"slices"
	"strings"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// lines checks that at rest each user's line holds exactly the calls that the user is in. There is one
// exemption. A worker that was paused or cut off during its claims may claim a line for a call that ended
// meanwhile. Then the worker dies, or another worker handles its command. The entry it leaves is dead: it
// holds nothing, and the next claim takes it over. A dead entry is exempt under two conditions: the line was
// written after the call ended for the user, and a fault was active since the claim began.
func lines(r *run, v *verdict) {
	users, held := r.keys(), map[string][]string{}
	for _, l := range r.Rest.Lines {
		app, _, _ := strings.Cut(l.Key, ".")
		entries, err := events.ReadLine([]byte(l.Data))
		if err != nil {
			v.failApp(app, "", "line %s: %v: %.200s", l.Key, err, l.Data)
		}
		for _, e := range entries {
			v.looked()
			held[l.Key] = append(held[l.Key], e.CallID)
			r.holds(app, l, users[l.Key], e, v)
		}
	}
	r.held(held, v)
}

// keys maps the key of every possible line to its user.
func (r *run) keys() map[string]string {
	users := map[string]string{}
	add := func(app, user string) {
		if user != "" {
			users[events.LineKey(app, user)] = user
		}
	}
	for _, m := range r.messages {
		if m.command != nil {
			add(m.App, m.command.UserID)
			for _, p := range m.command.Callees {
				add(m.App, p.UserID)
			}
		}
	}
	return users
}

// holds checks that an entry of a line belongs to a call that the user is in.
func (r *run) holds(app string, l record.Line, user string, e events.Entry, v *verdict) {
	s := r.byCall[callID{app, e.CallID}]
	switch {
	case user == "":
		v.failApp(app, e.CallID, "line %s belongs to no user of the run", l.Key)
	case s == nil || len(s.steps) == 0:
		v.failApp(app, e.CallID, "the line of %s has a call that does not exist: %+v", user, e)
	case s.newest().Call.On(user):
	case r.leftBehind(s, l, user, e):
		v.exempt("a dead entry of a stalled worker")
	default:
		state := "an uncommitted claim"
		if e.State(user, s.newest().Call) == events.EntryDead {
			state = "a dead entry, which the next claim removes"
		}
		v.fail(s, "the line of %s, written at %s, has a call that the user is not in: %s, claimed on seq %d at %s; the call is %s with %s; %s", user,
			r.when(l.At), state, e.Seq, r.when(nanos(e.At)), s.newest().Call.State, r.describe(s.steps[len(s.steps)-1]),
			r.broken(nanos(e.At), max(l.At, nanos(e.At))))
	}
}

// leftBehind reports whether a dead entry was written by a worker that did not know of the end of the call.
func (r *run) leftBehind(s *story, l record.Line, user string, e events.Entry) bool {
	if e.State(user, s.newest().Call) != events.EntryDead {
		return false
	}
	out := len(s.steps) // the first transition after which the user is not in the call, and the entry is dead
	for out > 1 && !s.state(out-1).Call.On(user) && s.state(out-1).Seq > e.Seq {
		out--
	}
	return l.At > s.from(out) && !r.calm(nanos(e.At), l.At)
}

// held checks that the line of each user in a call holds that call.
func (r *run) held(held map[string][]string, v *verdict) {
	for _, s := range r.stories {
		c := s.newest().Call
		if c.State == events.CallStateEnded {
			continue
		}
		for user := range parties(c) {
			if !c.On(user) {
				continue
			}
			if v.looked(); !slices.Contains(held[events.LineKey(s.app, user)], s.call) {
				v.fail(s, "%s is in the call at the end, seq %d, but the line has %v", user, c.Seq, held[events.LineKey(s.app, user)])
			}
		}
	}
}
