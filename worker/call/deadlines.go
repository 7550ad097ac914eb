package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// Deadline is a time at which an expire command is due for the call.
type Deadline struct {
	events.DeadlineID

	At events.Time
}

// Deadlines lists the deadlines of the call whose newest transition is t. There is one for each invite or add that made a
// pending attempt, and one of kind reach while no device has confirmed one of these attempts. After the first answer there is
// also the maximum duration.
func Deadlines(t events.Transition) []Deadline {
	var list []Deadline
	if t.Seq == 0 || t.Call.State == events.CallStateEnded {
		return list
	}
	add := func(seq int, kind events.DeadlineKind, at events.Time) {
		if due := (Deadline{events.DeadlineID{Seq: seq, Kind: kind}, at}); !slices.Contains(list, due) {
			list = append(list, due)
		}
	}
	for _, x := range t.Call.Callees {
		if !x.Pending() {
			continue
		}
		seq := maker(t.Commands, x.UserID)
		if x.Unconfirmed() && x.ReachDeadline != 0 {
			add(seq, events.DeadlineReach, x.ReachDeadline)
		}
		add(seq, "", x.RingDeadline)
	}
	if first := firstAccept(t.Commands); first > 0 {
		add(first, "", t.Call.ExpiresAt)
	}
	return list
}

// DeadlinesMade lists the deadlines that transition seq created and that the call, whose newest transition is t, still has.
func DeadlinesMade(t events.Transition, seq int) []Deadline {
	return slices.DeleteFunc(Deadlines(t), func(d Deadline) bool { return d.Seq != seq })
}

// DeadlinesRemoved lists the deadlines that the call had before and no longer has after.
func DeadlinesRemoved(before, after events.Transition) []events.DeadlineID {
	var gone []events.DeadlineID
	now := Deadlines(after)
	for _, d := range Deadlines(before) {
		if !slices.ContainsFunc(now, func(n Deadline) bool { return n.DeadlineID == d.DeadlineID }) {
			gone = append(gone, d.DeadlineID)
		}
	}
	return gone
}
