package check

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// run is the record, arranged by calls.
type run struct {
	*record.History

	bounds   Bounds
	limits   call.Limits
	messages []*message
	answers  map[int]*message         // by number
	commands map[commandID][]*command // every command that has this id, whatever call it is for
	stories  []*story                 // in the order in which they are first heard of
	byCall   map[callID]*story
	garbage  []record.Stored // what stands among the calls and is no transition
	gaps     [][]span        // by watcher
	faults   []span
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

// limitsOf are those of every app in the run.
func limitsOf(r record.Run) call.Limits {
	l := call.DefaultLimits()
	if r.Capacity > 0 {
		l.Capacity = r.Capacity
	}
	if r.MaxDurationS > 0 {
		l.MaxDuration = time.Duration(r.MaxDurationS) * time.Second
	}
	return l
}

// story gives what is known of a call; it begins it where nothing is yet.
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
			r.garbage = append(r.garbage, m)
			continue
		}
		t, at, err := events.ReadTransition(app, id, []byte(m.Data))
		if err != nil {
			r.garbage = append(r.garbage, m)
			continue
		}
		s := r.story(app, id)
		st := &step{Transition: t, time: at, at: m.At, stream: m.Seq, data: m.Data, index: len(s.steps) + 1}
		st.readByHand()
		s.steps = append(s.steps, st)
	}
}

// evidence works out until when each transition must have been stored: the first thing that shows it.
func (r *run) evidence() {
	for _, s := range r.stories {
		s.open()
	}
	for _, t := range r.Told {
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

// each looks at every call, several at a time, in an order of its own; what is found is in the order of the calls.
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

// when is a time of the record as people compare it: since the run began.
func (r *run) when(ns int64) string {
	return fmt.Sprintf("%.1f ms", float64(ns-r.Run.Began)/float64(time.Millisecond))
}

// moment is a time of an event, in whole milliseconds, as the record has it.
func moment(t events.Time) int64 { return int64(t) * int64(time.Millisecond) }

// timeOf is a time of the record as the rest of Ringline has it.
func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
