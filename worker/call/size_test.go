package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
)

// name returns an id of n bytes: quotes, and a number at the end.
func name(n, i int) string { return strings.Repeat(`"`, n-3) + fmt.Sprintf("%03d", i) }

// token returns a token of maximum length with this number.
func token(i int) string { return fmt.Sprintf("%0*d", events.MaxToken, i) }

// picture returns a URL of maximum length with this number.
func picture(i int) string { return fmt.Sprintf("https://%0*d", events.MaxAvatar-len("https://"), i) }

// longest returns an invitation of n callees with all fields at their maximum length.
func longest(n int) (events.Command, Input) {
	at := time.Date(2026, 11, 24, 10, 0, 0, 250e6, time.UTC)
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: token(0), CallID: token(0), Verb: events.VerbInvite}, CommandID: token(0),
		UserID: name(events.MaxName, 0), DeviceID: name(events.MaxName, 0), UserName: name(events.MaxUserName, 0), UserAvatar: picture(0),
		RoomID: name(events.MaxName, 0), CustomData: strings.Repeat(`"`, events.MaxCustomData/2),
	}
	for i := range n {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: name(events.MaxName, i+1), UserName: name(events.MaxUserName, i+1)})
	}
	return cmd, Input{At: at, Now: at, Limits: DefaultLimits()}
}

// fullest returns a transition that is at least as large as any that the call can reach without another add.
func fullest(t events.Transition) events.Transition {
	const seq = 1_000_000_000
	c, by := &t.Call, events.By{Kind: events.ByUser, UserID: t.Call.Callees[0].UserID, DeviceID: name(events.MaxName, 1)}
	t.Seq, c.Seq, t.By, c.EndedBy, t.Event = seq, seq, by, by, events.EventCanceled
	t.CustomData = strings.Repeat(`"`, events.MaxCustomData/2)
	c.State, c.EndReason, c.AnsweredAt, c.EndedAt, c.MergedInto = events.CallStateRinging, events.EndCallerBusy, 1, 1, token(0)
	t.Changes, c.Custom, c.Callees = nil, map[int]string{}, slices.Clone(c.Callees)
	c.Caller.State, c.Caller.Reason, c.Caller.ChangedSeq, c.Caller.Watched = events.StateLeft, events.ReasonLost, seq, true
	t.Changes = append(t.Changes, events.Change{
		UserID: c.Caller.UserID, From: events.StateIn, To: events.StateLeft, Reason: events.ReasonLost,
	})
	commands := func(n int, r events.Remembered) {
		for range n {
			r.ID, r.Verb, r.Seq, r.Attempt = token(len(t.Commands)), events.VerbDecline, seq, seq
			t.Commands = append(t.Commands, r)
		}
	}
	commands(PerSender, events.Remembered{UserID: c.Caller.UserID})
	commands(1, events.Remembered{UserID: c.Callees[0].UserID}) // the first accept
	commands(1, events.Remembered{Service: token(0)})           // the end
	for i := range c.Callees {
		x := &c.Callees[i]
		commands(1, events.Remembered{Service: token(i)})
		commands(PerSender, events.Remembered{UserID: x.UserID})
		x.State, x.Reason, x.DeviceID, x.Attempt, x.CustomSeq = events.StateTimedOut, events.ReasonNotReached, name(events.MaxName, i), seq, seq+i
		x.ChangedSeq, x.Watched, x.ReachDeadline = seq, true, x.RingDeadline
		c.Custom[x.CustomSeq] = strings.Repeat(`"`, events.MaxCustom/2/len(c.Callees))
		t.Changes = append(t.Changes, events.Change{
			UserID: x.UserID, Attempt: seq, From: events.StateAccepted, To: x.State, Reason: x.Reason,
		})
	}
	return t
}

