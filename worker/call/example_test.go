package call_test

import (
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// Ann calls bob, who declines. Decide returns the transition to write, and Notify the notifications to send. This example does
// neither.
func Example() {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	in := call.Input{At: at, Now: at, Limits: call.DefaultLimits()}
	address := events.CommandAddress{App: "demo", CallID: "c1"}

	address.Verb = events.VerbInvite
	invite := events.Command{
		CommandAddress: address, CommandID: "k1", UserID: "ann", Callees: []events.Party{{UserID: "bob"}},
	}
	address.Verb = events.VerbDecline
	decline := events.Command{
		CommandAddress: address, CommandID: "k2", UserID: "bob", CustomData: "later",
	}

	var last events.Transition // zero: the call does not exist yet
	for _, cmd := range []events.Command{invite, decline, decline} {
		switch o := call.Decide(last, cmd, in).(type) {
		case call.Write:
			last = o.Transition
			fmt.Printf("%s, the call is %s\n", last.Event, last.Call.State)
			for _, n := range call.Notify(last) {
				fmt.Printf("  %s receives %s\n", n.To, n.Event)
			}
			for _, d := range call.Deadlines(last) {
				fmt.Printf("  it waits until %v\n", d.At)
			}
		case call.Keep:
			fmt.Printf("ok, that was transition %d\n", o.Made)
		case call.Refuse:
			fmt.Printf("refused: %v\n", o.Err)
		case call.Wait:
			fmt.Printf("not before %v\n", o.Until)
		}
	}
	// Output:
	// invited, the call is ringing
	//   bob receives incoming_call_received
	//   it waits until 2026-11-24T10:01:00.000Z
	// declined, the call is ended
	//   bob receives incoming_call_declined_elsewhere
	//   bob receives call_ended
	//   ann receives outgoing_call_declined
	//   ann receives call_ended
	// ok, that was transition 2
}
