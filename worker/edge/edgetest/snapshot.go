package edgetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
)

// snapshotIsWhole checks that the first message to a client has its device id, the time, and the calls on its line.
func snapshotIsWhole(s *stage) {
	if dan := s.open("dan", ""); !strings.Contains(string(dan.raw), `"calls":[]`) {
		s.Errorf("a line without a call: %s", dan.raw)
	}
	call := s.ring("c1", "ann", "bob")
	bob := s.open("bob", `{"device":"bob-phone.tab1"}`)
	if got := bob.snapshot; got.DeviceID != "bob-phone.tab1" || len(got.Calls) != 1 {
		s.Fatalf("the snapshot: %s", bob.raw)
	}
	if off := time.Since(bob.snapshot.ServerTime.Time()); off < -time.Second || off > within {
		s.Errorf("server_time is off by %v", off)
	}
	got := bob.snapshot.Calls[0]
	if got.Call.CallID != "c1" || got.Call.Seq != call.Seq || got.Call.State != events.CallStateRinging {
		s.Errorf("the call: %s", bob.raw)
	}
	deadline := bob.snapshot.Calls[0].Call.Callees[0].RingDeadline.Time().Sub(bob.snapshot.ServerTime.Time())
	if left := got.RingRemainingMS; left == nil || *left > deadline.Milliseconds() || *left < deadline.Milliseconds()-1 {
		s.Errorf("ring_remaining_ms does not go with %v: %s", deadline, bob.raw)
	}
	s.sent("c1", events.VerbAccept, `{"command_id":"k2","user_id":"bob"}`)
	if got := s.open("bob", "").snapshot.Calls; len(got) != 1 || got[0].RingRemainingMS != nil || got[0].Call.State != events.CallStateActive {
		s.Errorf("once it is answered: %s", s.encode(got))
	}
}

// snapshotHidesWhatIsOthers checks that a snapshot reveals no more than the user's view of the call.
func snapshotHidesWhatIsOthers(s *stage) {
	s.ring("c1", "ann", "bob", "eve")
	s.sent("c1", events.VerbAccept, `{"command_id":"k2","user_id":"bob","device_id":"bob-phone","custom_data":"for ann only"}`)
	for user, sees := range map[string]bool{"ann": true, "bob": true, "eve": false} {
		raw := string(s.open(user, "").raw)
		for _, hidden := range []string{"for ann only", "bob-phone"} {
			if strings.Contains(raw, hidden) != sees {
				s.Errorf("%s and %q: %s", user, hidden, raw)
			}
		}
		if strings.Contains(raw, "ann-phone") != (user == "ann") || !strings.Contains(raw, `"custom_data":"hi"`) {
			s.Errorf("%s: %s", user, raw)
		}
	}
}

// snapshotOfWhatIsShown checks that a snapshot has the user's calls that the client still shows, ended or not, and no
// calls of others. A shown call that is missing from the snapshot is over.
func snapshotOfWhatIsShown(s *stage) {
	s.ring("ended", "ann", "bob")
	s.sent("ended", events.VerbCancel, `{"command_id":"k2","user_id":"ann"}`)
	s.ring("others", "dan", "eve")
	s.ring("open", "ann", "bob")
	bob := s.open("bob", `{"showing":["others","ended","nowhere","open","ended"]}`)
	ids := make([]string, 0, 2)
	for _, c := range bob.snapshot.Calls {
		ids = append(ids, c.Call.CallID)
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"ended", "open"}) {
		s.Fatalf("the calls are %v", ids)
	}
	if got := bob.calls()["ended"]; got.State != events.CallStateEnded || got.EndReason != events.EndCanceled {
		s.Errorf("the call that has ended: %s", s.encode(got))
	}
}

// connectDataThatIsRefused checks that malformed connect data is refused, and that unknown fields are ignored.
func connectDataThatIsRefused(s *stage) {
	many := strings.TrimSuffix(strings.Repeat(`"c",`, events.MaxShowing+1), ",")
	for _, data := range []string{
		`[]`, `"x"`, `7`, `{"device":7}`, `{"device":"a\u0000b"}`, fmt.Sprintf(`{"device":"%0129d"}`, 0),
		`{"showing":"c1"}`, `{"showing":["a b"]}`, `{"showing":[7]}`, `{"showing":[` + many + `]}`,
	} {
		s.refused(data, Client{Token: s.token("ann"), Data: data}, badRequest)
	}
	if got := s.open("ann", `{"device":"d1","later":{"x":1}}`).snapshot.DeviceID; got != "d1" {
		s.Errorf("the device is %q", got)
	}
}
