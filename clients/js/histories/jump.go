package main

import (
	"cmp"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// jump is the step of a device from one version of a call to another.
type jump struct {
	frame
	*client
	from          int
	view          events.Call // as the user sees the newer version
	own           course      // the user's own
	before        course      // the same in the older version
	here          bool        // this device is or was the one that the user is in the call with
	notifications []notified
}

// notified is a notification to this user, with its transition.
type notified struct {
	events.Notification
	t events.Transition
}

// course is the state of one party after a certain transition.
type course struct {
	attempt int
	since   int // the sequence at which the newest attempt began
	state   events.PartyState
	changed int    // the sequence at which it got this state
	device  string // the caller's device, or the one that accepted
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
				j.notifications = append(j.notifications, notified{n.Notification, t})
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

// ofCaller reports whether the user is the caller.
func (j jump) ofCaller() bool { return j.own.attempt == 0 }

// unclear reports whether the user left and rejoined within the jump while a callee of theirs was waiting. The
// user receives no notification about what happens to that callee in between. The two versions of the call do not show
// whether it happened then.
func (j jump) unclear() bool {
	invites := slices.ContainsFunc(j.view.Callees, func(x events.Callee) bool { return x.InvitedBy == j.user })
	return j.here && invites && j.own.attempt > 1 && j.before.attempt != j.own.attempt
}

// starts reports that this device came into the call, if it did so in this jump.
func (j jump) starts() []callback {
	wasIn := j.before.in() && j.before.device == j.device && j.before.attempt == j.own.attempt
	how := howAccepted
	switch {
	case j.ofCaller() && j.view.State != events.CallStateActive && j.mistake != startsUnanswered:
		return nil
	case j.ofCaller():
		wasIn = j.from > 0 && j.call.at(j.from).Call.State == events.CallStateActive
		how = howAnswered
	case j.call.merged[j.own.changed] && j.mistake != mergedIsAccepted:
		how = howGlare
	}
	if wasIn && j.shows(j.call) && j.mistake != startsAgain {
		return nil
	}
	if j.first && j.from == 0 && j.mistake != neverRestores {
		how = howRestored
	}
	if how == howGlare {
		j.met[mergedHere]++
	}
	return []callback{started(j.view, how)}
}

// facts returns the outcomes of the callees that the user waits for, at most one for each, in the order of the callees.
func (j jump) facts() []callback {
	type fact struct {
		place int
		callback
	}
	var list []fact
	for _, n := range j.notifications {
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
	if j.mistake == reportsAfterLeaving && j.own.state == events.StateLeft {
		return j.afterLeaving()
	}
	slices.SortStableFunc(list, func(a, b fact) int { return cmp.Compare(a.place, b.place) })
	var calls []callback
	for _, f := range list {
		calls = append(calls, f.callback)
	}
	return calls
}

// counts reports whether a notification about a callee still applies. It must be about the callee's newest attempt. A
// ringing notification must not be overtaken by a later state. The callee must have reached their current state before
// the user left.
func (j jump) counts(n notified) bool {
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

// closing maps a notification about the user's own part, or about the end.
func (j jump) closing(n notified) []callback {
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

// canceledWith returns the custom data of the cancel, or of the command that ended the call and so withdrew the
// invitation.
func (j jump) canceledWith(n notified) string {
	own := j.view.DataOf(*j.view.Callee(j.user))
	if own != n.CustomData {
		j.met[canceledByOthers]++
	}
	if j.mistake == dataOfEntry {
		return own
	}
	return n.CustomData
}

// by returns who ended the call, as far as the device can know.
func (j jump) by(n notified) *events.By {
	by := n.By
	continues := n.t.Call.State != events.CallStateEnded
	switch {
	case j.kind == push && n.t.Seq == j.seq, !continues:
	case n.Reason == string(events.ReasonLeft):
		by = events.By{Kind: events.ByUser, UserID: j.user}
	case n.Reason == string(events.ReasonCanceled):
		return nil
	}
	return &by
}

// withoutNotification ends a call whose newest attempt ended as it was made. The callee receives no notification about
// such an attempt.
func (j jump) withoutNotification() []callback {
	if j.own.state == events.StateTimedOut {
		by := events.By{Kind: events.ByTimer}
		return []callback{incoming(incomingTimeout, j.view), ended(j.view, string(events.ReasonTimedOut), &by)}
	}
	return []callback{ended(j.view, string(events.ReasonBusy), nil)}
}
