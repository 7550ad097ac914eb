package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// Deadline is a time at which an expire command is due for the call. Seq is the sequence of the transition that created the
// deadline, and identifies it.
type Deadline struct {
	Seq int
	At  events.Time
}

// Deadlines lists the deadlines of the call whose newest transition is t. There is one for each invite or add that made a
// pending attempt. After the first answer there is also the maximum duration.
func Deadlines(t events.Transition) []Deadline {
	var list []Deadline
	if t.Seq == 0 || t.Call.State == events.CallStateEnded {
		return list
	}
	for _, x := range t.Call.Callees {
		if !x.Pending() {
			continue
		}
		due := Deadline{Seq: maker(t.Commands, x.UserID), At: x.RingDeadline}
		if !slices.Contains(list, due) {
			list = append(list, due)
		}
	}
	if first := firstAccept(t.Commands); first > 0 {
		list = append(list, Deadline{Seq: first, At: t.Call.ExpiresAt})
	}
	return list
}

// DeadlineFor returns the deadline that transition seq created, if the call, whose newest transition is t, still has it.
func DeadlineFor(t events.Transition, seq int) (Deadline, bool) {
	list := Deadlines(t)
	if i := slices.IndexFunc(list, func(d Deadline) bool { return d.Seq == seq }); i >= 0 {
		return list[i], true
	}
	return Deadline{}, false
}

// DeadlinesRemoved lists the sequences of the deadlines that the call had before and no longer has after.
func DeadlinesRemoved(before, after events.Transition) []int {
	var gone []int
	for _, d := range Deadlines(before) {
		if _, waits := DeadlineFor(after, d.Seq); !waits {
			gone = append(gone, d.Seq)
		}
	}
	return gone
}
