package main

import (
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// device is one device of a user.
type device struct{ user, id string }

// item is a frame on its way to a device. origin is the number of the happening that it reports.
type item struct {
	origin int
	step   step
	frame  frame
}

// feed lists in order what a device receives about everything from happening first on.
func (w *world) feed(d device, first int) []item {
	var list []item
	for i := first; i < len(w.past); i++ {
		h := w.past[i]
		sent := h.at.Add(time.Duration(3+w.r.IntN(40)) * time.Millisecond)
		if h.notifies > 0 {
			list = append(list, pushes(d, i, h, sent)...)
		}
		if a := h.answer; a != nil && a.user == d.user && a.device == d.id {
			list = append(list, answers(i, a))
		}
	}
	return list
}

// pushes returns what Notify sends to the user of a device.
func pushes(d device, origin int, h happening, sent time.Time) []item {
	var list []item
	for _, n := range call.Notify(h.call.at(h.notifies)) {
		if n.To != d.user {
			continue
		}
		body := n.Stamped(sent)
		f := frame{kind: push, call: h.call, seq: n.Seq, rings: rings(body.RingRemainingMS)}
		if body.Call.IsZero() {
			f.seq = 0 // it carries no call
		}
		list = append(list, item{origin: origin, step: step{Push: &body}, frame: f})
	}
	return list
}

func rings(remaining *int64) bool { return remaining != nil && *remaining > 0 }

func answers(origin int, a *answered) item {
	return item{
		origin: origin, step: step{Answer: &answer{a.verb, a.answer}},
		frame: frame{kind: inAnswer, call: a.call, seq: a.seq, rings: true},
	}
}

// snapshot is the snapshot that a session of the device gets if it opens right after a happening (-1: before all). It
// contains the calls on the user's line, and those that the client shows and the server still knows.
func (w *world) snapshot(d device, origin int, showing []string) item {
	now := w.between(origin)
	body := &snapshot{ServerTime: events.TimeOf(now), UserID: d.user, DeviceID: d.id, Calls: []snapshotCall{}}
	all := item{origin: origin, frame: frame{kind: wholeSnapshot, showing: showing}}
	for _, l := range w.listed(d.user, origin, now, showing) {
		c := l.call.at(l.seq).Call.For(d.user)
		remaining := events.RingRemaining(c, d.user, now)
		l.kind, l.rings = inSnapshot, rings(remaining)
		all.frame.listed = append(all.frame.listed, l)
		body.Calls = append(body.Calls, snapshotCall{c, remaining})
	}
	all.step = step{Snapshot: body, Showing: slices.Clone(showing)}
	return all
}

// between returns a time after a happening and before the next one, closer to the next one.
func (w *world) between(origin int) time.Time {
	from, to := begins(), w.now
	if origin >= 0 {
		from = w.past[origin].at
	}
	if origin+1 < len(w.past) {
		to = w.past[origin+1].at
	}
	part := max(w.r.Float64(), w.r.Float64())
	return from.Add(time.Duration(part * float64(to.Sub(from)))).Truncate(time.Millisecond)
}

// listed returns the calls of a snapshot: first those on the line, then the other shown calls.
func (w *world) listed(user string, origin int, now time.Time, showing []string) []frame {
	var line, rest []frame
	if origin < 0 {
		return nil
	}
	for i, seq := range w.past[origin].seqs {
		h := w.calls[i]
		switch {
		case seq == 0 || now.Sub(h.written[seq-1]) > forgets:
		case h.at(seq).Call.On(user):
			line = append(line, frame{call: h, seq: seq})
		case slices.Contains(showing, h.id):
			rest = append(rest, frame{call: h, seq: seq})
		}
	}
	return append(line, rest...)
}
