package call_test

import (
	"reflect"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// exchange is a model of the lines (docs/architecture.md, "Lines"): which commands claim them, when a claim is dead, and which
// commands release them. A command may stop after its claims, or between the two steps of a glare, like one whose worker
// crashed or was paused. It continues later, and other commands find its claims meanwhile.
type exchange struct {
	calls   map[string]*history
	lines   map[string][]entry // by user
	waiting []delivery
}

// entry is a call on a line.
type entry struct {
	callID string
	seq    int
	at     time.Duration
}

// delivery is a command that a worker handles.
type delivery struct {
	line
	stops string // the step after which it stops: "claimed", "merged" or "" for none

	users []string    // users whose lines it claimed
	base  int         // sequence of the call at the claim
	state string      // while it waits: "" if it was nak'ed with a delay, else the step after which it stopped
	glare *call.Glare // set once the command is merged
}

// lineFacts lists the events around lines that the walks have to reach.
func lineFacts() []string {
	return []string{
		"nak'ed with a delay", "stopped", "went on", "lost its commit", "fenced an open call", "fenced no call", "line busy", "line busy, capacity 2",
		"rings after line busy", "all busy", "line busy in a group that rings", "added, line busy", "caller busy, capacity 2",
		"joined", "joined later", "joined a group that talks", "merged attempt 2", "join: ok, accepted already", "join: over", "join: repeat",
		"deadline of a join",
	}
}

// isOn reports whether the call must be on the user's line: for the caller while in, and for pending and accepted callees.
func isOn(c events.Call, user string) bool {
	if user == c.Caller.UserID && c.Caller.State == events.StateIn {
		return true
	}
	x := c.Callee(user)
	return x != nil && slices.Contains([]events.PartyState{events.StateInvited, events.StateRinging, events.StateAccepted}, x.State)
}

// allUsers lists all users that a command can name.
func allUsers() []string { return append(slices.Clone(people), "mal", "hal", "ivo") }

// bornEnded reports whether the call was created as ended, so that it has no notifications.
func bornEnded(c events.Call) bool {
	return slices.Contains([]events.EndReason{events.EndCallerBusy, events.EndMerged, events.EndFailed}, c.EndReason)
}

// handle takes a command through its steps, until it is done, stops or has to wait.
func (w *world) handle(d delivery) {
	w.turnTo(d.cmd.CallID)
	d.claimed = call.Claimed{}
	d.users = w.claims(d)
	if len(d.users) > 0 {
		claimed, ok := w.claim(d)
		w.turnTo(d.cmd.CallID)
		d.claimed, d.base = claimed, w.last.Seq
		if !ok {
			w.reached["nak'ed with a delay"]++
			w.wait(d, "")
			return
		}
		if d.stops == "claimed" {
			w.reached["stopped"]++
			w.wait(d, "claimed")
			return
		}
	}
	w.finish(d)
}

func (w *world) wait(d delivery, state string) {
	d.state, d.stops = state, ""
	w.waiting = append(w.waiting, d)
}

// resume continues the delivery that has waited the longest. It continues where the delivery stopped if the call has not
// changed, and otherwise starts again at a later time.
func (w *world) resume() {
	if len(w.waiting) == 0 {
		return
	}
	d := w.waiting[0]
	w.waiting = slices.Clone(w.waiting[1:])
	if d.state == "merged" {
		w.reached["joined later"]++
		w.join(d)
		return
	}
	w.turnTo(d.cmd.CallID)
	if d.state == "claimed" && w.last.Seq == d.base {
		w.reached["went on"]++
		w.finish(d)
		return
	}
	if d.state == "claimed" {
		w.reached["lost its commit"]++
	}
	d.now = max(d.now, w.now)
	w.handle(d)
}

// finish decides a command after its claims. A merged invitation then joins the first call.
func (w *world) finish(d delivery) {
	o := w.decide(d)
	w.release(d.cmd, o)
	g := call.Merged(w.last)
	if _, refused := o.(call.Refuse); g == nil || refused || d.cmd.Verb != events.VerbInvite {
		return
	}
	d.glare = g
	if d.stops == "merged" {
		w.wait(d, "merged")
		return
	}
	w.join(d)
}

// claims returns the users whose lines the command has to claim: those that it would bring into the call. There are none if the
// command is refused, a repeat or late.
func (w *world) claims(d delivery) []string {
	in := d.input(w.limits)
	got := slices.Sorted(slices.Values(call.Claims(call.Decide(w.last, d.cmd, in), d.cmd)))
	if again := slices.Sorted(slices.Values(call.Claims(call.Decide(w.read, d.cmd, in), d.cmd))); !slices.Equal(got, again) {
		w.failf("claims %v, but %v after a round trip", got, again)
	}
	var want []string
	timeout := w.limits.RingTimeout
	if d.cmd.RingTimeoutS > 0 {
		timeout = time.Duration(d.cmd.RingTimeoutS) * time.Second
	}
	_, writes := call.Decide(w.last, d.cmd, in).(call.Write)
	late := d.now-d.at > min(timeout, time.Minute)
	if invites := d.cmd.Verb == events.VerbInvite; writes && !late && (invites || d.cmd.Verb == events.VerbAdd) {
		cmd := d.cmd
		cmd.Callees = invitees(w.last.Call, d.cmd)
		want = claimants(cmd)
	}
	if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		w.failf("%s claims %v, want %v", w.json(d.cmd), got, want)
	}
	return got
}

