package edgetest

import "ringline.io/ringline/events"

// takenElsewhere checks that a call moves between the devices of a user, and that a hang-up concerns what its sender has seen.
// A session that opens during the call is a new tab: it is not in the call, and can take or leave it.
func takenElsewhere(s *stage) {
	ann, phone, laptop := s.open("ann", `{"device":"a"}`), s.open("bob", `{"device":"phone"}`), s.open("bob", `{"device":"laptop"}`)
	bobs := []*person{phone, laptop}
	ann.does("invite", `{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}]}`)
	for _, p := range bobs {
		p.expect("c1", events.IncomingCallReceived)
	}
	phone.does("accept", `{"call_id":"c1","attempt":1}`)
	for _, p := range bobs {
		p.expect("c1", events.IncomingCallAnsweredElsewhere)
	}
	ann.expect("c1", events.OutgoingCallAccepted)

	declined := laptop.mayNot("leave", `{"call_id":"c1","attempt":1,"seen":1}`, events.CodeAnsweredElsewhere) // before it heard of the answer
	if declined.Call == nil || declined.Call.Callee("bob").DeviceID != "phone" || declined.Call.State != events.CallStateActive {
		s.Errorf("the answer: %s", s.encode(declined))
	}
	taken := laptop.does("take", `{"call_id":"c1","attempt":1,"seen":2}`)
	if x := taken.Callee("bob"); x.DeviceID != "laptop" || x.ChangedSeq != 3 {
		s.Errorf("after take: %s", s.encode(taken))
	}
	for _, p := range bobs {
		if got := p.expect("c1", events.CallTaken); got.By.DeviceID != "laptop" || got.UserID != "bob" {
			s.Errorf("bob receives %s", s.encode(got))
		}
	}
	phone.mayNot("leave", `{"call_id":"c1","seen":2}`, events.CodeAnsweredElsewhere)

	tab := s.open("ann", `{"device":"tab"}`)
	if got := tab.calls()["c1"]; got.Caller.DeviceID != "a" || got.Caller.ChangedSeq != 1 {
		s.Errorf("a new tab sees %s", s.encode(got))
	}
	tab.does("take", `{"call_id":"c1","seen":3}`)
	for _, p := range []*person{ann, tab} {
		p.expect("c1", events.CallTaken)
	}
	ann.mayNot("end", `{"call_id":"c1","seen":3}`, events.CodeAnsweredElsewhere)
	laptop.does("leave", `{"call_id":"c1","seen":3}`)
	for _, p := range append(bobs, ann, tab) {
		p.expect("c1", events.CallEnded)
	}
	laptop.nothingMore()
	tab.nothingMore()
	tab.mayNot("drop", `{"call_id":"c1","party":{"user_id":"bob","device_id":"laptop"},"seen":4}`, events.CodePermissionDenied)
}
