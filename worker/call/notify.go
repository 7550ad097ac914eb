package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// Notify lists the notifications of a transition. Those of one user are numbered, in the order in which they are sent.
func Notify(t events.Transition) []events.Notice {
	switch t.Call.EndReason {
	case events.EndCallerBusy, events.EndMerged, events.EndFailed:
		return nil
	case events.EndCompleted, events.EndDeclined, events.EndBusy, events.EndTimedOut, events.EndCanceled,
		events.EndExpired, events.EndServerEnded, "":
	}
	if t.Event == events.EventFenced {
		return nil
	}
	n := &notices{t: t, list: make([]events.Notice, 0, len(t.Changes)+1)}
	if t.Event == events.EventTaken {
		n.add(t.By.UserID, content{kind: events.CallTaken, about: t.By.UserID})
	}
	for _, ch := range t.Changes {
		if ch.Reason != events.ReasonEnded {
			n.change(ch)
		}
	}
	if t.Call.State == events.CallStateEnded {
		n.ended()
	}
	return n.list
}

// notices collects the notifications of one transition.
type notices struct {
	t    events.Transition
	list []events.Notice
}

// content is the content of a notification. Only the owner and the caller receive the custom data in it.
type content struct {
	kind   events.Kind
	about  string
	reason string
	data   string
	owner  string
}

func (n *notices) add(receiver string, w content) {
	k := 0
	for _, x := range n.list {
		if x.To == receiver {
			k++
		}
	}
	x := events.NewNotice(receiver, n.t, k, w.kind)
	x.UserID, x.Reason = w.about, w.reason
	if receiver == w.owner || receiver == n.t.Call.Caller.UserID {
		x.CustomData = w.data
	}
	n.list = append(n.list, x)
}

// change notifies of the change of one party, except for changes by the end of the call.
func (n *notices) change(ch events.Change) {
	ended := n.t.Call.State == events.CallStateEnded
	if ch.Attempt == 0 && n.t.Event != events.EventLeft {
		return // the caller, who joins with the invitation or leaves because the call ends
	}
	w := content{about: ch.UserID, reason: string(ch.Reason), data: n.t.CustomData, owner: ch.UserID}
	switch n.t.Event {
	case events.EventInvited, events.EventAdded:
		n.invited(ch, w)
	case events.EventRinging:
		n.waiting(ch, w, events.OutgoingCallRinging)
	case events.EventAccepted:
		n.self(ch, w, events.IncomingCallAnsweredElsewhere)
		n.waiting(ch, w, events.OutgoingCallAccepted)
		n.others(ch, w, events.ParticipantJoined)
	case events.EventDeclined:
		kind := events.OutgoingCallDeclined
		if ch.To == events.StateBusy {
			kind = events.OutgoingCallRejectedCauseBusy
		}
		n.self(ch, w, events.IncomingCallDeclinedElsewhere, events.CallEnded)
		n.waiting(ch, w, kind)
	case events.EventCanceled:
		n.self(ch, w, events.IncomingCallCanceled, events.CallEnded)
	case events.EventTimedOut:
		w.data = n.t.Call.DataOf(*n.t.Call.Callee(ch.UserID))
		n.self(ch, w, events.IncomingCallTimeout, events.CallEnded)
		n.waiting(ch, w, events.OutgoingCallTimeout)
	case events.EventLeft:
		if !ended {
			if w.reason == "" { // a caller's
				w.reason = string(events.ReasonLeft)
			}
			n.self(ch, w, events.CallEnded)
			n.waiting(ch, w, events.ParticipantLeft)
			n.others(ch, w, events.ParticipantLeft)
			n.rung(ch, w, events.ParticipantLeft)
		}
	case events.EventEnded, events.EventFenced, events.EventTaken:
	}
}