// A call that an invitation created never exceeds MaxTransition, with all fields at maximum length and each byte a quote. An
// invitation with one callee more is refused, and so is the add of that callee.
func TestLargestTransition(t *testing.T) {
	var invited events.Transition
	n := 1
	for ; ; n++ {
		cmd, in := longest(n)
		o := Decide(events.Transition{}, cmd, in)
		w, ok := o.(Write)
		if !ok {
			checkTooLarge(t, o)
			break
		}
		invited = w.Transition
		body, err := fullest(invited).Encode(w.At)
		if err != nil || len(body) > most(invited) || most(invited) > MaxTransition {
			t.Errorf("%d callees: %d bytes, reserved are %d, %v", n, len(body), most(invited), err)
		}
		if spare := most(invited) - len(body); spare > 1500+60*n {
			t.Errorf("%d callees: %d bytes are reserved and not needed", n, spare)
		}
	}
	t.Logf("%d callees with the longest ids and names", n-1)
	if n < 20 || n > 50 {
		t.Errorf("an invitation of %d callees is refused", n)
	}
	add, in := longest(n)
	add.Verb, add.CommandID, add.Callees, add.CustomData = events.VerbAdd, token(1), add.Callees[n-1:], ""
	checkTooLarge(t, Decide(invited, add, in))
	old := invited
	old.Format = 1
	if !isWrite(Decide(old, add, in)) {
		t.Error("a call of format 1 has no such limit")
	}
}

// An answer is carried out even if the call has no room for the name and the picture that it carries. Then the call keeps the
// previous ones.
func TestNoRoomForTheNameOfAnAnswer(t *testing.T) {
	fits := func(cmd events.Command, in Input) (bool, events.Transition) {
		w, ok := Decide(events.Transition{}, cmd, in).(Write)
		return ok, w.Transition
	}
	n := 1
	for ; ; n++ {
		if ok, _ := fits(longest(n + 1)); !ok {
			break
		}
	}
	for _, x := range []struct {
		callees int
		room    bool
	}{{1, true}, {n, false}} {
		cmd, in := longest(x.callees)
		for i := range cmd.Callees {
			cmd.Callees[i].UserName = strings.Repeat("n", 256) // half as long as the name of the answer
		}
		if !x.room { // fill what the shorter names left
			for ok := true; ok; {
				cmd.Callees = append(cmd.Callees, events.Party{UserID: name(events.MaxName, len(cmd.Callees)+1)})
				ok, _ = fits(cmd, in)
			}
			cmd.Callees = cmd.Callees[:len(cmd.Callees)-1]
			for i := 1; i < len(cmd.Callees); i++ {
				before := cmd.Callees[i].UserName
				cmd.Callees[i].UserName = name(events.MaxUserName, i)
				if ok, _ := fits(cmd, in); !ok {
					cmd.Callees[i].UserName = before
				}
			}
		}
		_, last := fits(cmd, in)
		accept := events.Command{
			CommandAddress: cmd.CommandAddress, CommandID: token(1), UserID: cmd.Callees[0].UserID, DeviceID: name(events.MaxName, 1),
			UserName: name(events.MaxUserName, 1), UserAvatar: picture(1),
		}
		accept.Verb = events.VerbAccept
		w, ok := Decide(last, accept, in).(Write)
		if !ok {
			t.Fatalf("%d callees: the answer is refused", len(cmd.Callees))
		}
		got := w.Transition.Call.Callees[0]
		if kept := got.UserName == cmd.Callees[0].UserName && got.Avatar == ""; got.State != events.StateAccepted || kept == x.room {
			t.Errorf("%d callees: %+v", len(cmd.Callees), got)
		}
		body, err := fullest(w.Transition).Encode(w.At)
		if err != nil || len(body) > MaxTransition {
			t.Errorf("%d callees: %d bytes, %v", len(cmd.Callees), len(body), err)
		}
	}
}

func isWrite(o Outcome) bool { _, ok := o.(Write); return ok }

func checkTooLarge(t *testing.T, o Outcome) {
	t.Helper()
	refused, ok := o.(Refuse)
	if !ok || refused.Err.Code != events.CodeInvalidArgument || !strings.HasPrefix(refused.Err.Message, "callees: ") ||
		!strings.Contains(refused.Err.Message, fmt.Sprint(MaxTransition)) {
		t.Errorf("got %T %v, want a refusal that names callees and the limit", o, refused.Err)
	}
}

// 50 callees fit with ids and names of up to 64 bytes without quotes, and with maximum custom data.
func TestUsualNamesFit(t *testing.T) {
	cmd, in := longest(0)
	cmd.UserID = token(99)
	for i := range events.MaxCallees {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: token(i), UserName: token(i)})
	}
	if o := Decide(events.Transition{}, cmd, in); !isWrite(o) {
		t.Errorf("got %v", o.(Refuse).Err)
	}
}