// claimants lists the users that an invite or add concerns.
func claimants(cmd events.Command) []string {
	var users []string
	for _, p := range cmd.Callees {
		users = append(users, p.UserID)
	}
	if cmd.Verb == events.VerbInvite {
		users = append(users, cmd.UserID)
	}
	return users
}

// claim claims the lines one after another. It is not ok if a claim in flight is in its way. Claims that were made stay.
func (w *world) claim(d delivery) (got call.Claimed, ok bool) {
	base := w.last.Seq
	for _, u := range d.users {
		live, glare, ok := w.judge(d, u)
		switch {
		case !ok:
			return call.Claimed{}, false
		case glare != nil:
			return call.Claimed{Glare: glare}, true
		case slices.ContainsFunc(w.lines[u], func(e entry) bool { return e == entry{d.cmd.CallID, base, e.at} }):
		case len(live) < w.limits.Capacity:
			w.lines[u] = append(live, entry{d.cmd.CallID, base, d.now})
		case u == d.cmd.UserID:
			return call.Claimed{CallerBusy: true}, true
		default:
			got.Busy = append(got.Busy, u)
		}
	}
	for id, c := range w.calls {
		if id != d.cmd.CallID && crossing(d.cmd, c.last.Call) != nil {
			w.failf("%s crosses %s, and has not met it", w.json(d.cmd), id)
		}
	}
	return got, true
}

// judge checks every entry of a line but the command's own, and lists the live ones. It is not ok if an entry is in flight. It
// moves the call of such an entry past it after 30 s.
func (w *world) judge(d delivery, user string) (live []entry, glare *call.Glare, ok bool) {
	for _, e := range w.lines[user] {
		c := w.calls[e.callID]
		switch {
		case e.callID == d.cmd.CallID:
		case isOn(c.last.Call, user):
			glare = call.FindGlare(d.cmd, c.last.Call)
			if want := crossing(d.cmd, c.last.Call); !reflect.DeepEqual(glare, want) {
				w.failf("%s meets %s: %+v, want %+v", w.json(d.cmd), w.json(c.last.Call), glare, want)
			}
			if glare != nil {
				return nil, glare, true
			}
			live = append(live, e)
		case c.last.Seq > e.seq: // dead
		case d.now-e.at < 30*time.Second:
			return nil, nil, false
		default:
			w.fence(e.callID, d)
		}
	}
	return live, nil, true
}

