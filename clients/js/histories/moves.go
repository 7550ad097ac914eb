package main

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// The moves of a world.
type move string

const (
	moveInvite  move = "invite"
	moveCross   move = "cross" // a pending callee invites the caller: glare
	moveRing    move = "ring"
	moveAccept  move = "accept"
	moveDecline move = "decline"
	moveCancel  move = "cancel"
	moveLeave   move = "leave"
	moveEnd     move = "end"
	moveAdd     move = "add"
	moveAgain   move = "again"  // invite a failed callee again
	moveRepeat  move = "repeat" // send an earlier command again
	moveFence   move = "fence"
	moveWait    move = "wait" // a long time without any move
)

// weight is the frequency of a move.
type weight struct {
	move move
	n    int
}

func (w *world) draw() move {
	sum := 0
	for _, x := range w.theme.moves {
		sum += x.n
	}
	n := w.r.IntN(sum)
	for _, x := range w.theme.moves {
		if n -= x.n; n < 0 {
			return x.move
		}
	}
	return moveWait
}

// step makes one move, some time after the previous one.
func (w *world) step() {
	w.pass(time.Duration(20+w.r.IntN(4000)) * time.Millisecond)
	open := w.openCalls()
	m := w.draw()
	if len(open) == 0 && m != moveRepeat {
		m = pick(w.r, moveInvite, moveInvite, m)
	}
	if m == moveInvite || len(w.calls) == 0 {
		w.invite()
		return
	}
	if m == moveWait {
		w.pass(time.Duration(5+w.r.IntN(60)) * time.Second)
		return
	}
	h := w.calls[len(w.calls)-1]
	if len(open) > 0 {
		h = pick(w.r, open...)
	}
	if len(h.log) > 0 && h.last().Call.Caller.UserID != "" {
		w.act(m, h)
	}
}

// act makes a move in a call.
func (w *world) act(m move, h *history) {
	switch m {
	case moveCross:
		w.cross(h)
	case moveRing, moveAccept, moveDecline:
		w.answers(m, h)
	case moveCancel:
		w.cancel(h)
	case moveLeave:
		w.leave(h)
	case moveEnd:
		w.end(h)
	case moveAdd, moveAgain:
		w.add(h, m == moveAgain)
	case moveRepeat:
		w.repeat()
	case moveFence:
		w.fence(h)
	case moveInvite, moveWait:
	}
}

// cast lists the users of this world.
func (w *world) cast() []string { return []string{"ann", "bob", "eve", "gil", "dan"}[:w.theme.people] }

// nameOf returns a user's name. Some users have none.
func nameOf(user string) string {
	return map[string]string{"ann": "Ann", "bob": "Bob", "gil": "Gil Ö.", "dan": "Dan <3"}[user]
}

// device returns a device of a user. The ids are the same for every user. "" is a backend that acts for the user.
func (w *world) device() string { return pick(w.r, "d1", "d1", "d1", "d1", "d2", "d2", "d2", "") }

// data returns custom data that no other command has. Often it is empty.
func (w *world) data() string {
	if w.chance(0.35) {
		return ""
	}
	return fmt.Sprintf("%s%d", pick(w.r, "n", "n", `"ü`, "<&>"), len(w.sent)+1)
}

func (w *world) parties(users []string) []events.Party {
	list := make([]events.Party, len(users))
	for i, u := range users {
		list[i] = events.Party{UserID: u, UserName: nameOf(u)}
	}
	return list
}

// sample draws up to n of the users, in random order.
func (w *world) sample(users []string, n int) []string {
	users = slices.Clone(users)
	w.r.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	return users[:min(len(users), 1+w.r.IntN(n))]
}

func command(v events.Verb, user, device string) events.Command {
	return events.Command{CommandAddress: events.CommandAddress{Verb: v}, UserID: user, DeviceID: device}
}

// waited is how long an invite or add waited in the stream. Sometimes it is too long to ring.
func (w *world) waited() time.Duration {
	if w.chance(0.04) {
		return tooLate
	}
	return 0
}

func (w *world) invite() {
	users := w.sample(w.cast(), 1)
	caller := users[0]
	if w.chance(0.5) {
		caller = w.cast()[0]
	}
	others := slices.DeleteFunc(slices.Clone(w.cast()), func(u string) bool { return u == caller })
	w.invites(caller, w.sample(others, w.theme.callees))
}

func (w *world) invites(caller string, callees []string) {
	cmd := command(events.VerbInvite, caller, pick(w.r, "d1", "d1", "d1", "d2", w.device()))
	cmd.UserName, cmd.CallType, cmd.CustomData = nameOf(caller), events.CallType(w.r.IntN(2)), w.data()
	cmd.Callees = w.parties(callees)
	cmd.RingTimeoutS = pick(w.r, 0, 0, 10, 20)
	h := w.newCall()
	cmd.RoomID = pick(w.r, "", "room-"+h.id)
	w.do(h, cmd, w.waited())
}

