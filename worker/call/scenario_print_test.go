package call_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

type transition = events.Transition

func itoa(n int) string { return strconv.Itoa(n) }

// printer writes the results of a command, one fact per line.
type printer struct{ b strings.Builder }

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.b, "  "+format+"\n", args...) }

func (p *printer) written(w call.Write) {
	answer := "ok"
	if w.Err != nil {
		answer = "refused, " + w.Err.Error() + ";"
	}
	p.transition(answer, w)
}

func (p *printer) transition(answer string, w call.Write) {
	c := w.Transition.Call
	state := string(c.State)
	if c.State == events.CallStateEnded {
		state = fmt.Sprintf("ended, %s%s by %s", c.EndReason, in(" into ", c.MergedInto, ""), who(c.EndedBy))
	}
	p.line("%s %s %s by %s: the call is %s", answer, events.TransitionID(c.CallID, c.Seq), w.Transition.Event, who(w.Transition.By), state)
}

// claims lists the users whose lines are claimed, in the order of the claims.
func (p *printer) claims(users []string) {
	if len(users) > 0 {
		p.line("claims %s", strings.Join(slices.Sorted(slices.Values(users)), " "))
	}
}

func (p *printer) kept(k call.Keep) {
	if k.Made > 0 {
		p.line("ok, a repeat of the command of seq %d; all are notified again", k.Made)
	} else {
		p.line("ok, nothing changes")
	}
}

func (p *printer) changes(t transition) {
	for _, ch := range t.Changes {
		text := "change " + ch.UserID
		if ch.Attempt > 0 {
			text += fmt.Sprintf(", attempt %d", ch.Attempt)
		}
		text += ": "
		if ch.From != "" {
			text += string(ch.From) + " → "
		}
		p.line("%s%s", text+string(ch.To), in(" (", string(ch.Reason), ")"))
	}
}

func (p *printer) notifications(t transition, now time.Duration) {
	for _, n := range call.Notify(t) {
		sent := n.Stamped(start.Add(now))
		rings := ""
		if sent.RingRemainingMS != nil {
			rings = ", rings " + seconds(time.Duration(*sent.RingRemainingMS)*time.Millisecond)
		}
		if sent.Call.IsZero() {
			rings += ", without the call"
		}
		p.line("notify %s %s %s%s by %s%s%s%s", n.To, sent.ID, sent.Event, in(" about ", sent.UserID, ""), who(sent.By),
			in(", reason ", sent.Reason, ""), in(`, data "`, sent.CustomData, `"`), rings)
	}
}

func (p *printer) deadlines(before, after transition) {
	for _, d := range call.DeadlinesMade(after, after.Seq) {
		p.line("deadline +%s.%d%s at %s", after.Call.CallID, d.Seq, in(".", string(d.Kind), ""), since(d.At.Time()))
	}
	for _, d := range call.DeadlinesRemoved(before, after) {
		p.line("deadline -%s.%d%s", after.Call.CallID, d.Seq, in(".", string(d.Kind), ""))
	}
}

// view writes this user's view of the call.
func view(c events.Call, user string) string {
	p := &printer{}
	if user != "service" {
		c = c.For(user)
	}
	p.line("%s in room %s, type %d, seq %d: %s%s%s%s", c.CallID, c.RoomID, c.CallType, c.Seq, c.State,
		in(", ", string(c.EndReason), ""), in(" into ", c.MergedInto, ""), in(", data \"", c.CustomData, "\""))
	p.others(c)
	p.line("created at %s, expires at %s%s%s", since(c.CreatedAt.Time()), since(c.ExpiresAt.Time()),
		timestamp(", answered at ", c.AnsweredAt), timestamp(", ended at ", c.EndedAt))
	if c.EndedBy.Kind != "" {
		p.line("ended by %s", who(c.EndedBy))
	}
	if c.Caller.UserID != "" {
		x := c.Caller
		p.line("caller %s%s%s: %s%s since %s", x.UserID, in("/", x.DeviceID, ""), in(" ", x.UserName, "")+in(" with ", x.Avatar, ""), x.State,
			in(" (", string(x.Reason), ")"), since(x.At.Time()))
	}
	for _, x := range c.Callees {
		p.line("callee %s%s%s, attempt %d by %s: %s%s since %s%s%s%s", x.UserID, in("/", x.DeviceID, ""),
			in(" ", x.UserName, "")+in(" with ", x.Avatar, ""), x.Attempt, x.InvitedBy, x.State, in(" (", string(x.Reason), ")"), since(x.At.Time()),
			timestamp(", deadline ", x.RingDeadline), timestamp(", reach deadline ", x.ReachDeadline), in(`, data "`, c.DataOf(x), `"`))
	}
	return p.b.String()
}

// seats writes the device of each party, the seq since which they are as they are, and whether presence watches them.
func seats(c events.Call) string {
	p := &printer{}
	write := func(user, device string, state events.PartyState, changed int, watched bool) {
		p.line("%s%s %s, changed by seq %d%s", user, in("/", device, ""), state, changed, map[bool]string{true: ", watched"}[watched])
	}
	write(c.Caller.UserID, c.Caller.DeviceID, c.Caller.State, c.Caller.ChangedSeq, c.Caller.Watched)
	for _, x := range c.Callees {
		write(x.UserID, x.DeviceID, x.State, x.ChangedSeq, x.Watched)
	}
	return p.b.String()
}

func memory(commands []events.Remembered) string {
	p := &printer{}
	for _, r := range commands {
		text := fmt.Sprintf("%s %s by %s%s, seq %d", r.ID, r.Verb, r.UserID, in("service:", r.Service, ""), r.Seq)
		if r.Attempt > 0 {
			text += fmt.Sprintf(", it answers attempt %d", r.Attempt)
		}
		p.line("%s%s", text, in(", the present attempt of ", strings.Join(r.Callees, ", "), ""))
	}
	return p.b.String()
}

func who(b events.By) string {
	switch b.Kind {
	case events.ByUser:
		return b.UserID + in("/", b.DeviceID, "")
	case events.ByService:
		return "service:" + b.Service
	case events.ByTimer:
		return "timer"
	}
	return fmt.Sprintf("%+v", b)
}

// in writes a value between two texts, or nothing if the value is empty.
func in(before, value, after string) string {
	if value == "" {
		return ""
	}
	return before + value + after
}

func timestamp(before string, t events.Time) string {
	if t == 0 {
		return ""
	}
	return before + since(t.Time())
}

func since(t time.Time) string { return seconds(t.Sub(start)) }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s" }
