package churn

import (
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// at converts milliseconds to a time of the histories in these tests.
func at(ms int) int64 { return int64(ms) * int64(time.Millisecond) }

const bob, ann = "bob", "ann"

// step returns a transition of call c1 from ann to bob, with bob in the given state.
func step(seq int, event events.Event, state events.CallState, callee events.PartyState) events.Transition {
	c := events.Call{
		CallID: "c1", App: "churn", State: state, Seq: seq, Caller: events.Caller{UserID: ann, State: events.StateIn},
		Callees: []events.Callee{{UserID: bob, Attempt: 1, InvitedBy: ann, State: callee}},
	}
	from := events.StateInvited
	if seq == 1 {
		from = ""
	}
	if state == events.CallStateEnded {
		c.Caller.State, c.EndReason = events.StateLeft, events.EndCanceled
	}
	return events.Transition{
		Event: event, Seq: seq, Call: c, Changes: []events.Change{{UserID: bob, Attempt: 1, From: from, To: callee, Reason: reasonOf(callee)}},
	}
}

func reasonOf(s events.PartyState) events.Reason {
	if s == events.StateCanceled {
		return events.ReasonCanceled
	}
	return ""
}

// rang returns the stored transitions of these tests: c1 rings at 1,000 ms, and is canceled at 4,000 ms.
func rang() []events.Transition {
	return []events.Transition{
		step(1, events.EventInvited, events.CallStateRinging, events.StateInvited),
		step(2, events.EventCanceled, events.CallStateEnded, events.StateCanceled),
	}
}

func encoded(t *testing.T, s events.Transition) string {
	t.Helper()
	body, err := s.Encode(events.TimeOf(time.UnixMilli(0)))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// history returns the history of one client of bob's. It is connected from 500 to 2,000 ms and from 3,000 to
// 6,000 ms, and receives everything immediately.
func history(t *testing.T) History {
	t.Helper()
	h := History{App: "churn", Grace: 100 * time.Millisecond, Received: map[Notice]int64{}}
	b := newBook(bob)
	for i, s := range rang() {
		when := []int64{at(1000), at(4000)}[i]
		h.Calls = append(h.Calls, record.Stored{Subject: events.TransitionSubject("churn", "c1"), At: when, Data: encoded(t, s)})
		h.Received[Notice{bob, "c1", s.Seq}] = when + at(2)
		b.see(s.Call.For(bob), when+at(4))
	}
	h.Clients = []Client{{
		User: bob, Device: "d1", Sights: b.sights, Facts: b.facts, Periods: []Period{
			{Asked: at(490), Opened: at(500), Left: at(2000)},
			{Asked: at(2990), Opened: at(3000), Left: at(6000), Showing: []string{"c1"}},
		},
	}}
	return h
}

// found lists the checks that found violations.
func found(t *testing.T, h History) string {
	t.Helper()
	r, err := Check(h)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.Figures {
		if f.Violations > 0 {
			names = append(names, f.Check)
		}
	}
	return strings.Join(names, " ")
}

func TestCorrectRunHasNoFindings(t *testing.T) {
	h := history(t)
	if got := found(t, h); got != "" {
		t.Errorf("found by %s", got)
	}
	r, err := Check(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Figures {
		if f.Looked == 0 {
			t.Errorf("%s looked at nothing", f.Check)
		}
	}
	if r.Notifications != 3 { // incoming; canceled and ended
		t.Errorf("%d notifications", r.Notifications)
	}
}

// What a killed or paused edge did not deliver is exempt. What another edge did not deliver is not.
func TestBrokenEdgesAreExempt(t *testing.T) {
	for edge, want := range map[string]string{"edge-1": "", "edge-2": checkShown} {
		h := history(t)
		h.Clients[0].Edge, h.Breaks = "edge-1", []Break{{Edge: edge, From: at(900), To: at(1100)}}
		h.Clients[0].Sights[0].At = at(1200)
		if got := found(t, h); got != want {
			t.Errorf("%s was broken: found by %q, want %q", edge, got, want)
		}
	}
}

// Every mistake planted in a correct history is found by the matching check.
func TestPlantedMistakesAreFound(t *testing.T) {
	for name, mistake := range map[string]struct {
		plant func(*History, *Client)
		by    string
	}{
		"the ring was not shown": {func(_ *History, c *Client) { c.Sights = c.Sights[1:] }, checkShown},
		"the ring came too late": {func(_ *History, c *Client) { c.Sights[0].At = at(1200) }, checkShown},
		"the end was not notified, and a later snapshot showed it": {func(_ *History, c *Client) {
			c.Sights[1].At = at(7000)
		}, checkNotified},
		"the end was never notified": {func(_ *History, c *Client) { c.Sights, c.Periods = c.Sights[:1], c.Periods[:1] }, checkFinal},
		"a snapshot left out what rings": {func(_ *History, c *Client) {
			c.Periods = []Period{{Asked: at(1990), Opened: at(2000), Left: at(3000)}}
			c.Sights = nil
		}, checkShown},
		"a snapshot omitted a shown call that has ended": {func(_ *History, c *Client) {
			c.Periods = []Period{{Asked: at(5000), Opened: at(5010), Left: at(6000), Showing: []string{"c1"}}}
			c.Sights = c.Sights[:1]
		}, checkNotified + " " + checkFinal},
		"it was said to be over while it rang": {func(_ *History, c *Client) {
			c.Sights = append(c.Sights, Sight{At: at(3000), CallID: "c1", Gone: true})
		}, checkTrue},
		"it was shown in a state that it never had": {func(_ *History, c *Client) { c.Sights[1].Is.Mine = events.StateTimedOut }, checkFinal + " " + checkTrue},
		"a transition was shown that there is not": {func(_ *History, c *Client) {
			c.Sights = append(c.Sights, Sight{At: at(4500), CallID: "c1", Seq: 3, Is: c.Sights[1].Is})
		}, checkTrue},
		"another user's call was shown": {func(_ *History, c *Client) { c.Sights = append(c.Sights, Sight{At: at(4500), CallID: "c2", Seq: 1}) }, checkTrue},
		"it rang twice":                 {func(_ *History, c *Client) { c.Facts = append(c.Facts, c.Facts[0]) }, checkTwice},
		"no device rang": {func(h *History, c *Client) {
			delete(h.Received, Notice{bob, "c1", 1})
			c.Sights = c.Sights[1:]
		}, checkNotified},
		"no notification was sent": {func(h *History, _ *Client) { delete(h.Received, Notice{bob, "c1", 2}) }, checkNotified},
		"a pulse never came":       {func(h *History, _ *Client) { h.Pulses = []Pulse{{Sent: at(3000)}} }, checkNotified},
		"something else was slow": {func(h *History, c *Client) {
			h.Pulses, c.Sights[0].At = []Pulse{{Sent: at(1150), Came: at(1350)}}, at(1240)
		}, checkShown},
		"the call never ended": {func(h *History, c *Client) { h.Calls, c.Sights = h.Calls[:1], c.Sights[:1] }, checkFinal},
	} {
		t.Run(name, func(t *testing.T) {
			h := history(t)
			mistake.plant(&h, &h.Clients[0])
			if got := found(t, h); got != mistake.by {
				t.Errorf("found by %q, want %q", got, mistake.by)
			}
		})
	}
}

// What a client had no time to receive, or could not know, is no violation.
func TestExcuses(t *testing.T) {
	for name, excuse := range map[string]func(*History, *Client){
		"it left as it rang": func(_ *History, c *Client) {
			c.Periods[0].Left, c.Sights[0].At = at(1050), at(3001)
		},
		"it rang and ended while no client was connected": func(_ *History, c *Client) {
			c.Periods, c.Sights, c.Facts = []Period{{Asked: at(100), Opened: at(110), Left: at(900)}, {Asked: at(4500), Opened: at(4510), Left: at(6000)}}, nil, nil
		},
		"it is over by a snapshot": func(_ *History, c *Client) {
			c.Sights[1] = Sight{At: at(4005), CallID: "c1", Gone: true}
		},
		"the deadline passed before the notification": func(h *History, c *Client) {
			over := step(2, events.EventTimedOut, events.CallStateEnded, events.StateTimedOut)
			h.Calls[1].Data = encoded(t, over)
			delete(h.Received, Notice{bob, "c1", 1})
			c.Sights, c.Facts = []Sight{{At: at(4004), CallID: "c1", Seq: 2, Is: userState(over.Call, bob)}}, nil
		},
		"everything was slow": func(h *History, c *Client) {
			h.Pulses, c.Sights[0].At = []Pulse{{Sent: at(1050), Came: at(1250)}}, at(1240)
		},
		"the news is late on NATS": func(h *History, c *Client) {
			h.Received[Notice{bob, "c1", 2}], c.Sights[1].At = at(5500), at(5590)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := history(t)
			excuse(&h, &h.Clients[0])
			if got := found(t, h); got != "" {
				t.Errorf("found by %s", got)
			}
		})
	}
}
