package check

import (
	"fmt"
	"math"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// story holds everything known about a call: its stored transitions in stream order, and its messages.
type story struct {
	app, call string
	steps     []*step
	messages  []*message
	joins     []*message  // messages with invitations to other calls, merged into this one
	merged    *call.Glare // the call that this call's invitation met; nil if it met none

	bySeq map[int]*step // the first with this seq
	facts []*fact       // the notifications of it
}

// step is a stored transition. It took effect at some time between at and seen.
type step struct {
	events.Transition

	index  int // in its story, from 1
	time   events.Time
	at     int64 // the broker's timestamp
	seen   int64 // time of the first evidence that it was stored; never if there is none
	stream uint64
	data   string
	plain  plain // data, decoded without worker/call
	isRead bool

	made    *command // the command that makes it; nil if worker/call makes it from none
	problem string   // why no command makes it
}

const never = math.MaxInt64

// newest returns the last transition.
func (s *story) newest() events.Transition { return s.state(len(s.steps)) }

// state returns the kth transition.
func (s *story) state(k int) events.Transition {
	if k == 0 {
		return events.Transition{}
	}
	return s.steps[k-1].Transition
}

// from and until return the earliest and the latest time at which the kth transition can have been the
// newest.
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

// within reports whether the kth transition can have been the newest at some time in this interval.
func (s *story) within(k int, from, to int64) bool { return s.from(k) <= to && s.until(k) >= from }

// open initializes the evidence of the transitions, and close completes it. shown adds evidence in between.
func (s *story) open() {
	s.bySeq = map[int]*step{}
	for i, st := range s.steps {
		st.seen = never
		if i+1 < len(s.steps) { // the writer of the next one had read this one
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
		st.seen = max(st.seen, st.at) // other checks find evidence from before the storage
	}
}

// describe describes a transition.
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
