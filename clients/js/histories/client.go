package main

import (
	"slices"

	"ringline.io/ringline/events"
)

// client is the reference: the callbacks that a device of a user must make. It does not compare calls. It has the
// transitions, and for each call the version that the device knows. The callbacks of a step come from what Notify sends
// to this user for the transitions in between, mapped and filtered by the rules in the README in testdata/histories.
type client struct {
	user, device string
	known        map[string]int
	shown        []*history // the calls that are live here, in order of arrival
	open         bool       // it has received a snapshot
	unclear      bool       // it made a jump for which the rules define no outcome
	met          counts     // rare cases that occurred
	mistake      mistake    // planted by a test
}

// frame is what a step carries about one call: the version in it.
type frame struct {
	kind    frameKind
	call    *history
	seq     int
	rings   bool // there is ring time left, according to the frame
	first   bool // it is in the first snapshot
	listed  []frame
	showing []string
}

type frameKind int

const (
	push frameKind = iota
	inSnapshot
	inAnswer
	wholeSnapshot // of several calls
)

// take returns the callbacks that a step must make.
func (c *client) take(f frame) []callback {
	if f.kind == wholeSnapshot {
		return c.snapshot(f)
	}
	return c.move(f)
}

// snapshot ends calls first: those that the client showed and the snapshot lacks, and those that ended meanwhile.
func (c *client) snapshot(f frame) []callback {
	var over, rest []callback
	asked := f.showing
	if c.mistake == endsUnasked {
		asked = c.showing()
	}
	for _, id := range asked {
		if !slices.ContainsFunc(f.listed, func(l frame) bool { return l.call.id == id }) && c.mistake != keepsMissing {
			over = append(over, c.missing(id)...)
		}
	}
	first := !c.open
	c.open = true
	for _, l := range f.listed {
		l.first = first
		ends, others := split(c.move(l))
		over, rest = append(over, ends...), append(rest, others...)
	}
	return append(over, rest...)
}

// split separates the callbacks up to the last end from those after it.
func split(list []callback) (ends, rest []callback) {
	for i := len(list); i > 0; i-- {
		if list[i-1].Name == callEnded {
			return list[:i], list[i:]
		}
	}
	return nil, list
}

// missing ends a call that the server no longer knows.
func (c *client) missing(id string) []callback {
	i := slices.IndexFunc(c.shown, func(h *history) bool { return h.id == id })
	if i < 0 {
		return nil
	}
	h := c.shown[i]
	c.hide(h)
	seen := h.at(c.known[id]).Call
	reason := events.EndCompleted
	if seen.State == events.CallStateRinging {
		reason = events.EndTimedOut
	}
	return []callback{ended(seen, string(reason), nil)}
}

// move takes the device from the version of a call that it knows to a newer one.
func (c *client) move(f frame) []callback {
	from := c.known[f.call.id]
	if f.seq <= from && c.mistake != goesBack || f.seq == 0 {
		return nil
	}
	c.known[f.call.id] = f.seq
	j := c.jump(f, from)
	c.unclear = c.unclear || j.unclear()
	c.meets(j)
	if c.mistake == forgetsOldAttempt && j.before.attempt != j.own.attempt {
		c.hide(f.call)
	}
	return append(c.leftBetween(j), c.newest(j)...)
}

// leftBetween ends the call here if this user was in it here, left, and was invited again, all within the jump.
func (c *client) leftBetween(j jump) []callback {
	wasIn := c.shows(j.call) && j.before.in() && j.before.device == c.device
	if !wasIn || j.before.attempt == j.own.attempt || c.mistake == forgetsEnd {
		return nil
	}
	c.hide(j.call)
	return []callback{ended(j.view, string(events.ReasonLeft), &events.By{Kind: events.ByUser, UserID: c.user})}
}

// newest takes the device to the newest attempt.
func (c *client) newest(j jump) []callback {
	f, from := j.frame, j.from
	switch {
	case endedAtCreation(f.call.at(f.seq).Call):
		return nil
	case j.own.pending():
		return c.rings(j)
	case j.own.in() && j.here:
		list := append(j.facts(), j.starts()...)
		c.show(f.call)
		return list
	case j.here && (c.shows(f.call) || j.ofCaller() && from == 0 && c.mistake != dropsOwnOver):
		return append(j.facts(), c.over(j)...)
	case !j.here && c.shows(f.call):
		return c.over(j)
	}
	return nil
}

// rings shows an attempt if it begins in this jump.
func (c *client) rings(j jump) []callback {
	begins := slices.ContainsFunc(j.notifications, func(n notified) bool {
		return n.Event == events.IncomingCallReceived && n.t.Seq == j.own.since
	})
	if c.mistake == showsTwice {
		begins = true
	}
	if begins && !j.frame.rings {
		c.met[expiredAttempt]++
	}
	if c.mistake == ignoresRingInAnswer && j.kind == inAnswer {
		return nil
	}
	if !begins || !j.frame.rings && c.mistake != ringsTooLate {
		return nil
	}
	c.show(j.call)
	return received(j.view, *j.view.Callee(c.user))
}

// over ends the call here, with the notifications about the newest attempt up to the end.
func (c *client) over(j jump) []callback {
	c.hide(j.call)
	var list []callback
	for _, n := range j.notifications {
		if n.t.Seq < j.own.since {
			continue
		}
		list = append(list, j.closing(n)...)
		if k := len(list); k > 0 && list[k-1].Name == callEnded {
			return list
		}
	}
	c.met[endWithoutNotification]++
	return j.withoutNotification()
}

func (c *client) shows(h *history) bool { return slices.Contains(c.shown, h) }

func (c *client) show(h *history) {
	if !c.shows(h) {
		c.shown = append(c.shown, h)
	}
}

func (c *client) hide(h *history) {
	if c.mistake != endsTwice {
		c.shown = slices.DeleteFunc(c.shown, func(x *history) bool { return x == h })
	}
}

// showing lists the ids of the shown calls.
func (c *client) showing() []string {
	list := make([]string, len(c.shown))
	for i, h := range c.shown {
		list[i] = h.id
	}
	return list
}

// endedAtCreation reports whether the call ended as it was created, so that no device ever shows it.
func endedAtCreation(c events.Call) bool {
	return slices.Contains([]events.EndReason{events.EndCallerBusy, events.EndMerged, events.EndFailed}, c.EndReason)
}
