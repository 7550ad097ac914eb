package call_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// fact is the content of one notification.
type fact struct {
	to                  string
	kind                events.Kind
	about, reason, data string
}

// oracle derives the notifications of a transition a second time, from the table of CONTRACT section 3. It compares the call
// before with the call after.
type oracle struct {
	before, after events.Call
	t             events.Transition
	facts         []fact
}

func (w *world) checkNotifications(before events.Call, t events.Transition, now time.Duration) {
	e := &oracle{before: before, after: t.Call, t: t}
	e.derive()
	notices := call.Notify(t)
	if w.json(notices) != w.json(call.Notify(t)) {
		w.failf("different notifications the second time: %s", w.json(notices))
	}
	if w.json(notices) != w.json(call.Notify(w.read)) {
		w.failf("different notifications after a round trip: %s", w.json(notices))
	}
	var got []fact
	count := map[string]int{}
	for _, n := range notices {
		w.checkNotice(t, n, count[n.To], now)
		count[n.To]++
		got = append(got, fact{n.To, n.Event, n.UserID, n.Reason, n.CustomData})
	}
	for _, u := range append(slices.Clone(people), "mal", "hal", "ivo", "") {
		if of(u, got) != of(u, e.facts) {
			w.failf("%s receives %s\nwant %s\nof %s", u, of(u, got), of(u, e.facts), w.json(t))
		}
		w.checkSecrets(u, t.Call.Caller.UserID, w.json(t.Call.For(u)))
	}
	if len(got) != len(e.facts) {
		w.failf("%d are notified: %v, want %d: %v", len(got), got, len(e.facts), e.facts)
	}
	w.countNotifications(t, got)
}

func (w *world) countNotifications(t events.Transition, got []fact) {
	for _, f := range got {
		w.reached["notified "+string(f.kind)]++
		if f.data == "" && t.CustomData != "" {
			w.reached["hidden"]++
		}
		if f.kind == events.OutgoingCallRinging && f.to != t.Call.Caller.UserID {
			w.reached["others are notified"]++
		}
	}
}

// of lists the notifications of one user, in their order.
func of(user string, facts []fact) string {
	var list []string
	for _, f := range facts {
		if f.to == user {
			list = append(list, fmt.Sprintf("%+v", f))
		}
	}
	return strings.Join(list, "\n")
}

// checkNotice: the id counts the notifications of this user. The first one and call_ended have the user's view of the call, with
// no secrets of others, and the remaining ring time. The others have neither.
func (w *world) checkNotice(t events.Transition, n events.Notice, k int, now time.Duration) {
	sent := n.Stamped(start.Add(now))
	body := w.json(sent)
	if n.ID != fmt.Sprintf("%s-%d-%d", t.Call.CallID, t.Seq, k) || n.Seq != t.Seq || n.CallID != t.Call.CallID {
		w.failf("number %d of %s: %s", k, n.To, body)
	}
	if strings.Contains(body, "null") {
		w.failf("null in %s", body)
	}
	by := t.By
	if n.To != t.Call.Caller.UserID && n.To != by.UserID {
		by.DeviceID = ""
	}
	if n.By != by {
		w.failf("%s receives %+v, want %+v", n.To, n.By, by)
	}
	w.checkSecrets(n.To, t.Call.Caller.UserID, body)
	if k > 0 && n.Event != events.CallEnded {
		if strings.Contains(body, `"call":`) || sent.RingRemainingMS != nil {
			w.failf("number %d of %s repeats the call: %s", k, n.To, body)
		}
		w.reached["without the call"]++
		return
	}
	if w.json(n.Call) != w.json(t.Call.For(n.To)) {
		w.failf("%s sees %s", n.To, body)
	}
	at := start.Add(now)
	if sent.ServerTime.Time().After(at) { // server_time is never before the times in the call
		at = sent.ServerTime.Time().Add(time.Millisecond - 1)
	}
	w.checkRings(t.Call, n.To, sent.RingRemainingMS, at)
}

