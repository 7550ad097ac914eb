package events_test

import (
	"encoding/json"
	"fmt"

	"ringline.io/ringline/events"
)

// A backend invites bob: the subject and the body of the command.
func Example() {
	invite := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: events.VerbInvite},
		CommandID:      "k1",
		UserID:         "ann",
		UserName:       "Ann",
		CallType:       events.CallTypeVideo,
		Callees:        []events.Party{{UserID: "bob", UserName: "Bob"}},
		RingTimeoutS:   30,
	}
	body, err := invite.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(events.CommandSubject(invite.App, invite.CallID, invite.Verb))
	fmt.Println(string(body))
	// Output:
	// ringline.demo.cmd.c1.invite
	// {"command_id":"k1","user_id":"ann","user_name":"Ann","call_type":1,"callees":[{"user_id":"bob","user_name":"Bob"}],"ring_timeout_s":30}
}

// A program subscribes to the notifications of one user and decodes them.
func ExampleNotification() {
	fmt.Println("subscribe to", events.UserSubject("demo", "bob@example.com"))

	data := []byte(`{"event":"incoming_call_received","id":"c1-1-0","call_id":"c1","seq":1,"user_id":"bob@example.com",
		"by":{"kind":"user","user_id":"ann"},"server_time":"2026-11-24T10:00:00.010Z","ring_remaining_ms":59990,
		"call":{"call_id":"c1","app":"demo","room_id":"c1","call_type":1,"state":"ringing","seq":1,
			"caller":{"user_id":"ann","user_name":"Ann","state":"in","at":"2026-11-24T10:00:00.000Z"},
			"callees":[{"user_id":"bob@example.com","attempt":1,"invited_by":"ann","state":"invited",
				"ring_deadline":"2026-11-24T10:01:00.000Z","at":"2026-11-24T10:00:00.000Z"}],
			"created_at":"2026-11-24T10:00:00.000Z","expires_at":"2026-11-24T22:00:00.000Z"}}`)
	var n events.Notification
	if err := json.Unmarshal(data, &n); err != nil {
		fmt.Println(err)
		return
	}
	if n.Event == events.IncomingCallReceived {
		fmt.Printf("%s calls, attempt %d, for %d ms\n", n.Call.Caller.UserName, n.Call.Callee(n.UserID).Attempt, *n.RingRemainingMS)
	}
	// Output:
	// subscribe to ringline.demo.user.bob=40example=2Ecom
	// Ann calls, attempt 1, for 59990 ms
}
