package main

import (
	"cmp"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// jump is the way of a device from one version of a call to another.
type jump struct {
	frame
	*client
	from   int
	view   events.Call // as the user sees the newer version
	own    course      // the user's own
	before course      // the same at the older version
	here   bool        // this device is the one that the user is in with, or was
	told   []told
}

// told is a notification to this user, with its transition.
type told struct {
	events.Notification
	t events.Transition
}

// course is what became of one party by a certain transition.
type course struct {
	attempt int
	since   int // the sequence on which the newest attempt began
	state   events.PartyState
	changed int    // the sequence on which it got this state
	device  string // of whoever called or accepted
}

func (o course) pending() bool {
	return o.state == events.StateInvited || o.state == events.StateRinging
}
func (o course) in() bool { return o.state == events.StateIn || o.state == events.StateAccepted }

func (c *client) jump(f frame, from int) jump {
	j := jump{
		frame: f, client: c, from: from, view: f.call.at(f.seq).Call.For(c.user),
		own: f.call.course(c.user, f.seq), before: f.call.course(c.user, from),
	}
	wasIn := j.own.in() || j.own.state == events.StateLeft
	j.here = wasIn && (j.own.device == c.device || c.mistake == everyDevice)
	for seq := from + 1; seq <= f.seq; seq++ {
		t := f.call.at(seq)
		for _, n := range call.Notify(t) {
			if n.To == c.user {
				j.told = append(j.told, told{n.Notification, t})
			}
		}
	}
	return j
}

// course follows one party through the transitions up to seq.
func (h *history) course(user string, seq int) (o course) {
	for _, t := range h.log[:seq] {
		for _, ch := range t.Changes {
			if ch.UserID != user {
				continue
			}
			if ch.Attempt != o.attempt || o.since == 0 {
				o = course{attempt: ch.Attempt, since: t.Seq}
			}
			o.state, o.changed = ch.To, t.Seq
			if o.in() || ch.Attempt == 0 && t.Seq == 1 {
				o.device = t.By.DeviceID
			}
		}
	}
	return o
}

// ofCaller says whether the user is the caller.
func (j jump) ofCaller() bool { return j.own.attempt == 0 }

// unclear says that the user was out and in again within the jump, with somebody waiting whom he had invited: what
// happened to that one while he was out is told to nobody, but can't be told apart by whoever sees both ends.
func (j jump) unclear() bool {
	invites := slices.ContainsFunc(j.view.Callees, func(x events.Callee) bool { return x.InvitedBy == j.user })
	return j.here && invites && j.own.attempt > 1 && j.before.attempt != j.own.attempt
}

// facts are what became of those whom the user waits for, one each, in the order of the callees.
func (j jump) facts() []callback {
	type fact struct {
		place int
		callback
	}
	var list []fact
	for _, n := range j.told {
		name := outgoingName(n.Event)
		if name == "" || !j.counts(n) {
			continue
		}
		i := slices.IndexFunc(j.view.Callees, func(x events.Callee) bool { return x.UserID == n.UserID })
		x := j.view.Callees[i]
		data := j.view.DataOf(x)
		if j.mistake == dataOfFrame {
			data = j.call.at(j.seq).CustomData
		}
		list = append(list, fact{i, outgoing(name, j.view, x, data)})
	}
	if j.mistake == hearsAfterLeaving && j.own.state == events.StateLeft {
		return j.afterLeaving()
	}
	slices.SortStableFunc(list, func(a, b fact) int { return cmp.Compare(a.place, b.place) })
	var calls []callback
	for _, f := range list {
		calls = append(calls, f.callback)
	}
	return calls
}

// counts says whether what was told of a callee still counts: it is of his newest attempt, he was not ringing
// only to go on to something else, and he came to where he is before the user was out.
func (j jump) counts(n told) bool {
	now, then := j.call.course(n.UserID, j.seq), j.call.course(n.UserID, n.t.Seq)
	switch {
	case now.attempt != then.attempt:
		return j.mistake == replaysSuperseded
	case n.Event == events.OutgoingCallRinging && now.changed > n.t.Seq:
		return j.mistake == ringsOvertaken
	}
	return j.own.in() || now.changed <= j.own.changed
}

func outgoingName(k events.Kind) string {
	return map[events.Kind]string{
		events.OutgoingCallAccepted: outgoingAccepted, events.OutgoingCallRejectedCauseBusy: outgoingBusy,
		events.OutgoingCallDeclined: outgoingDeclined, events.OutgoingCallTimeout: outgoingTimeout,
		events.OutgoingCallRinging: outgoingRinging,
	}[k]
}

// closing maps what is told of the user himself, or of the end.
func (j jump) closing(n told) []callback {
	elsewhere := n.By.DeviceID != j.device || j.mistake == alwaysElsewhere
	switch {
	case n.Event == events.IncomingCallAnsweredElsewhere && elsewhere:
		return []callback{incoming(answeredElsewhere, j.view), ended(j.view, endAnsweredElsewhere, &n.By)}
	case n.Event == events.IncomingCallDeclinedElsewhere && elsewhere:
		return []callback{incoming(declinedElsewhere, j.view), ended(j.view, endDeclinedElsewhere, &n.By)}
	case n.Event == events.IncomingCallCanceled:
		return []callback{incoming(incomingCanceled, j.view, j.canceledWith(n))}
	case n.Event == events.IncomingCallTimeout:
		return []callback{incoming(incomingTimeout, j.view)}
	case n.Event == events.CallEnded:
		return []callback{ended(j.view, n.Reason, j.by(n))}
	}
	return nil
}

// canceledWith is the custom data of the cancel, or of what ended the call under the invitation.
func (j jump) canceledWith(n told) string {
	own := j.view.DataOf(*j.view.Callee(j.user))
	if own != n.CustomData {
		j.met[withdrawn]++
	}
	if j.mistake == dataOfEntry {
		return own
	}
	return n.CustomData
}

// by is who ended it, as far as the device can know.
func (j jump) by(n told) *events.By {
	by := n.By
	goesOn := n.t.Call.State != events.CallStateEnded
	switch {
	case j.kind == push && n.t.Seq == j.seq, !goesOn:
	case n.Reason == string(events.ReasonLeft):
		by = events.By{Kind: events.ByUser, UserID: j.user}
	case n.Reason == string(events.ReasonCanceled):
		return nil
	}
	return &by
}

// untold ends a call whose newest attempt came to nothing at once, of which nobody tells the callee.
func (j jump) untold() []callback {
	if j.own.state == events.StateTimedOut {
		by := events.By{Kind: events.ByTimer}
		return []callback{incoming(incomingTimeout, j.view), ended(j.view, string(events.ReasonTimedOut), &by)}
	}
	return []callback{ended(j.view, string(events.ReasonBusy), nil)}
}
