package call_test

import (
	"cmp"
	"maps"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// checkEnd: the end reason follows the rules of CONTRACT section 4.
func (w *world) checkEnd(before events.Call, t events.Transition) {
	if t.Call.State != events.CallStateEnded {
		return
	}
	byCaller := t.By.UserID == t.Call.Caller.UserID && t.Event != events.EventInvited
	want := events.EndReason("")
	switch {
	case bornEnded(t.Call): // checked by checkBorn
		want = t.Call.EndReason
	case t.By.Kind == events.ByTimer && t.Event == events.EventEnded:
		want = events.EndExpired
	case t.By.Kind == events.ByService && t.Event == events.EventEnded:
		want = events.EndServerEnded
	case t.Call.AnsweredAt != 0:
		want = events.EndCompleted
	case byCaller:
		want = events.EndCanceled
	default:
		for _, x := range t.Call.Callees { // the last callee that this transition makes terminal
			if old := before.Callee(x.UserID); (old == nil || *old != x) && x.Reason != events.ReasonEnded {
				want = events.EndReason(x.State)
			}
		}
	}
	if t.Call.EndReason != want || t.Call.EndedBy != t.By {
		w.failf("ended %s by %+v, want %s by %+v: %s", t.Call.EndReason, t.Call.EndedBy, want, t.By, w.json(t))
	}
}

// checkData checks the custom data and the device of each callee:
//
//   - A new attempt has the add's custom data, or the call's if the add has none.
//   - A command of the callee, a cancel, an end and the caller's leave replace it, also with none. ring, take and expire keep it.
//   - The device is the one that answered, declined or took the call.
func (w *world) checkData(before events.Call, t events.Transition, cmd events.Command) {
	who := cmp.Or(cmd.Party.UserID, cmd.UserID) // a drop is the leave of its party
	byCaller := who != "" && who == t.Call.Caller.UserID
	for _, x := range t.Call.Callees {
		old := before.Callee(x.UserID)
		if old == nil || old.Attempt != x.Attempt {
			if t.Call.DataOf(x) != cmp.Or(cmd.CustomData, t.Call.CustomData) || x.DeviceID != "" || x.InvitedBy != cmd.Sender() {
				w.failf("%s began as %s", x.UserID, w.json(x))
			}
			continue
		}
		data, device := before.DataOf(*old), old.DeviceID
		own := who == x.UserID && cmd.Verb != events.VerbRing && cmd.Verb != events.VerbAdd && cmd.Verb != events.VerbCancel
		withdrawn := x.Reason == events.ReasonCanceled || x.Reason == events.ReasonEnded && (byCaller || cmd.Verb == events.VerbEnd)
		if old.State != x.State && (own || withdrawn) {
			data = cmd.CustomData
		}
		if own && (old.Pending() || t.Event == events.EventTaken) {
			device = cmd.DeviceID
		}
		if t.Call.DataOf(x) != data || x.DeviceID != device {
			w.failf("%s has data %q and device %q, want %q and %q: %s", x.UserID, t.Call.DataOf(x), x.DeviceID, data, device, w.json(t))
		}
	}
}

// checkCustom: every reference of a callee leads to custom data, and the call holds no other entries.
func (w *world) checkCustom(c events.Call) {
	referred := map[int]string{}
	for _, x := range c.Callees {
		data := c.DataOf(x)
		if (data == "") != (x.CustomSeq == 0) || x.CustomSeq > c.Seq {
			w.failf("%s refers to transition %d: %s", x.UserID, x.CustomSeq, w.json(c))
		}
		if x.CustomSeq > events.FirstSeq {
			referred[x.CustomSeq] = data
		}
	}
	if !maps.Equal(referred, c.Custom) {
		w.failf("the call holds %v, and its callees refer to %v", c.Custom, referred)
	}
}

// checkMemory: the call remembers these commands, in their order, and no others: the invitation, the first accept, those that
// made the present attempt of a callee, and the last 4 of each sender. Their number is at most 2 + callees + 4 × senders. With
// 50 callees that is 2 + 50 + 4 × (51 + the services that sent commands).
func (w *world) checkMemory(t events.Transition) {
	want := []events.Remembered{}
	later := map[string]int{}
	for _, c := range slices.Backward(w.made) {
		later[c.sender()]++
		r := events.Remembered{ID: c.id, Verb: events.Verb(c.verb), UserID: c.user, Service: c.service, Seq: c.seq, Attempt: c.answers}
		if r.Verb == events.VerbAdd {
			r.Callees = w.attemptsOf(t.Call, c)
		}
		if c.seq == 1 || c.seq == w.first || len(r.Callees) > 0 || later[c.sender()] <= 4 {
			want = append(want, r)
		}
	}
	slices.Reverse(want)
	got := slices.Clone(t.Commands)
	for _, list := range [][]events.Remembered{got, want} {
		for i := range list {
			list[i].Callees = slices.Sorted(slices.Values(list[i].Callees))
		}
	}
	if w.json(got) != w.json(want) {
		w.failf("remembers %s\nwant      %s", w.json(got), w.json(want))
	}
	if most := 2 + len(t.Call.Callees) + 4*len(later); len(got) > most {
		w.failf("remembers %d commands, at most %d", len(got), most)
	}
}

// attemptsOf lists the callees whose present attempt this command made.
func (w *world) attemptsOf(c events.Call, made command) []string {
	var list []string
	for _, x := range c.Callees {
		if w.maker[x.UserID] == made.seq {
			list = append(list, x.UserID)
		}
	}
	return list
}

// checkDeadlines: a call has one deadline for each command that made a pending attempt, another one of kind reach while one of
// these attempts is unconfirmed, and after the first answer one for the maximum duration. After the end it has none. A deadline
// never moves.
func (w *world) checkDeadlines(before, after events.Transition) {
	got := map[events.DeadlineID]events.Time{}
	for _, d := range call.Deadlines(after) {
		if _, twice := got[d.DeadlineID]; twice {
			w.failf("two deadlines of %v: %v", d.DeadlineID, call.Deadlines(after))
		}
		got[d.DeadlineID] = d.At
		if at, known := w.due[d.DeadlineID]; known && at != d.At {
			w.failf("deadline %v moved from %v to %v", d.DeadlineID, at, d.At)
		}
		w.due[d.DeadlineID] = d.At
	}
	want := map[events.DeadlineID]events.Time{}
	for _, x := range after.Call.Callees {
		made := w.maker[x.UserID]
		if x.State == events.StateInvited && x.ReachDeadline != 0 {
			want[events.DeadlineID{Seq: made, Kind: events.DeadlineReach}] = x.ReachDeadline
		}
		if x.State == events.StateInvited || x.State == events.StateRinging {
			want[events.DeadlineID{Seq: made}] = x.RingDeadline
			if x.RingDeadline == 0 || x.RingDeadline > after.Call.ExpiresAt {
				w.failf("%s rings until %v, the call until %v", x.UserID, x.RingDeadline, after.Call.ExpiresAt)
			}
		}
	}
	if after.Call.State == events.CallStateActive {
		want[events.DeadlineID{Seq: w.first}] = after.Call.ExpiresAt
	}
	if !maps.Equal(got, want) {
		w.failf("deadlines %v, want %v", got, want)
	}
	w.checkDeadlineChanges(before, after, want)
}

// checkDeadlineChanges: a transition adds the deadlines that the call has only after it, and removes those that it had only
// before.
func (w *world) checkDeadlineChanges(before, after events.Transition, want map[events.DeadlineID]events.Time) {
	found := 0
	for seq := range after.Seq + 2 {
		for _, d := range call.DeadlinesMade(after, seq) {
			if at, wanted := want[d.DeadlineID]; !wanted || d.Seq != seq || d.At != at {
				w.failf("made by %d: %+v; want %v", seq, d, want)
			}
			found++
		}
	}
	if found != len(want) {
		w.failf("%d deadlines, want %v", found, want)
	}
	var gone []events.DeadlineID
	had := map[events.DeadlineID]bool{}
	for _, d := range call.Deadlines(before) {
		had[d.DeadlineID] = true
		if _, waits := want[d.DeadlineID]; !waits {
			gone = append(gone, d.DeadlineID)
		}
	}
	if !slices.Equal(gone, call.DeadlinesRemoved(before, after)) {
		w.failf("gone %v, want %v", call.DeadlinesRemoved(before, after), gone)
	}
	for id := range want {
		if !had[id] && id.Seq != after.Seq {
			w.failf("transition %d made the deadline %v", after.Seq, id)
		}
	}
}