// checkRings: the ring time of a pending callee lasts until their own deadline. For a user in the call it lasts until the latest
// deadline of the callees that they wait for.
func (w *world) checkRings(c events.Call, user string, got *int64, now time.Time) {
	var until events.Time
	in := user == c.Caller.UserID && c.CallerIn()
	own := c.Callee(user)
	for _, x := range c.Callees {
		waits := in || own != nil && own.State == events.StateAccepted && x.InvitedBy == user
		if (x.State == events.StateInvited || x.State == events.StateRinging) && (waits || x.UserID == user) {
			until = max(until, x.RingDeadline)
		}
	}
	switch {
	case until == 0 && got == nil:
	case until == 0 || got == nil:
		w.failf("%s waits until %v: %v", user, until, got)
	case *got != max(0, until.Time().Sub(now).Milliseconds()):
		w.failf("%s waits until %v: %d ms", user, until, *got)
	}
}

// in reports whether the user was in the call before the transition. The caller is in from the invitation on.
func (e *oracle) in(user string) bool {
	if user == e.after.Caller.UserID {
		return e.before.Seq == 0 || e.before.Caller.State == events.StateIn
	}
	x := e.before.Callee(user)
	return x != nil && x.State == events.StateAccepted
}

// parties lists the caller and the callees.
func (e *oracle) parties() []string {
	list := []string{e.after.Caller.UserID}
	for _, x := range e.after.Callees {
		list = append(list, x.UserID)
	}
	return list
}

// say adds a fact for one user. It has the data only if the data is the user's own or the user is the caller.
func (e *oracle) say(to string, kind events.Kind, about, reason, data string, own bool) {
	if !own && to != e.after.Caller.UserID {
		data = ""
	}
	e.facts = append(e.facts, fact{to, kind, about, reason, data})
}

// waiting adds a fact for the caller and for the participant who invited that callee, if they are in the call.
func (e *oracle) waiting(x events.Callee, kind events.Kind, data string) {
	for _, u := range e.parties() {
		if u != x.UserID && e.in(u) && (u == e.after.Caller.UserID || u == x.InvitedBy) {
			e.say(u, kind, x.UserID, string(x.Reason), data, false)
		}
	}
}

// others adds a fact for everyone else who is in the call.
func (e *oracle) others(about, invitedBy string, kind events.Kind, reason string) {
	for _, u := range e.parties() {
		if u != about && e.in(u) && u != e.after.Caller.UserID && u != invitedBy {
			e.say(u, kind, about, reason, "", false)
		}
	}
}

// rung adds a fact for the callees who see this user as the one who calls.
func (e *oracle) rung(about, reason string) {
	for _, x := range e.after.Callees {
		if pending := x.State == events.StateInvited || x.State == events.StateRinging; !pending {
			continue
		}
		if about == e.after.Caller.UserID || about == x.InvitedBy {
			e.say(x.UserID, events.ParticipantLeft, about, reason, "", false)
		}
	}
}

func (e *oracle) derive() {
	if e.t.Event == events.EventFenced || bornEnded(e.after) {
		return
	}
	if e.t.Event == events.EventTaken {
		e.say(e.t.By.UserID, events.CallTaken, e.t.By.UserID, "", "", true)
	}
	over := e.after.State == events.CallStateEnded
	for _, x := range e.after.Callees {
		old := e.before.Callee(x.UserID)
		switch {
		case old == nil || old.Attempt != x.Attempt:
			e.began(x)
		case old.State != x.State && x.Reason != events.ReasonEnded:
			e.moved(x, over)
		}
	}
	if caller := e.after.Caller; !over && e.before.Caller.State == events.StateIn && caller.State == events.StateLeft {
		reason := "left"
		if caller.Reason != "" {
			reason = string(caller.Reason)
		}
		e.say(caller.UserID, events.CallEnded, caller.UserID, reason, e.t.CustomData, true)
		e.others(caller.UserID, "", events.ParticipantLeft, reason)
		e.rung(caller.UserID, reason)
	}
	if over {
		e.over()
	}
}

func (e *oracle) began(x events.Callee) {
	if x.State == events.StateInvited {
		e.say(x.UserID, events.IncomingCallReceived, x.UserID, "", e.after.DataOf(x), true)
		return
	}
	kind := events.OutgoingCallTimeout
	if x.Reason == events.ReasonLineBusy {
		kind = events.OutgoingCallRejectedCauseBusy
	}
	e.waiting(x, kind, e.after.DataOf(x))
}

