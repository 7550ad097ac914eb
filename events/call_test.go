package events_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// secretCall returns an ended call of ann, bob, eve and fay. Each user's private data contains the user's name.
func secretCall(endedBy string) events.Call {
	c := exampleCall()
	c.State, c.EndReason, c.EndedAt = events.CallStateEnded, events.EndCompleted, events.TimeOf(at("10:05:00"))
	c.Caller.DeviceID = "device-of-ann"
	c.EndedBy = events.By{Kind: events.ByUser, UserID: endedBy, DeviceID: "device-of-" + endedBy}
	c.Callees, c.Custom = nil, map[int]string{}
	for i, user := range []string{"bob", "eve", "fay"} {
		c.Custom[i+2] = "data-of-" + user
		c.Callees = append(c.Callees, events.Callee{
			UserID: user, UserName: strings.ToUpper(user), Attempt: 1, InvitedBy: "ann", State: events.StateLeft, Reason: events.ReasonEnded,
			CustomSeq: i + 2, DeviceID: "device-of-" + user, RingDeadline: 1, At: 2,
		})
	}
	return c
}

var people = []string{"ann", "bob", "eve", "fay"}

// checkSees checks that a message to viewer contains all data that the viewer may see, and no private data of others.
func checkSees(t *testing.T, message, viewer string) {
	t.Helper()
	for _, user := range people {
		may := viewer == "ann" || viewer == user
		for _, secret := range []string{"data-of-" + user, "device-of-" + user} {
			there := strings.Contains(message, secret)
			if there && !may {
				t.Errorf("%s sees %s: %s", viewer, secret, message)
			}
			if !there && may && secret != "data-of-ann" { // a caller has no custom data of their own
				t.Errorf("%s does not see %s: %s", viewer, secret, message)
			}
		}
	}
}

func TestViews(t *testing.T) {
	for _, endedBy := range people {
		for _, viewer := range append([]string{"mal"}, people...) {
			t.Run(viewer+" of what "+endedBy+" ended", func(t *testing.T) {
				c, before := secretCall(endedBy), secretCall(endedBy)
				view := c.For(viewer)
				checkSees(t, encode(t, view), viewer)
				for _, user := range []string{"bob", "eve", "fay"} {
					may, got := viewer == "ann" || viewer == user, view.DataOf(*view.Callee(user))
					if want := map[bool]string{true: "data-of-" + user}[may]; got != want {
						t.Errorf("the data of %s is %q, want %q", user, got, want)
					}
				}
				if view.CustomData != "hi" {
					t.Error("the invitation's own custom data is for all")
				}
				if got := view.EndedBy.DeviceID != ""; got != (viewer == "ann" || viewer == endedBy) {
					t.Errorf("ended_by has a device: %t", got)
				}
				for i := range view.Callees {
					view.Callees[i].State = "changed"
				}
				clear(view.Custom)
				if !reflect.DeepEqual(c, before) {
					t.Errorf("the call itself is now %+v", c)
				}
			})
		}
	}
}

