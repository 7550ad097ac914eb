package call_test

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// command makes a command from the bytes. It is not ok if the command is malformed, so that no worker decides it.
func (w *world) command(b [6]byte, slot int) (line, bool) {
	l := line{cmd: events.Command{CommandAddress: events.CommandAddress{
		App: "demo", CallID: w.slots[slot], Verb: pick(often(w.lasting), b[0]),
	}}}
	if w.last.Seq == 0 && b[0]%4 > 0 {
		l.cmd.Verb = events.VerbInvite
	}
	w.sender(&l.cmd, b[1], people[slot])
	w.names(&l.cmd, b[2])
	if l.cmd.Verb == events.VerbInvite && b[5]>>6 == 3 {
		w.crosses(&l.cmd, b[2])
	}
	if b[5]>>3 == 6 { // the same condition as in step
		w.meets(&l.cmd, b[2])
	}
	w.says(&l.cmd, b[3])
	w.sees(&l.cmd, b[2])
	w.setOthers(&l.cmd, b[3])
	l.at = w.now
	l.now = w.now + pick(lags(), b[4]/8)
	if l.cmd.Verb == events.VerbExpire {
		w.expires(&l, b[2])
	}
	w.repeats(&l, b[3], b[2])
	body, err := l.cmd.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd, refused := events.ReadCommand(l.cmd.CommandAddress, body)
	l.cmd = cmd
	w.noteFields(cmd)
	return l, refused == nil
}

// stopped reports whether a command of this call has stopped after its claims.
func (w *world) stopped(callID string) bool {
	return slices.ContainsFunc(w.waiting, func(d delivery) bool { return d.state == "claimed" && d.cmd.CallID == callID })
}

// crosses turns the command into an invitation of a pending callee to the caller of their call.
func (w *world) crosses(cmd *events.Command, b byte) {
	type pair struct{ from, to string }
	var list []pair
	for _, id := range w.slots {
		c := w.calls[id].last.Call
		for _, x := range c.Callees {
			if x.Pending() {
				list = append(list, pair{x.UserID, c.Caller.UserID})
			}
		}
	}
	if len(list) > 0 {
		p := pick(list, b)
		cmd.UserID, cmd.DeviceID, cmd.Callees = p.from, "device-"+p.from+"-3", []events.Party{{UserID: p.to}}
	}
}

// meets makes the command name a user whose line is claimed by a command that has stopped.
func (w *world) meets(cmd *events.Command, b byte) {
	i := slices.IndexFunc(w.waiting, func(d delivery) bool { return d.cmd.CallID != cmd.CallID && w.stopped(d.cmd.CallID) })
	if i < 0 {
		return
	}
	cmd.Callees = []events.Party{{UserID: pick(claimants(w.waiting[i].cmd), b)}}
	if cmd.Verb = events.VerbInvite; w.last.Seq > 0 {
		cmd.Verb, cmd.UserID, cmd.DeviceID, cmd.Service = events.VerbAdd, "", "", "desk"
	}
}

// often lists the verbs, with repetitions: verbs that keep a call open occur more often than verbs that end it. For lasting
// calls it leaves out some of the latter. A verb that is not in this list occurs twice.
func often(lasting bool) []events.Verb {
	list := []events.Verb{
		events.VerbAccept, events.VerbAccept, events.VerbAccept, events.VerbAccept, events.VerbAdd, events.VerbAdd, events.VerbAdd,
		events.VerbAdd, events.VerbAdd, events.VerbRing, events.VerbRing, events.VerbRing, events.VerbExpire, events.VerbExpire,
		events.VerbDecline, events.VerbCancel, events.VerbLeave, events.VerbInvite,
		events.VerbDecline, events.VerbCancel, events.VerbLeave, events.VerbEnd,
	}
	if lasting {
		list = list[:len(list)-4]
	}
	for _, v := range events.Verbs() {
		if !slices.Contains(list, v) && v != events.VerbEnd {
			list = append(list, v, v)
		}
	}
	return list
}

// lags lists the delays between storing and handling a command. One is negative: a clock may be behind.
func lags() []time.Duration {
	list := make([]time.Duration, 32)
	copy(list, []time.Duration{4e9, 5e9, 11e9, 61e9, -1e9})
	return list
}

var people = []string{"ann", "bob", "eve", "gil", "dan"}

// sender sets a user or service as the sender. In an open call it often is a user who may use the verb. Most invitations have
// the same caller.
func (w *world) sender(cmd *events.Command, b byte, caller string) {
	if b%16 < 2 && (cmd.Verb != events.VerbEnd || b > 128) && cmd.Verb != events.VerbInvite || cmd.Verb == events.VerbExpire && b%8 > 0 {
		cmd.Service = pick([]string{"desk", "pbx", events.ServiceTimeouts}, b/16)
		if cmd.Verb == events.VerbExpire {
			cmd.Service = pick([]string{events.ServiceTimeouts, events.ServiceTimeouts, events.ServiceTimeouts, "desk"}, b/16)
		}
		return
	}
	if cmd.Verb == events.VerbDrop && b%8 > 0 {
		cmd.Service = events.ServicePresence
		return
	}
	cmd.UserID = pick(append([]string{"mal"}, people...), b/16)
	if able := w.able(cmd.Verb); b%16 > 3 && len(able) > 0 {
		cmd.UserID = pick(able, b/16)
	}
	if cmd.Verb == events.VerbInvite && b%8 > 0 {
		cmd.UserID = caller
	}
	d := b % 16 / 6
	if cmd.Verb == events.VerbTake {
		d = 1 + d%2
	}
	if d > 0 {
		cmd.DeviceID = fmt.Sprintf("device-%s-%d", cmd.UserID, d)
	}
	if d > 1 && b > 128 {
		cmd.Via = events.ViaSession
	}
}