func (w *world) cross(h *history) {
	c := h.last().Call
	if pending := w.pending(c); c.CallerIn() && len(pending) > 0 {
		w.invites(pick(w.r, pending...), []string{c.Caller.UserID})
	}
}

func (w *world) pending(c events.Call) []string { return users(c, events.Callee.Pending) }

func users(c events.Call, are func(events.Callee) bool) []string {
	var list []string
	for _, x := range c.Callees {
		if are(x) {
			list = append(list, x.UserID)
		}
	}
	return list
}

func accepted(x events.Callee) bool { return x.State == events.StateAccepted }

// answers makes a callee ring, accept or decline. It is mostly a pending callee, in the attempt that they see.
func (w *world) answers(m move, h *history) {
	c := h.last().Call
	list := w.pending(c)
	if len(list) == 0 || w.chance(0.08) {
		list = users(c, func(events.Callee) bool { return true })
	}
	x := c.Callee(pick(w.r, list...))
	cmd := command(events.Verb(m), x.UserID, w.device())
	cmd.Attempt = pick(w.r, 0, x.Attempt, x.Attempt, x.Attempt, max(1, x.Attempt-w.r.IntN(2)))
	if m != moveRing {
		cmd.CustomData = w.data()
	}
	if m == moveDecline && w.chance(0.5) {
		cmd.Reason = events.ReasonBusy
	}
	w.do(h, cmd, 0)
}

// asInviter makes the caller, a participant or a service the sender.
func (w *world) asInviter(v events.Verb, c events.Call) events.Command {
	in := users(c, accepted)
	switch {
	case w.chance(0.15):
		cmd := command(v, "", "")
		cmd.Service = "desk"
		return cmd
	case len(in) > 0 && w.chance(w.theme.inviters):
		return command(v, pick(w.r, in...), w.device())
	}
	return command(v, c.Caller.UserID, pick(w.r, c.Caller.DeviceID, c.Caller.DeviceID, w.device()))
}

func (w *world) cancel(h *history) {
	c := h.last().Call
	cmd := w.asInviter(events.VerbCancel, c)
	cmd.CustomData = w.data()
	if list := w.pending(c); len(list) > 0 && w.chance(0.6) {
		for _, u := range w.sample(list, 2) {
			cmd.Callees = append(cmd.Callees, events.Party{UserID: u})
		}
	}
	w.do(h, cmd, 0)
}

func (w *world) leave(h *history) {
	c := h.last().Call
	who := users(c, accepted)
	if w.chance(0.4) || len(who) == 0 {
		who = []string{c.Caller.UserID}
	}
	if w.chance(0.1) {
		who = append(who, w.pending(c)...)
	}
	cmd := command(events.VerbLeave, pick(w.r, who...), w.device())
	cmd.CustomData = w.data()
	w.do(h, cmd, 0)
}

func (w *world) end(h *history) {
	c := h.last().Call
	cmd := command(events.VerbEnd, c.Caller.UserID, w.device())
	if w.chance(0.5) {
		cmd.UserID, cmd.DeviceID, cmd.Service = "", "", "desk"
	}
	cmd.CustomData = w.data()
	w.do(h, cmd, 0)
}

// add invites more people, or invites failed callees again.
func (w *world) add(h *history, again bool) {
	c := h.last().Call
	list := slices.DeleteFunc(slices.Clone(w.cast()), c.Has)
	if again {
		list = users(c, func(x events.Callee) bool { return !x.Pending() && !accepted(x) })
	}
	if len(list) == 0 {
		return
	}
	cmd := w.asInviter(events.VerbAdd, c)
	cmd.CustomData, cmd.Callees, cmd.RingTimeoutS = w.data(), w.parties(w.sample(list, 2)), pick(w.r, 0, 0, 10)
	w.do(h, cmd, w.waited())
}

// repeat sends an earlier command again, as long as the server knows its call.
func (w *world) repeat() {
	cmd := pick(w.r, w.sent[max(0, len(w.sent)-6):]...)
	i := slices.IndexFunc(w.calls, func(h *history) bool { return h.id == cmd.CallID })
	if h := w.calls[i]; cmd.Verb != events.VerbExpire && w.now.Sub(h.written[len(h.written)-1]) < forgets {
		w.do(h, cmd, 0)
	}
}

// fence moves an open call past a claim that was never committed.
func (w *world) fence(h *history) {
	if h.open() {
		cmd := command(events.VerbAdd, "mal", "")
		cmd.App, cmd.CallID, cmd.CommandID = app, h.id, "k-fence"
		w.write(h, call.Fence(h.last(), cmd, call.Input{At: w.now, Now: w.now, Limits: w.limits}))
		w.record(h, 0, nil)
	}
}
