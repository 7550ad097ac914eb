package call_test

import (
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// decided describes an outcome: the event of the transition, the code of the refusal, wait or keep.
func decided(o call.Outcome) string {
	switch o := o.(type) {
	case call.Write:
		if o.Err != nil {
			return string(o.Transition.Event) + " " + string(o.Err.Code)
		}
		return string(o.Transition.Event)
	case call.Refuse:
		return string(o.Err.Code)
	case call.Wait:
		return "wait"
	case call.Keep:
		return "keep"
	}
	return ""
}

// A session can neither create a call with an id that is reserved for the backend nor take such an id out of use. A backend can
// do both.
func TestIDsOfTheBackend(t *testing.T) {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	limits := call.DefaultLimits()
	for _, x := range []struct {
		id, verb, via, first, later string
	}{
		{"s_17", "invite", "session", "permission_denied", "permission_denied"},
		{"s_17", "cancel", "session", "wait", "not_found"},
		{"s_17", "leave", "session", "wait", "not_found"},
		{"s_17", "end", "session", "wait", "not_found"},
		{"s_17", "add", "session", "wait", "not_found"},
		{"s_17", "ring", "session", "not_found", "not_found"},
		{"s_17", "invite", "", "invited", "invited"},
		{"s_17", "cancel", "", "wait", "fenced not_found"},
		{"s17", "invite", "session", "invited", "invited"},
		{"s17", "end", "session", "wait", "fenced not_found"},
		{"as_17", "leave", "session", "wait", "fenced not_found"},
	} {
		cmd := events.Command{
			CommandAddress: events.CommandAddress{App: "demo", CallID: x.id, Verb: events.Verb(x.verb)}, CommandID: "k",
			UserID: "ann", Callees: []events.Party{{UserID: "bob"}}, Via: events.Via(x.via),
		}
		for after, want := range map[time.Duration]string{time.Millisecond: x.first, 6 * time.Second: x.later} {
			got := decided(call.Decide(events.Transition{}, cmd, call.Input{At: at, Now: at.Add(after), Limits: limits}))
			if got != want {
				t.Errorf("%s of %s via %q after %v: %s, want %s", x.verb, x.id, x.via, after, got, want)
			}
		}
	}
	invite := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: "s_1", Verb: events.VerbInvite}, CommandID: "k", UserID: "ann",
		Callees: []events.Party{{UserID: "bob"}},
	}
	in := call.Input{At: at, Now: at, Limits: limits}
	made := call.Decide(events.Transition{}, invite, in).(call.Write).Transition
	invite.CommandID, invite.Via = "other", events.ViaSession
	if got := decided(call.Decide(made, invite, in)); got != "permission_denied" {
		t.Errorf("the id of a call that exists: %s", got)
	}
	accept := events.Command{CommandAddress: invite.CommandAddress, CommandID: "a", UserID: "bob", Via: events.ViaSession}
	accept.Verb = events.VerbAccept
	if got := decided(call.Decide(made, accept, in)); got != "accepted" {
		t.Errorf("a session's answer to the backend's call: %s", got)
	}
	in.Limits.BackendPrefix = "crm-"
	if got := decided(call.Decide(events.Transition{}, invite, in)); got != "invited" {
		t.Errorf("with another prefix: %s", got)
	}
}

// The sessions of a user can make a limited number of callees ring at once, in this call and in others. The limit does not
// apply to a backend.
func TestConcurrentlyRingingCallees(t *testing.T) {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	limits := call.DefaultLimits()
	limits.RingingPerCaller = 3
	in := call.Input{At: at, Now: at, Limits: limits}
	command := func(v events.Verb, via events.Via, callees ...string) events.Command {
		c := events.Command{
			CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: v}, CommandID: "k" + strings.Join(callees, ""),
			UserID: "ann", Via: via,
		}
		for _, u := range callees {
			c.Callees = append(c.Callees, events.Party{UserID: u})
		}
		return c
	}
	none := events.Transition{}
	tooMany := call.Decide(none, command(events.VerbInvite, events.ViaSession, "b", "c", "d", "e"), in)
	if decided(tooMany) != "rate_limited" || !strings.Contains(tooMany.(call.Refuse).Err.Message, "at most 3 callees of a user may ring at the same time (ringing_per_caller), got 4") {
		t.Errorf("four at once: %+v", tooMany)
	}
	if got := decided(call.Decide(none, command(events.VerbInvite, "", "b", "c", "d", "e"), in)); got != "invited" {
		t.Errorf("four of the backend's: %s", got)
	}
	made := call.Decide(none, command(events.VerbInvite, events.ViaSession, "b", "c"), in).(call.Write).Transition
	if got := call.RungBy(made.Call, "ann"); got != 2 {
		t.Errorf("%d ring", got)
	}
	for callees, want := range map[string]string{"d": "added", "d e": "rate_limited"} {
		if got := decided(call.Decide(made, command(events.VerbAdd, events.ViaSession, strings.Fields(callees)...), in)); got != want {
			t.Errorf("add %s: %s, want %s", callees, got, want)
		}
	}
	in.Ringing = 1
	if got := decided(call.Decide(made, command(events.VerbAdd, events.ViaSession, "d"), in)); got != "rate_limited" {
		t.Errorf("one rings in another call: %s", got)
	}
	decline := command(events.VerbDecline, events.ViaSession)
	decline.UserID = "b"
	declined := call.Decide(made, decline, in).(call.Write).Transition
	if got := decided(call.Decide(declined, command(events.VerbAdd, events.ViaSession, "d"), in)); got != "added" {
		t.Errorf("after one has declined: %s", got)
	}
}

// With room_id_from=service, only a sender outside of client sessions chooses the room of a call.
func TestRoomOfASession(t *testing.T) {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	in := call.Input{At: at, Now: at, Limits: call.DefaultLimits()}
	for _, x := range []struct {
		backendRooms bool
		via          events.Via
		room, want   string
	}{
		{false, events.ViaSession, "r1", "invited"},
		{true, events.ViaSession, "r1", "invalid_argument"},
		{true, events.ViaSession, "", "invited"},
		{true, "", "r1", "invited"},
	} {
		in.Limits.BackendRooms = x.backendRooms
		invite := events.Command{
			CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: events.VerbInvite}, CommandID: "k", UserID: "ann",
			Callees: []events.Party{{UserID: "bob"}}, RoomID: x.room, Via: x.via,
		}
		if got := decided(call.Decide(events.Transition{}, invite, in)); got != x.want {
			t.Errorf("%+v: %s", x, got)
		}
	}
}
