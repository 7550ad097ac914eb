package main

import "ringline.io/ringline/events"

// The names of the callbacks, and of the ring command.
const (
	incomingReceived  = "onIncomingCallReceived"
	incomingCanceled  = "onIncomingCallCanceled"
	incomingTimeout   = "onIncomingCallTimeout"
	outgoingAccepted  = "onOutgoingCallAccepted"
	outgoingBusy      = "onOutgoingCallRejectedCauseBusy"
	outgoingDeclined  = "onOutgoingCallDeclined"
	outgoingTimeout   = "onOutgoingCallTimeout"
	outgoingRinging   = "onOutgoingCallRinging"
	answeredElsewhere = "onIncomingCallAnsweredElsewhere"
	declinedElsewhere = "onIncomingCallDeclinedElsewhere"
	callStarted       = "onCallStarted"
	callEnded         = "onCallEnded"
	ring              = "ring"
)

// The reasons of onCallEnded that only the client uses.
const (
	endAnsweredElsewhere = "answered_elsewhere"
	endDeclinedElsewhere = "declined_elsewhere"
)

// how a device came into a call, as far as the histories contain it.
type how string

const (
	howAnswered how = "answered"
	howAccepted how = "accepted"
	howGlare    how = "glare"
	howRestored how = "restored"
)

// start is the argument of onCallStarted besides the call and its room.
type start struct {
	CallType events.CallType `json:"callType"` //nolint:tagliatelle // the name in JavaScript
	How      how             `json:"how"`
}

func started(c events.Call, h how) callback {
	return callback{callStarted, []any{c.CallID, c.RoomID, start{c.CallType, h}}}
}

// person is a user as a callback names them.
func person(id, name string) map[string]string {
	return map[string]string{"userID": id, "userName": name}
}

// ending is the reason why a call ended and who ended it. The latter is null if it is unknown.
type ending struct {
	Reason string     `json:"reason"`
	By     *events.By `json:"by"`
}

func callerOf(c events.Call) any { return person(c.Caller.UserID, c.Caller.UserName) }

func received(c events.Call, own events.Callee) []callback {
	callees := make([]any, len(c.Callees))
	for i, x := range c.Callees {
		callees[i] = person(x.UserID, x.UserName)
	}
	return []callback{
		{incomingReceived, []any{c.CallID, callerOf(c), c.CallType, callees, c.DataOf(own)}},
		{ring, []any{c.CallID, own.Attempt}},
	}
}

// incoming is a callback that names the caller. more are its further arguments.
func incoming(name string, c events.Call, more ...any) callback {
	return callback{name, append([]any{c.CallID, callerOf(c)}, more...)}
}

// outgoing reports a callee's outcome to a user who waits for them, with the custom data that applies to that callee.
func outgoing(name string, c events.Call, x events.Callee, data string) callback {
	args := []any{c.CallID, x.UserID}
	if name == outgoingBusy || name == outgoingTimeout {
		args = append(args, data)
	}
	return callback{name, args}
}

func ended(c events.Call, reason string, by *events.By) callback {
	return callback{callEnded, []any{c.CallID, c.RoomID, ending{reason, by}}}
}
