package call_test

import (
	"reflect"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// checkJoin: a join accepts the call if its sender is pending in that attempt, and is ok if they have answered already.
// Otherwise it is refused with call_ended. A repeat is ok.
func (w *world) checkJoin(before events.Transition, d delivery, o call.Outcome) {
	want := call.Outcome(call.Refuse{Err: &events.Error{Code: events.CodeCallEnded}})
	x := before.Call.Callee(d.cmd.UserID)
	known := slices.IndexFunc(before.Commands, func(r events.Remembered) bool { return r.ID == d.cmd.CommandID && r.UserID == d.cmd.UserID })
	switch {
	case known >= 0:
		w.reached["join: repeat"]++
		want = call.Keep{Made: before.Commands[known].Seq}
	case before.Call.State == events.CallStateEnded || x.Attempt != d.glare.Attempt:
	case x.State == events.StateAccepted:
		w.reached["join: ok, accepted already"]++
		want = call.Keep{}
	case isOn(before.Call, d.cmd.UserID):
		w.reached["joined"]++
		want = call.Write{}
	}
	if r, refused := o.(call.Refuse); refused {
		w.reached["join: over"]++
		o = call.Refuse{Err: &events.Error{Code: r.Err.Code}}
	}
	if _, writes := o.(call.Write); writes {
		o = call.Write{}
	}
	if !reflect.DeepEqual(o, want) {
		w.failf("%s joins %s: %s, want %s", w.json(d.cmd), w.json(before), w.json(o), w.json(want))
	}
	if _, writes := o.(call.Write); !writes && d.state == "" && known < 0 && w.calls[d.cmd.CallID].again == 0 {
		w.failf("%s met %s and at once joins it not: %s", w.json(d.cmd), w.json(before), w.json(o))
	}
}

// checkGlare: after a glare both users are in one active call, the first one, with its room and type. The second has ended.
func (w *world) checkGlare(before events.Call, cmd events.Command, second string) {
	first := w.last.Call
	x := *first.Callee(cmd.UserID)
	if w.last.Event != events.EventAccepted || first.State != events.CallStateActive || x.State != events.StateAccepted ||
		first.RoomID != before.RoomID || first.CallType != before.CallType || w.calls[second].last.Call.MergedInto != first.CallID {
		w.failf("%s became %s", w.json(before), w.json(w.last))
	}
	if x.Attempt > 1 {
		w.reached["merged attempt 2"]++
	}
	if before.State == events.CallStateActive {
		w.reached["joined a group that talks"]++
	} else if due := call.DeadlinesMade(w.last, w.last.Seq); len(due) == 1 && due[0].At == first.ExpiresAt {
		w.reached["deadline of a join"]++
	}
	for id, c := range w.calls {
		if other := cmd.Callees[0].UserID; id != first.CallID && w.limits.Capacity == 1 && (isOn(c.last.Call, cmd.UserID) || before.CallerIn() && isOn(c.last.Call, other)) {
			w.failf("in two calls after a glare: %s and %s", w.json(first), w.json(c.last.Call))
		}
	}
}

// checkBorn: an invitation whose caller has a full line, or that crosses another call, creates its call as ended. It has the
// right answer and no notifications. Every user who joins a call has a claimed line.
func (w *world) checkBorn(before events.Transition, d delivery, wr call.Write) {
	t := wr.Transition
	want, code, into := events.EndReason(""), events.Code(""), ""
	switch {
	case t.Event != events.EventInvited:
	case d.claimed.Glare != nil:
		want, into = events.EndMerged, d.claimed.Glare.CallID
	case d.claimed.CallerBusy:
		want, code = events.EndCallerBusy, events.CodeCallerBusy
	}
	if bornEnded(t.Call) != (want != "") || want != "" && t.Call.EndReason != want || t.Call.MergedInto != into ||
		(wr.Err != nil) != (code != "") || code != "" && wr.Err.Code != code {
		w.failf("%s with %v, want %s", w.json(t), wr.Err, want)
	}
	if want != "" {
		w.checkBornEnded(d, t)
	}
	for _, u := range allUsers() {
		comes := t.Call.State != events.CallStateEnded && slices.Contains(d.users, u) && !slices.Contains(d.claimed.Busy, u)
		if came := isOn(t.Call, u) && !isOn(before.Call, u); came != comes || t.Call.On(u) != isOn(t.Call, u) {
			w.failf("%s is in the call: %t, want %t: %s", u, came, comes, w.json(t))
		}
	}
	w.countBusy(before.Call, t, d)
}

func (w *world) checkBornEnded(d delivery, t events.Transition) {
	bad := t.Seq != 1 || t.Call.Caller.State != events.StateLeft || len(call.Notify(t))+len(call.Deadlines(t)) > 0 ||
		!reflect.DeepEqual(call.Merged(t), d.claimed.Glare) || !reflect.DeepEqual(call.Merged(w.read), d.claimed.Glare)
	for _, x := range t.Call.Callees {
		bad = bad || x.State != events.StateCanceled || x.Reason != events.ReasonEnded || x.RingDeadline != 0 || x.ReachDeadline != 0 || x.Attempt != 1
	}
	if bad {
		w.failf("born ended: %s", w.json(t))
	}
	if t.Call.EndReason == events.EndCallerBusy {
		w.reached["refused "+string(events.CodeCallerBusy)]++
		if w.limits.Capacity == 2 {
			w.reached["caller busy, capacity 2"]++
		}
	}
}

// countBusy counts the busy callees of a transition. Exactly the callees with full lines are busy.
func (w *world) countBusy(before events.Call, t events.Transition, d delivery) {
	busy := 0
	for _, x := range t.Call.Callees {
		old := before.Callee(x.UserID)
		begins := old == nil || old.Attempt != x.Attempt
		if begins && (x.Reason == events.ReasonLineBusy) != slices.Contains(d.claimed.Busy, x.UserID) {
			w.failf("%s is %s: %s", x.UserID, x.State, w.json(t))
		}
		if begins && old != nil && old.Reason == events.ReasonLineBusy && x.State == events.StateInvited {
			w.reached["rings after line busy"]++
		}
		if begins && x.Reason == events.ReasonLineBusy {
			busy++
		}
	}
	w.reached["line busy"] += busy
	switch {
	case busy == 0:
	case t.Event == events.EventAdded:
		w.reached["added, line busy"]++
	case t.Call.State == events.CallStateRinging:
		w.reached["line busy in a group that rings"]++
	case busy == len(t.Call.Callees):
		w.reached["all busy"]++
	}
	if busy > 0 && w.limits.Capacity == 2 {
		w.reached["line busy, capacity 2"]++
	}
}

// checkFence: a fence of an existing call changes nothing. A fence of an id without a call writes it as ended: for a hang-up
// that found no call for 5 s, or because of a stale claim. Neither has notifications.
func (w *world) checkFence(before events.Transition, l line, wr call.Write) {
	t, c := wr.Transition, wr.Transition.Call
	hangUp := l.cmd.Verb != events.VerbInvite && l.cmd.Verb != events.VerbAdd
	bad := len(t.Changes)+len(call.Notify(t)) > 0 || t.CustomData != "" ||
		t.By != events.By{Kind: events.ByService, Service: events.ServiceCoordinator}
	if before.Seq == 0 {
		bad = bad || len(c.Callees)+len(t.Commands)+len(call.Deadlines(t)) > 0 || c.Caller != events.Caller{} || c.CallType != 0 ||
			c.State != events.CallStateEnded || c.EndReason != events.EndFailed || c.EndedBy != t.By ||
			wr.Err == nil || wr.Err.Code != events.CodeNotFound || hangUp && l.now-l.at < 5*time.Second
	} else {
		want := before.Call
		want.Seq++
		bad = bad || hangUp || wr.Err != nil || w.json(c) != w.json(want) || w.json(t.Commands) != w.json(before.Commands) ||
			!slices.Equal(call.Deadlines(t), call.Deadlines(before))
	}
	if bad {
		w.failf("fenced %s: %s, %v", w.json(before), w.json(t), wr.Err)
	}
}