// A view differs from the call only in the private data of other users.
func TestViewOfCallee(t *testing.T) {
	want := secretCall("eve")
	want.Caller.DeviceID, want.EndedBy.DeviceID = "", ""
	for _, i := range []int{1, 2} {
		want.Callees[i].CustomSeq, want.Callees[i].DeviceID = 0, ""
	}
	want.Custom = map[int]string{2: "data-of-bob"}
	if got := secretCall("eve").For("bob"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got, want := secretCall("eve").For("ann"), secretCall("eve"); !reflect.DeepEqual(got, want) {
		t.Errorf("the caller's view is %+v, want all", got)
	}
}

func TestViewsOfServicesAndTimers(t *testing.T) {
	for _, by := range []events.By{{Kind: events.ByService, Service: "desk"}, {Kind: events.ByTimer}, {}} {
		c := secretCall("ann")
		c.EndedBy = by
		for _, viewer := range people {
			if got := c.For(viewer).EndedBy; got != by {
				t.Errorf("%s sees that it was ended by %+v, want %+v", viewer, got, by)
			}
		}
	}
}

func TestNoticesHideDevicesOfOthers(t *testing.T) {
	for _, actor := range people {
		for _, viewer := range people {
			step := exampleStep()
			step.Call = secretCall(actor)
			step.By = events.By{Kind: events.ByUser, UserID: actor, DeviceID: "device-of-" + actor}
			n := events.NewNotice(viewer, step, 3, events.CallEnded)
			checkSees(t, encode(t, n.Stamped(at("10:05:00"))), viewer)
			if got := n.By.DeviceID != ""; got != (viewer == "ann" || viewer == actor) {
				t.Errorf("%s, of what %s did: by has a device: %t", viewer, actor, got)
			}
			if n.To != viewer || n.ID != "c1-4-3" || n.CallID != "c1" || n.Seq != 4 || n.Event != events.CallEnded {
				t.Errorf("got %+v", n)
			}
		}
	}
}

// If a transition has several notices, only the first one and call_ended include the call and its remaining ring
// time.
func TestNoticesWithoutTheCall(t *testing.T) {
	step := exampleStep()
	for k, want := range map[int]bool{0: true, 1: false, 7: false} {
		n := events.NewNotice("ann", step, k, events.OutgoingCallDeclined).Stamped(at("10:00:08"))
		if !n.Call.IsZero() != want || (n.RingRemainingMS != nil) != want || strings.Contains(encode(t, n), `"call":`) != want {
			t.Errorf("notice %d: %s", k, encode(t, n))
		}
	}
	if n := events.NewNotice("ann", step, 7, events.CallEnded); n.Call.IsZero() {
		t.Errorf("call_ended has no call: %+v", n)
	}
}

func TestCallFindsParties(t *testing.T) {
	c := exampleCall()
	for _, user := range []string{"ann", "bob", "eve"} {
		if !c.Has(user) {
			t.Errorf("%s is not in the call", user)
		}
	}
	for _, user := range []string{"mal", "", "Bob"} {
		if c.Has(user) || c.Callee(user) != nil {
			t.Errorf("%q is in the call", user)
		}
	}
	if c.Callee("ann") != nil || c.Callee("eve") != &c.Callees[1] {
		t.Error("Callee does not give the callee of the call")
	}
	if (events.Call{}).Has("") {
		t.Error("a call that does not exist has no parties")
	}
	var pending []events.PartyState
	for _, s := range events.PartyStates() {
		if (events.Callee{State: s}).Pending() {
			pending = append(pending, s)
		}
	}
	if want := []events.PartyState{events.StateInvited, events.StateRinging}; !slices.Equal(pending, want) {
		t.Errorf("pending are %v, want %v", pending, want)
	}
	for _, s := range events.PartyStates() {
		if got := (events.Call{Caller: events.Caller{State: s}}).CallerIn(); got != (s == events.StateIn) {
			t.Errorf("the caller is in while %s: %t", s, got)
		}
	}
}

// ringing returns a call of ann with these callees, each given as "user invited_by state seconds". seconds is the
// ring deadline, counted from 10:00.
func ringing(t *testing.T, caller events.PartyState, callees ...string) events.Call {
	t.Helper()
	c := events.Call{Caller: events.Caller{UserID: "ann", State: caller}}
	for _, line := range callees {
		var x events.Callee
		var seconds int
		if _, err := fmt.Sscan(line, &x.UserID, &x.InvitedBy, &x.State, &seconds); err != nil {
			t.Fatal(err)
		}
		x.RingDeadline = events.TimeOf(at("10:00:00")) + events.Time(seconds*1000)
		c.Callees = append(c.Callees, x)
	}
	return c
}

func TestRingRemaining(t *testing.T) {
	const none = -1
	group := []string{"bob ann ringing 30", "eve ann accepted 99", "fay eve invited 60", "gil eve ringing 45", "hal eve timed_out 90", "ian service:desk invited 70"}
	in := ringing(t, events.StateIn, group...)
	left := ringing(t, events.StateLeft, group...)
	over := ringing(t, events.StateLeft, "bob ann canceled 30", "eve ann left 30")
	gone := ringing(t, events.StateIn, "bob ann ringing 30", "eve ann left 20", "fay eve ringing 60")
	quiet := ringing(t, events.StateIn, "bob ann accepted 30", "eve bob declined 60")
	for _, c := range []struct {
		name string
		call events.Call
		user string
		now  string
		want int64
	}{
		{"a pending callee, their own", in, "bob", "10:00:00", 30_000},
		{"a callee not yet ringing", in, "fay", "10:00:00", 60_000},
		{"the caller, the latest of all", in, "ann", "10:00:00", 70_000},
		{"an inviting participant, the latest of their callees", in, "eve", "10:00:00", 60_000},
		{"a callee after the deadline", in, "hal", "10:00:00", none},
		{"a stranger", in, "mal", "10:00:00", none},
		{"no user", in, "", "10:00:00", none},
		{"a service", in, "service:desk", "10:00:00", none},
		{"a caller who left", left, "ann", "10:00:00", none},
		{"an inviting participant, after the caller left", left, "eve", "10:00:00", 60_000},
		{"a callee, after the caller left", left, "bob", "10:00:00", 30_000},
		{"an inviting participant who left", gone, "eve", "10:00:00", none},
		{"the caller of a call without ringing callees", quiet, "ann", "10:00:00", none},
		{"an inviting participant whose callee declined", quiet, "bob", "10:00:00", none},
		{"the caller of an ended call", over, "ann", "10:00:00", none},
		{"a callee of an ended call", over, "bob", "10:00:00", none},
		{"a moment in between", in, "bob", "10:00:07.25", 22_750},
		{"rounded down", in, "bob", "10:00:07.250000001", 22_749},
		{"rounded down to nothing", in, "bob", "10:00:29.9995", 0},
		{"at the deadline", in, "bob", "10:00:30", 0},
		{"just past the deadline", in, "bob", "10:00:30.0001", 0},
		{"long past the deadline", in, "bob", "11:00:00", 0},
		{"the caller past one of two", in, "ann", "10:00:31", 39_000},
	} {
		got := events.RingRemaining(c.call, c.user, at(c.now))
		switch {
		case got == nil && c.want != none:
			t.Errorf("%s: got none, want %d", c.name, c.want)
		case got != nil && *got != c.want:
			t.Errorf("%s: got %d, want %d", c.name, *got, c.want)
		}
	}
}

// With a slow clock, server_time is not before the times of the call, and the remaining ring time does not exceed the
// full ring time.
func TestClockBehindBrokerTime(t *testing.T) {
	c := ringing(t, events.StateIn, "bob ann invited 60")
	c.Callees[0].At = events.TimeOf(at("10:00:00"))
	c.Callees[0].RingDeadline++ // the deadline is rounded up, the start is truncated
	c.CallID, c.Seq = "c1", 1
	const began, all = "2026-11-24T10:00:00.000Z", 60_000
	n := events.Notice{To: "bob", Notification: events.Notification{Event: events.IncomingCallReceived, UserID: "bob", CallID: "c1", Call: c}}
	for _, now := range []string{"09:59:59.996", "09:59:00"} {
		sent := n.Stamped(at(now))
		if *sent.RingRemainingMS != all || sent.ServerTime.String() != began {
			t.Errorf("at %s a coordinator says %d ms at %s", now, *sent.RingRemainingMS, sent.ServerTime)
		}
		body, _, err := events.Restamped([]byte(encode(t, sent)), "bob", at(now))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`"server_time":%q,"ring_remaining_ms":%d`, began, all); !strings.Contains(string(body), want) {
			t.Errorf("at %s an edge says %s, want %s", now, body, want)
		}
		s := events.NewSnapshot([]events.Call{c}, "bob", "d", at(now))
		if *s.Calls[0].RingRemainingMS != all || s.ServerTime.String() != began {
			t.Errorf("at %s a snapshot says %d ms at %s", now, *s.Calls[0].RingRemainingMS, s.ServerTime)
		}
	}
}

// A notification that was stamped can be stamped again, as an edge does.
func TestStamped(t *testing.T) {
	n := exampleNotice()
	first, second := n.Stamped(at("10:00:08")), n.Stamped(at("10:00:09.9999"))
	if *first.RingRemainingMS != 52_000 || first.ServerTime.String() != "2026-11-24T10:00:08.000Z" {
		t.Errorf("got %d ms at %s", *first.RingRemainingMS, first.ServerTime)
	}
	if *second.RingRemainingMS != 50_000 || second.ServerTime.String() != "2026-11-24T10:00:09.999Z" {
		t.Errorf("got %d ms at %s", *second.RingRemainingMS, second.ServerTime)
	}
	late := n.Stamped(at("10:02:00"))
	body, err := json.Marshal(late)
	if err != nil || !strings.Contains(string(body), `"ring_remaining_ms":0`) {
		t.Errorf("past the deadline: %s, %v, want 0 to be there", body, err)
	}
	if n.ServerTime != 0 || n.RingRemainingMS != nil {
		t.Error("the notice itself was stamped")
	}
}
