package call_test

import (
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// A user whose id looks like a service in invited_by is not mistaken for that service. They may not cancel the callees that the
// service invited, and receive no notifications as the inviter of these callees.
func TestUserIsNotAService(t *testing.T) {
	const posing = "service:desk"
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	in := call.Input{At: at, Now: at, Limits: call.DefaultLimits()}
	var last events.Transition
	do := func(verb events.Verb, cmd events.Command) call.Outcome {
		t.Helper()
		cmd.CommandAddress = events.CommandAddress{App: "demo", CallID: "c1", Verb: verb}
		cmd.CommandID = string(verb) + cmd.UserID
		o := call.Decide(last, cmd, in)
		if w, ok := o.(call.Write); ok {
			last = w.Transition
		}
		return o
	}
	do(events.VerbInvite, events.Command{UserID: "ann", Callees: []events.Party{{UserID: posing}, {UserID: "bob"}}})
	do(events.VerbAccept, events.Command{UserID: posing})
	do(events.VerbAdd, events.Command{Service: "desk", Callees: []events.Party{{UserID: "eve"}}})
	if eve := last.Call.Callee("eve"); eve == nil || eve.InvitedBy != posing {
		t.Fatalf("eve is %+v", eve)
	}
	r, refused := do(events.VerbCancel, events.Command{UserID: posing, Callees: []events.Party{{UserID: "eve"}}}).(call.Refuse)
	if !refused || r.Err.Code != events.CodePermissionDenied {
		t.Errorf("their cancel gives %+v", r)
	}
	do(events.VerbRing, events.Command{UserID: "eve"})
	for _, n := range call.Notify(last) {
		if n.To != "ann" {
			t.Errorf("%s receives %s", n.To, n.Event)
		}
	}
}