func (e *oracle) moved(x events.Callee, over bool) {
	data, reason := e.t.CustomData, string(x.Reason)
	self := func(kind events.Kind) { e.say(x.UserID, kind, x.UserID, reason, data, true) }
	switch x.State {
	case events.StateRinging:
		e.waiting(x, events.OutgoingCallRinging, "")
	case events.StateAccepted:
		self(events.IncomingCallAnsweredElsewhere)
		e.waiting(x, events.OutgoingCallAccepted, data)
		e.others(x.UserID, x.InvitedBy, events.ParticipantJoined, "")
	case events.StateDeclined:
		self(events.IncomingCallDeclinedElsewhere)
		self(events.CallEnded)
		e.waiting(x, events.OutgoingCallDeclined, data)
	case events.StateBusy:
		self(events.IncomingCallDeclinedElsewhere)
		self(events.CallEnded)
		e.waiting(x, events.OutgoingCallRejectedCauseBusy, data)
	case events.StateCanceled:
		self(events.IncomingCallCanceled)
		self(events.CallEnded)
	case events.StateTimedOut:
		data = e.after.DataOf(x)
		self(events.IncomingCallTimeout)
		self(events.CallEnded)
		e.waiting(x, events.OutgoingCallTimeout, data)
	case events.StateLeft:
		if !over {
			self(events.CallEnded)
			e.waiting(x, events.ParticipantLeft, data)
			e.others(x.UserID, x.InvitedBy, events.ParticipantLeft, reason)
			e.rung(x.UserID, reason)
		}
	case events.StateIn, events.StateInvited:
	}
}

// over adds the facts of the end, with the command's data. All users receive the data if an end or the caller ended the call.
// Otherwise only its sender does, and the caller.
func (e *oracle) over() {
	forAll := e.t.Event == events.EventEnded || e.t.By.UserID == e.after.Caller.UserID
	for _, x := range e.after.Callees {
		if old := e.before.Callee(x.UserID); old != nil && old.State != x.State && x.State == events.StateCanceled && x.Reason == events.ReasonEnded {
			own := forAll || x.UserID == e.t.By.UserID
			e.say(x.UserID, events.IncomingCallCanceled, x.UserID, "ended", e.t.CustomData, own)
			e.say(x.UserID, events.CallEnded, x.UserID, "canceled", e.t.CustomData, own)
		}
	}
	for _, u := range e.parties() {
		if e.in(u) {
			e.say(u, events.CallEnded, "", string(e.after.EndReason), e.t.CustomData, forAll || u == e.t.By.UserID)
		}
	}
}

// owns records the users who may see the command's custom data, in addition to the caller, who sees all data: its sender, and
// the callees that it invited, canceled or took out of the call by the end. All users may see the invitation's data.
func (w *world) owns(before events.Call, t events.Transition, cmd events.Command) {
	if cmd.CustomData == "" {
		return
	}
	whose := append(w.owners[cmd.CustomData], cmd.UserID)
	byCaller := cmd.UserID != "" && cmd.UserID == t.Call.Caller.UserID
	switch {
	case t.Event == events.EventInvited:
		whose = append(whose, "everyone")
	case cmd.Verb == events.VerbAdd:
		for _, p := range invitees(before, cmd) {
			whose = append(whose, p.UserID)
		}
	case cmd.Verb == events.VerbCancel, cmd.Verb == events.VerbEnd, cmd.Verb == events.VerbLeave && byCaller:
		for _, x := range t.Call.Callees {
			if old := before.Callee(x.UserID); old != nil && *old != x && (cmd.Verb != events.VerbCancel || x.Reason == events.ReasonCanceled) {
				whose = append(whose, x.UserID)
			}
		}
	}
	w.owners[cmd.CustomData] = whose
}

// checkSecrets: the text that this user receives holds no custom data and no device of other users.
func (w *world) checkSecrets(user, caller, text string) {
	if user == caller {
		return
	}
	for word := range strings.SplitSeq(text, `"`) {
		if owner, isDevice := strings.CutPrefix(word, "device-"); isDevice && !strings.HasPrefix(owner, user+"-") {
			w.failf("%s sees %s in %s", user, word, text)
		}
		if strings.HasPrefix(word, "data-") && !slices.Contains(w.owners[word], user) && !slices.Contains(w.owners[word], "everyone") {
			w.failf("%s sees %s, of %v, in %s", user, word, w.owners[word], text)
		}
	}
}