// crossing returns the glare between the command and the call by the rule of CONTRACT, or nil.
func crossing(cmd events.Command, c events.Call) *call.Glare {
	if cmd.Verb != events.VerbInvite || len(cmd.Callees) != 1 || c.State == events.CallStateEnded {
		return nil
	}
	for _, x := range c.Callees {
		pends := x.State == events.StateInvited || x.State == events.StateRinging
		if x.UserID == cmd.UserID && pends && c.Caller.UserID == cmd.Callees[0].UserID && c.Caller.State == events.StateIn {
			return &call.Glare{CallID: c.CallID, Attempt: x.Attempt}
		}
	}
	return nil
}

// fence moves a call past a stale claim.
func (w *world) fence(callID string, d delivery) {
	w.turnTo(callID)
	d.cmd.CallID = callID
	in := d.input(w.limits)
	o := w.twice(d.line, func(last events.Transition) call.Outcome { return call.Fence(last, d.cmd, in) })
	if w.last.Seq == 0 {
		w.reached["fenced no call"]++
	} else {
		w.reached["fenced an open call"]++
	}
	w.write(d, o.(call.Write))
}

// join continues a merged invitation in the call that it crosses.
func (w *world) join(d delivery) {
	w.turnTo(d.glare.CallID)
	in := d.input(w.limits)
	o := w.twice(d.line, func(last events.Transition) call.Outcome { return call.Join(last, d.cmd, *d.glare, in) })
	before := w.last
	w.checkJoin(before, d, o)
	if wr, ok := o.(call.Write); ok {
		second := d.cmd.CallID
		d.cmd.CallID, d.users = d.glare.CallID, nil
		w.write(d, wr)
		w.checkGlare(before.Call, d.cmd, second)
	}
}

// release removes the dead entries of the call. It does so on the lines of the users that the command concerned or the
// transition changed, if they are not in the call.
func (w *world) release(cmd events.Command, o call.Outcome) {
	users := []string{}
	if cmd.Verb == events.VerbInvite || cmd.Verb == events.VerbAdd {
		users = claimants(cmd)
	}
	if wr, ok := o.(call.Write); ok {
		for _, ch := range wr.Transition.Changes {
			users = append(users, ch.UserID)
		}
	}
	for _, u := range users {
		w.lines[u] = slices.DeleteFunc(slices.Clone(w.lines[u]), func(e entry) bool {
			return e.callID == cmd.CallID && w.last.Seq > e.seq && !isOn(w.last.Call, u)
		})
	}
}

// checkLines: no user is in more calls than their line holds, and the line names each of these calls. Every other entry is a
// claim of a command that will continue.
func (w *world) checkLines() {
	for _, u := range allUsers() {
		line := w.lines[u]
		in := 0
		for id, c := range w.calls {
			if !isOn(c.last.Call, u) {
				continue
			}
			in++
			if !slices.ContainsFunc(line, func(e entry) bool { return e.callID == id }) {
				w.failf("%s is in %s, which is not on their line %v", u, id, line)
			}
		}
		if in > w.limits.Capacity || len(line) > w.limits.Capacity {
			w.failf("%s is in %d calls, on their line %v", u, in, line)
		}
		for _, e := range line {
			waits := func(d delivery) bool { return d.cmd.CallID == e.callID && slices.Contains(claimants(d.cmd), u) }
			if !isOn(w.calls[e.callID].last.Call, u) && !slices.ContainsFunc(w.waiting, waits) {
				w.failf("%s is stuck on the line of %s", e.callID, u)
			}
		}
	}
}

// settle continues all waiting deliveries. After that, each line has exactly the calls that its user is in.
func (w *world) settle() {
	for range 16 {
		if len(w.waiting) == 0 {
			break
		}
		w.now += 31 * time.Second
		for range len(w.waiting) {
			w.resume()
			w.checkLines()
		}
	}
	if len(w.waiting) > 0 {
		w.failf("waits for ever: %+v", w.waiting)
	}
	w.checkLines()
}