// sees sets the version of the call that the sender of the command has seen, and the party of a drop: in most cases a user
// who is in the call, with their device.
func (w *world) sees(cmd *events.Command, b byte) {
	if cmd.Verb == events.VerbDrop {
		cmd.Party = events.Seat{UserID: pick(people, b), DeviceID: "device-ann-1"}
		if able := w.able(events.VerbTake); b%8 > 0 && len(able) > 0 {
			cmd.Party.UserID = pick(able, b/16)
			_, cmd.Party.DeviceID, _ = seat(w.last.Call, cmd.Party.UserID)
		}
		cmd.Seen = max(1, w.last.Seq-int(b)%4)
		return
	}
	if cmd.Verb.Has("seen") && b%4 > 1 {
		cmd.Seen = max(1, w.last.Seq-int(b)/4%4)
	}
}

// able lists the users whose use of this verb can have an effect.
func (w *world) able(v events.Verb) []string {
	var pending, in []string
	if w.last.Call.Caller.State == events.StateIn {
		in = append(in, w.last.Call.Caller.UserID)
	}
	for _, x := range w.last.Call.Callees {
		switch {
		case x.Pending():
			pending = append(pending, x.UserID)
		case x.State == events.StateAccepted:
			in = append(in, x.UserID)
		}
	}
	if v.Has("attempt") && v != events.VerbLeave {
		return pending
	}
	return in
}

func (w *world) names(cmd *events.Command, b byte) {
	if cmd.Verb == events.VerbCancel && b%3 == 0 || !cmd.Verb.Has("callees") {
		return
	}
	for i, u := range append(slices.Clone(people), "hal", "ivo") {
		if b>>i&1 == 1 && u != cmd.UserID && (u != w.last.Call.Caller.UserID || b>>7 == 1) {
			cmd.Callees = append(cmd.Callees, events.Party{UserID: u, UserName: "Name of " + u})
		}
	}
	if len(cmd.Callees) > 2 && b>>7 == 0 && cmd.Verb != events.VerbCancel {
		cmd.Callees = cmd.Callees[:1+b%3]
	}
}

// says sets the id of the command and, in most cases, unique custom data.
func (w *world) says(cmd *events.Command, b byte) {
	w.count++
	n := w.count
	cmd.CommandID = fmt.Sprintf("k%d", n)
	v := cmd.Verb
	if v.Has("custom_data") && b%4 > 0 {
		cmd.CustomData = fmt.Sprintf("data-%d-", n)
	}
	if v == events.VerbInvite {
		cmd.CallType = events.CallType(b / 2 % 2)
		cmd.RoomID = pick([]string{"", "room-" + cmd.CommandID}, b/4)
	}
	if v.Has("ring_timeout_s") && b%8 > 4 {
		cmd.RingTimeoutS = 1 + int(b)
	}
	if v == events.VerbDecline && b%8 > 5 {
		cmd.Reason = events.ReasonBusy
	}
	if v.Has("attempt") {
		cmd.Attempt = pick([]int{0, 0, 0, 0, 1, 2, 3}, b/8)
	}
}

// expires makes the command the expire of a deadline: in most cases one of the call's deadlines, and often exactly at its time.
func (w *world) expires(l *line, b byte) {
	list := call.Deadlines(w.last)
	if len(list) == 0 || b%4 == 0 {
		l.cmd.CommandID = events.ExpireID(l.cmd.CallID, events.DeadlineID{Seq: int(b) % 8})
		return
	}
	d := pick(list, b/4)
	l.cmd.CommandID = events.ExpireID(l.cmd.CallID, d.DeadlineID)
	if due := d.At.Time().Sub(start); b%4 == 1 && due > w.now {
		w.now, l.at, l.now = due, due, due
	}
}

// repeats sometimes repeats an earlier command: the whole command, or its id with another verb or another sender.
func (w *world) repeats(l *line, b, which byte) {
	if len(w.sent) == 0 || b < 208 {
		return
	}
	old := pick(w.sent, which).cmd
	switch {
	case b < 232:
		l.cmd = old
	case b < 244 && old.Verb != events.VerbExpire:
		l.cmd.CommandID, l.cmd.UserID, l.cmd.Service, l.cmd.DeviceID = old.CommandID, old.UserID, old.Service, old.DeviceID
	default:
		l.cmd.CommandID = old.CommandID
	}
}
