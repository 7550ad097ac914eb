package call

import "ringline.io/ringline/events"

// MaxTransition is how many bytes a transition takes, at most. An invite or add is refused if the call could grow beyond it
// without another add.
const MaxTransition = 128 << 10

// What the parts of a transition take, besides the ids, names and custom data that are counted. TestLargestTransition holds
// each against the encoder.
const (
	frameLen   = 4 << 10 // the envelope, by and the call without its callees, with the longest ids and the caller's names
	calleeLen  = 230     // a callee
	deviceLen  = 256     // the device that answers: 128 bytes, each a quote
	changeLen  = 100     // a change
	commandLen = 90      // a remembered command
	dataLen    = 16      // what holds an entry of call.custom, or a user id in a list
)

// most is how many bytes a transition takes, at most, of a call that goes on from this one without another add: every callee
// has answered from a device, the last commands of every party are remembered, services have canceled each callee who rings
// under a name of their own, and the custom data is as large as may be.
func most(t events.Transition) int {
	c := t.Call
	command := func(senderLen int) int { return commandLen + events.MaxToken + senderLen }
	caller := events.WrittenLen(c.Caller.UserID)
	n := frameLen + events.WrittenLen(c.CustomData) + events.MaxCustomData + events.MaxCustom + PerSender*command(caller)
	n += command(2 * events.MaxName) // the first accept
	if c.State != events.CallStateEnded {
		n += command(events.MaxToken) // a service's end
	}
	for _, x := range c.Callees {
		id := events.WrittenLen(x.UserID)
		n += calleeLen + id + events.WrittenLen(x.UserName) + events.WrittenLen(x.InvitedBy) + deviceLen + dataLen
		n += changeLen + id + PerSender*command(id)
		if x.Pending() {
			n += command(events.MaxToken)
		}
	}
	for _, r := range t.Commands {
		if r.Seq == events.FirstSeq || r.Service != "" || len(r.Callees) > 0 {
			n += command(events.WrittenLen(r.UserID) + len(r.Service))
		}
		for _, u := range r.Callees {
			n += dataLen + events.WrittenLen(u)
		}
	}
	return n
}

// MayTake is how many bytes the transition of an invite or add takes, at most, whose message has so many bytes and so many
// callees. An id stands in the call, in a change and in a remembered command.
func MayTake(callees, bytes int) int {
	const frame, callee, copies = 1 << 10, 256, 3
	return min(MaxTransition, frame+callee*callees+copies*bytes)
}

// checkSize refuses an invite or add after which the call could outgrow a transition.
func checkSize(last events.Transition, w Write) Outcome {
	n := most(w.Transition)
	if last.OldSizes() || n <= MaxTransition {
		return w
	}
	return refuse(events.CodeInvalidArgument,
		"callees: with %d of them, their ids and names and custom_data, the call could take %d bytes, at most %d",
		len(w.Transition.Call.Callees), n, MaxTransition)
}
