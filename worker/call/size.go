package call

import "ringline.io/ringline/events"

// MaxTransition is the maximum size of a transition in bytes. An invite or add is refused if a later transition of the call
// could exceed it before the next add.
const MaxTransition = 128 << 10

// Maximum sizes in bytes of the parts of a transition, without ids, names and custom data, whose lengths are added.
// TestLargestTransition checks them against the encoder.
const (
	frameLen   = 4 << 10 // the envelope, by, and the call without callees, with ids and caller names of maximum length
	calleeLen  = 310     // a callee
	deviceLen  = 256     // the device that answers: 128 bytes, each an escaped quote
	changeLen  = 100     // a change
	commandLen = 82      // a remembered command
	avatarLen  = 16      // the overhead of a picture
	dataLen    = 16      // the overhead of an entry in call.custom, or of a user id in a list
)

// most returns the maximum size in bytes of every transition of the call from t to the next add. It assumes that
//
//   - every callee has answered from a device;
//   - the call remembers the last PerSender commands of every party;
//   - each pending callee has been canceled by a different service;
//   - the custom data has its maximum size.
func most(t events.Transition) int {
	c := t.Call
	command := func(senderLen int) int { return commandLen + events.MaxToken + senderLen }
	caller := events.WrittenLen(c.Caller.UserID)
	n := frameLen + events.WrittenLen(c.CustomData) + events.MaxCustomData + events.MaxCustom + PerSender*command(caller)
	n += avatarLen + len(c.Caller.Avatar)
	n += command(2 * events.MaxName) // the first accept
	if c.State != events.CallStateEnded {
		n += command(events.MaxToken) // a service's end
	}
	for _, x := range c.Callees {
		id := events.WrittenLen(x.UserID)
		n += calleeLen + id + events.WrittenLen(x.UserName) + avatarLen + len(x.Avatar) + events.WrittenLen(x.InvitedBy) + deviceLen + dataLen
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

// MayTake returns the maximum size in bytes of the transition of an invite or add whose message has so many callees and so
// many bytes. An id occurs three times: in the call, in a change and in a remembered command.
func MayTake(callees, bytes int) int {
	const frame, callee, copies = 1 << 10, 256, 3
	return min(MaxTransition, frame+callee*callees+copies*bytes)
}

// checkSize refuses an invite or add after which a transition of the call could exceed MaxTransition.
func checkSize(last events.Transition, w Write) Outcome {
	n := most(w.Transition)
	if last.OldSizes() || n <= MaxTransition {
		return w
	}
	return refuse(events.CodeInvalidArgument,
		"callees: with %d callees, their ids, names and custom_data, the call could grow to %d bytes, at most %d",
		len(w.Transition.Call.Callees), n, MaxTransition)
}
