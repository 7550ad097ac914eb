package edgetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// everyVerb runs a group call through sessions only. Each verb is carried out, and the parties concerned are notified.
func everyVerb(s *stage) {
	ann, bob, eve, dan := s.open("ann", `{"device":"a"}`), s.open("bob", `{"device":"b"}`), s.open("eve", ""), s.open("dan", "")
	call := ann.does("invite", `{"call_id":"c1","call_type":1,"callees":[{"user_id":"bob"},{"user_id":"eve"}],"custom_data":"hi"}`)
	if call.Caller.UserID != "ann" || call.Caller.DeviceID != "a" || call.CustomData != "hi" {
		s.Errorf("the call: %s", s.encode(call))
	}
	if got := bob.expect("c1", events.IncomingCallReceived); got.RingRemainingMS == nil || *got.RingRemainingMS > 60_000 {
		s.Errorf("bob receives %s", s.encode(got))
	}
	eve.expect("c1", events.IncomingCallReceived)
	bob.does("ring", `{"call_id":"c1","attempt":1}`)
	ann.expect("c1", events.OutgoingCallRinging)
	eve.does("decline", `{"call_id":"c1","attempt":1,"reason":"busy"}`)
	eve.expect("c1", events.IncomingCallDeclinedElsewhere, events.CallEnded)
	ann.expect("c1", events.OutgoingCallRejectedCauseBusy)
	call = bob.does("accept", `{"call_id":"c1","attempt":1,"command_id":"yes","custom_data":"hello"}`)
	if call.State != events.CallStateActive || call.Callee("bob").DeviceID != "b" {
		s.Errorf("the call: %s", s.encode(call))
	}
	if got := bob.expect("c1", events.IncomingCallAnsweredElsewhere); got.By.DeviceID != "b" {
		s.Errorf("bob receives %s", s.encode(got))
	}
	if got := ann.expect("c1", events.OutgoingCallAccepted); got.CustomData != "hello" {
		s.Errorf("ann receives %s", s.encode(got))
	}
	bob.does("add", `{"call_id":"c1","callees":[{"user_id":"dan"}]}`)
	dan.expect("c1", events.IncomingCallReceived)
	bob.does("cancel", `{"call_id":"c1","callees":["dan"]}`)
	dan.expect("c1", events.IncomingCallCanceled, events.CallEnded)
	ann.does("add", `{"call_id":"c1","callees":[{"user_id":"dan"}]}`)
	dan.expect("c1", events.IncomingCallReceived)
	dan.does("accept", `{"call_id":"c1","attempt":2}`)
	dan.expect("c1", events.IncomingCallAnsweredElsewhere)
	for _, p := range []*person{ann, bob} {
		p.expect("c1", map[string]events.Kind{"ann": events.OutgoingCallAccepted, "bob": events.ParticipantJoined}[p.user])
	}
	dan.does("leave", `{"call_id":"c1"}`)
	dan.expect("c1", events.CallEnded)
	ann.expect("c1", events.ParticipantLeft)
	bob.expect("c1", events.ParticipantLeft)
	if call = ann.does("end", `{"call_id":"c1"}`); call.EndReason != events.EndCompleted {
		s.Errorf("the call: %s", s.encode(call))
	}
	for _, p := range []*person{ann, bob} {
		p.expect("c1", events.CallEnded)
	}
	for _, p := range []*person{ann, bob, eve, dan} {
		p.nothingMore()
	}
}

// timesOut checks that an unanswered call ends by timeout.
func timesOut(s *stage) {
	ann, bob := s.open("ann", ""), s.open("bob", "")
	ann.does("invite", `{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":2}`)
	bob.expectAll("c1", events.IncomingCallReceived, events.IncomingCallTimeout, events.CallEnded)
	ann.expect("c1", events.OutgoingCallTimeout)
	if got := ann.expect("c1", events.CallEnded); got.Reason != string(events.EndTimedOut) {
		s.Errorf("ann receives %s", s.encode(got))
	}
}

// answersThatRefuse checks that a refusal is a well-formed answer.
func answersThatRefuse(s *stage) {
	s.ring("over", "ann", "bob")
	s.sent("over", events.VerbCancel, `{"command_id":"k2","user_id":"ann"}`)
	s.ring("others", "dan", "eve")
	bob := s.open("bob", "")
	for _, test := range []struct {
		method, data string
		code         events.Code
		says         string
	}{
		{"nonsense", `{"call_id":"over"}`, events.CodeInvalidArgument, "verb"},
		{"expire", `{"call_id":"over"}`, events.CodePermissionDenied, ""},
		{"accept", `{"call_id":"over","user_id":"bob"}`, events.CodeInvalidArgument, "user_id"},
		{"accept", `{"call_id":"over","device_id":"d"}`, events.CodeInvalidArgument, "device_id"},
		{"accept", `{"call_id":"over","service":"s"}`, events.CodeInvalidArgument, "service"},
		{"accept", `{}`, events.CodeInvalidArgument, "call_id"},
		{"accept", `{"call_id":"a.b"}`, events.CodeInvalidArgument, "call_id"},
		{"accept", `[]`, events.CodeInvalidArgument, ""},
		{"accept", `null`, events.CodeInvalidArgument, ""},
		{"accept", `{"call_id":"nowhere"}`, events.CodeNotFound, ""},
		{"accept", `{"call_id":"others"}`, events.CodePermissionDenied, ""},
		{"accept", `{"call_id":"over"}`, events.CodeCallEnded, ""},
		{"invite", `{"call_id":"c1","call_type":0,"callees":[]}`, events.CodeInvalidArgument, "callees"},
	} {
		if got := bob.mayNot(test.method, test.data, test.code); !strings.Contains(got.Error.Message, test.says) {
			s.Errorf("%s with %s: %q does not name %s", test.method, test.data, got.Error.Message, test.says)
		}
	}
	a := bob.mayNot("accept", `{"call_id":"over","command_id":"mine"}`, events.CodeCallEnded)
	if a.CommandID != "mine" || a.Call == nil || a.Call.EndReason != events.EndCanceled {
		s.Errorf("the answer: %s", s.encode(a))
	}
	if a = bob.mayNot("accept", `{"call_id":"others"}`, events.CodePermissionDenied); a.Call != nil {
		s.Errorf("another user receives %s", s.encode(a))
	}
	if a = bob.mayNot("nonsense", `{"command_id":"mine"}`, events.CodeInvalidArgument); a.CommandID != "mine" {
		s.Errorf("the answer: %s", s.encode(a))
	}
}

