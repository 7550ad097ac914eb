package check

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

// run is the history, grouped by call.
type run struct {
	*record.History

	bounds    Bounds
	limits    call.Limits
	messages  []*message
	answers   map[int]*message         // by message number
	commands  map[commandID][]*command // all commands with this id, of any call
	stories   []*story                 // in the order in which they first appear
	byCall    map[callID]*story
	malformed []record.Stored // messages in RINGLINE_CALLS that are no transitions
	gaps      [][]span        // by watcher
	faults    []span
}

type callID struct{ app, call string }

type commandID struct{ app, id string }

func read(h *record.History, b Bounds) *run {
	r := &run{
		History: h, bounds: b, limits: limitsOf(h.Run),
		answers: map[int]*message{}, commands: map[commandID][]*command{}, byCall: map[callID]*story{},
	}
	r.readTimes()
	r.readStored()
	r.readSent()
	r.readAnswers()
	r.evidence()
	r.each(&verdict{}, func(s *story, _ *verdict) { r.replay(s) })
	r.join()
	return r
}

// limitsOf returns the limits, which all apps of a run share.
func limitsOf(r record.Run) call.Limits {
	l := call.DefaultLimits()
	if r.Capacity > 0 {
		l.Capacity = r.Capacity
	}
	l.Reach = time.Duration(r.ReachS) * time.Second
	if r.MaxDurationS > 0 {
		l.MaxDuration = time.Duration(r.MaxDurationS) * time.Second
	}
	return l
}

// story returns the story of a call, and creates it if needed.
func (r *run) story(app, id string) *story {
	key := callID{app, id}
	s := r.byCall[key]
	if s == nil {
		s = &story{app: app, call: id}
		r.byCall[key] = s
		r.stories = append(r.stories, s)
	}
	return s
}

func (r *run) readStored() {
	for _, m := range r.Rest.Calls {
		app, id, ok := events.ParseTransitionSubject(m.Subject)
		if !ok {
			r.malformed = append(r.malformed, m)
			continue
		}
		t, at, err := events.ReadTransition(app, id, []byte(m.Data))
		if err != nil {
			r.malformed = append(r.malformed, m)
			continue
		}
		s := r.story(app, id)
		st := &step{Transition: t, time: at, at: m.At, stream: m.Seq, data: m.Data, index: len(s.steps) + 1}
		st.readByHand()
		s.steps = append(s.steps, st)
	}
}

// evidence computes for each transition the first time at which something shows it.
func (r *run) evidence() {
	for _, s := range r.stories {
		s.open()
	}
	for _, t := range r.Notifications {
		if s := r.byCall[callID{t.App, t.CallID}]; s != nil {
			s.shown(t.Seq, t.At)
		}
	}
	for _, m := range r.messages {
		for _, a := range m.answers {
			if a.Call == nil {
				continue
			}
			if s := r.byCall[callID{m.App, a.Call.CallID}]; s != nil {
				s.shown(a.Call.Seq, a.at)
			}
		}
	}
	for _, s := range r.stories {
		s.close()
	}
}

// each calls look for every call, concurrently and in no fixed order. The results are in the order of the
// calls.
func (r *run) each(v *verdict, look func(*story, *verdict)) {
	workers := max(1, min(runtime.NumCPU(), 4))
	parts := slices.Collect(slices.Chunk(r.stories, max(1, (len(r.stories)+4*workers-1)/(4*workers))))
	found := make([]*verdict, len(parts))
	room := make(chan struct{}, workers)
	var wg sync.WaitGroup
	for i, part := range parts {
		found[i] = &verdict{run: r, figure: Figure{Check: v.figure.Check}}
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			for _, s := range part {
				look(s, found[i])
			}
		})
	}
	wg.Wait()
	for _, f := range found {
		v.take(f)
	}
}

// when formats a time of the history as milliseconds since the run began.
func (r *run) when(ns int64) string {
	return fmt.Sprintf("%.1f ms", float64(ns-r.Run.Began)/float64(time.Millisecond))
}

// nanos converts a time of an event, in whole milliseconds, to nanoseconds.
func nanos(t events.Time) int64 { return int64(t) * int64(time.Millisecond) }

// timeOf converts nanoseconds to a time.
func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