// invited notifies of an attempt that begins, or that is busy or timed out from the start.
func (n *notices) invited(ch events.Change, w content) {
	w.data = n.t.Call.DataOf(*n.t.Call.Callee(ch.UserID))
	switch ch.To {
	case events.StateInvited:
		n.self(ch, w, events.IncomingCallReceived)
	case events.StateBusy:
		n.waiting(ch, w, events.OutgoingCallRejectedCauseBusy)
	case events.StateTimedOut:
		n.waiting(ch, w, events.OutgoingCallTimeout)
	case events.StateIn, events.StateRinging, events.StateAccepted, events.StateLeft, events.StateDeclined, events.StateCanceled:
	}
}

func (n *notices) self(ch events.Change, w content, kinds ...events.Kind) {
	for _, w.kind = range kinds {
		n.add(ch.UserID, w)
	}
}

// waiting notifies the users who wait for that callee: the caller and the participant who invited them, as far as they are
// still in the call.
func (n *notices) waiting(ch events.Change, w content, kind events.Kind) {
	w.kind = kind
	for _, u := range n.waitingFor(ch) {
		n.add(u, w)
	}
}

// others notifies everyone else who is in the call.
func (n *notices) others(ch events.Change, w content, kind events.Kind) {
	w.kind = kind
	waiting := n.waitingFor(ch)
	for _, u := range n.in() {
		if u != ch.UserID && !slices.Contains(waiting, u) {
			n.add(u, w)
		}
	}
}

// rung notifies the pending callees that this user calls: all of them for the caller, otherwise those that the user invited.
func (n *notices) rung(ch events.Change, w content, kind events.Kind) {
	w.kind = kind
	for _, x := range n.t.Call.Callees {
		if x.Pending() && (ch.UserID == n.t.Call.Caller.UserID || ch.UserID == inviter(n.t.Commands, x.UserID)) {
			n.add(x.UserID, w)
		}
	}
}

func (n *notices) waitingFor(ch events.Change) []string {
	by := inviter(n.t.Commands, ch.UserID)
	return slices.DeleteFunc(n.in(), func(u string) bool {
		return u == ch.UserID || u != n.t.Call.Caller.UserID && u != by
	})
}

// in lists the users who were in the call just before the transition, the caller first. For the transition invited, that is
// the caller.
func (n *notices) in() []string {
	c := n.t.Call
	was := func(userID string, now events.PartyState) events.PartyState {
		for _, ch := range n.t.Changes {
			if ch.UserID == userID {
				return ch.From
			}
		}
		return now
	}
	var list []string
	if n.t.Event == events.EventInvited || was(c.Caller.UserID, c.Caller.State) == events.StateIn {
		list = append(list, c.Caller.UserID)
	}
	for _, x := range c.Callees {
		if was(x.UserID, x.State) == events.StateAccepted {
			list = append(list, x.UserID)
		}
	}
	return list
}

// ended notifies of the end of the call. Callees who were still pending receive that the invitation was canceled. Users who
// were in the call receive the end reason.
//
// If the command ended the call for all of them (an end, or the caller's leave), they all receive its custom data, which
// replaces theirs. Otherwise the command concerned a single callee, and only its sender and the caller receive the data.
func (n *notices) ended() {
	owner := func(receiver string) string {
		if n.t.Event == events.EventEnded || n.t.By.UserID == n.t.Call.Caller.UserID {
			return receiver
		}
		return n.t.By.UserID
	}
	for _, ch := range n.t.Changes {
		if ch.To == events.StateCanceled && ch.Reason == events.ReasonEnded {
			w := content{
				kind: events.IncomingCallCanceled, about: ch.UserID, reason: string(ch.Reason), data: n.t.CustomData,
				owner: owner(ch.UserID),
			}
			n.add(ch.UserID, w)
			w.kind, w.reason = events.CallEnded, string(events.EndCanceled)
			n.add(ch.UserID, w)
		}
	}
	for _, u := range n.in() {
		n.add(u, content{
			kind: events.CallEnded, reason: string(n.t.Call.EndReason), data: n.t.CustomData, owner: owner(u),
		})
	}
}