// nameOfTheToken checks that the user name in a token overrides the one in a command.
func nameOfTheToken(s *stage) {
	bob := s.open("bob", "")
	const bank, picture = "https://bank.example/logo", "https://a.example/ann"
	ann := s.opened("ann", Client{Token: s.token("ann", func(c *token.Claims) { c.UserName, c.Avatar = "Ann", picture })})
	ann.does("invite", `{"call_id":"c1","call_type":0,"user_name":"The bank","user_avatar":"`+bank+`","callees":[{"user_id":"bob","user_name":"Bobby"}]}`)
	if got := bob.expect("c1", events.IncomingCallReceived).Call.Caller; got.UserName != "Ann" || got.Avatar != picture {
		s.Errorf("bob is called by %+v", got)
	}
	robert := s.opened("bob", Client{Token: s.token("bob", func(c *token.Claims) { c.UserName = "Robert" }), Data: `{"device":"tablet"}`})
	robert.does("accept", `{"call_id":"c1","user_name":"The bank"}`)
	if got := ann.expect("c1", events.OutgoingCallAccepted).Call.Callee("bob"); got.UserName != "Robert" {
		s.Errorf("%+v answers", got)
	}
	eve := s.open("eve", "") // eve's token has no name
	if got := eve.does("invite", `{"call_id":"c2","call_type":0,"user_name":"Eve","callees":[{"user_id":"dan"}]}`); got.Caller.UserName != "Eve" {
		s.Errorf("eve calls as %q", got.Caller.UserName)
	}
}

// reads checks that only the parties of a call can read it, and that a user can read only their own line.
func reads(s *stage) {
	s.ring("c1", "ann", "bob", "eve")
	s.sent("c1", events.VerbAccept, `{"command_id":"k2","user_id":"bob","custom_data":"for ann only"}`)
	ann, eve, dan := s.open("ann", ""), s.open("eve", ""), s.open("dan", "")
	if got := ann.does("get", `{"call_id":"c1"}`); got.DataOf(*got.Callee("bob")) != "for ann only" {
		s.Errorf("ann gets %s", s.encode(got))
	}
	if got := eve.does("get", `{"call_id":"c1"}`); got.Seq != 2 || got.DataOf(*got.Callee("bob")) != "" || len(got.Custom) > 0 {
		s.Errorf("eve gets %s", s.encode(got))
	}
	if a := dan.mayNot("get", `{"call_id":"c1"}`, events.CodePermissionDenied); a.Call != nil {
		s.Errorf("dan gets %s", s.encode(a))
	}
	dan.mayNot("get", `{"call_id":"nowhere"}`, events.CodeNotFound)
	dan.mayNot("get", `{}`, events.CodeInvalidArgument)
	dan.mayNot("line", `{"user_id":"ann"}`, events.CodeInvalidArgument)
	if got := eve.line(); !slices.Equal(got, []string{"c1"}) {
		s.Errorf("the line of eve: %v", got)
	}
	if got := dan.line(); len(got) != 0 {
		s.Errorf("the line of dan: %v", got)
	}
}

// eightUnderWay checks that a session has at most eight commands in flight, and that the ninth is refused at once.
func eightUnderWay(s *stage) {
	const most = 8
	ann, bob := s.open("ann", ""), s.open("bob", "")
	waiting := make([]<-chan json.RawMessage, most)
	for i := range waiting { // an `end` of an unknown call waits for its invitation
		waiting[i] = ann.conn.Call("end", fmt.Sprintf(`{"call_id":"nowhere%d"}`, i))
	}
	ann.mayNot("line", `{}`, events.CodeRateLimited)
	bob.line()
	for i, w := range waiting {
		select {
		case raw := <-w:
			s.Errorf("command %d is answered: %s", i, raw)
		default:
		}
	}
}

// awayAndBack checks that a session may send away and back, with no data or an empty object.
func awayAndBack(s *stage) {
	ann := s.open("ann", `{"device":"phone"}`)
	for _, method := range []string{"away", "back", "back", "away", "away"} {
		if a := ann.ask(method, `{}`); !a.OK || a.Error != nil || a.Call != nil {
			s.Errorf("%s: %s", method, s.encode(a))
		}
	}
	ann.mayNot("away", `{"call_id":"c1"}`, events.CodeInvalidArgument)
	ann.mayNot("back", `[]`, events.CodeInvalidArgument)
}
