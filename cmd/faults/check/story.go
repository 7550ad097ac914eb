package check

import (
	"fmt"
	"math"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// story is what is known of a call: its stored transitions in the order of the stream, and the messages for it.
type story struct {
	app, call string
	steps     []*step
	messages  []*message
	joins     []*message  // with invitations to other calls, merged into this one
	merged    *call.Glare // what the invitation of this call met; nil if it met nothing

	bySeq map[int]*step // the first with this seq
	facts []*fact       // what is told of it
}

// step is a stored transition. The call was at it from some moment between at and seen.
type step struct {
	events.Transition

	index  int // in its story, from 1
	time   events.Time
	at     int64 // when the broker stored it
	seen   int64 // by then it was stored, as something shows it; never if nothing does
	stream uint64
	data   string
	plain  plain // what data says, read by hand
	isRead bool

	made    *command // that it follows from; nil if worker/call makes it of none
	problem string   // why it does not follow
}

const never = math.MaxInt64

// newest is the call at the end.
func (s *story) newest() events.Transition { return s.state(len(s.steps)) }

// state is the call after so many transitions.
func (s *story) state(k int) events.Transition {
	if k == 0 {
		return events.Transition{}
	}
	return s.steps[k-1].Transition
}

// from is the earliest moment at which the call can have been at its kth transition, until the latest.
func (s *story) from(k int) int64 {
	if k == 0 {
		return 0
	}
	return s.steps[k-1].at
}

func (s *story) until(k int) int64 {
	if k == len(s.steps) {
		return never
	}
	return s.steps[k].seen
}

// within says whether the call can have been at its kth transition some time between these two.
func (s *story) within(k int, from, to int64) bool { return s.from(k) <= to && s.until(k) >= from }

// open and close enclose what shows that transitions were stored.
func (s *story) open() {
	s.bySeq = map[int]*step{}
	for i, st := range s.steps {
		st.seen = never
		if i+1 < len(s.steps) { // whoever wrote the next one had read this one
			st.seen = s.steps[i+1].at
		}
		if s.bySeq[st.Seq] == nil {
			s.bySeq[st.Seq] = st
		}
	}
}

func (s *story) shown(seq int, at int64) {
	if st := s.bySeq[seq]; st != nil {
		st.seen = min(st.seen, at)
	}
}

func (s *story) close() {
	for i, st := range slices.Backward(s.steps) {
		if i+1 < len(s.steps) {
			st.seen = min(st.seen, s.steps[i+1].seen)
		}
		st.seen = max(st.seen, st.at) // what was shown before it was stored is found elsewhere
	}
}

// describe names a transition.
func (r *run) describe(st *step) string {
	who := "timer"
	switch st.By.Kind {
	case events.ByUser:
		who = st.By.UserID
	case events.ByService:
		who = st.By.Service
	case events.ByTimer:
	}
	return fmt.Sprintf("seq %d (%s by %s with command %s, stored at %s)", st.Seq, st.Event, who, st.CommandID, r.when(st.at))
}
