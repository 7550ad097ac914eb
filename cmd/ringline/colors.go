package main

import (
	"io"

	"ringline.io/ringline/events"
)

// colors colors the words of calls for a terminal.
type colors struct{ palette }

func newColors(w io.Writer) colors { return colors{newPalette(w)} }

// state colors text by the meaning of the state for a caller: ringing, talking, failed, or over.
func (p colors) state(state events.PartyState, s string) string {
	switch state {
	case events.StateInvited, events.StateRinging:
		return p.yellow(s)
	case events.StateIn, events.StateAccepted:
		return p.green(s)
	case events.StateDeclined, events.StateBusy, events.StateCanceled, events.StateTimedOut:
		return p.red(s)
	case events.StateLeft:
		return p.dim(s)
	}
	return s
}

func (p colors) callState(state events.CallState, s string) string {
	switch state {
	case events.CallStateRinging:
		return p.yellow(s)
	case events.CallStateActive:
		return p.green(s)
	case events.CallStateEnded:
		return p.dim(s)
	}
	return s
}

// kind colors a notification by its meaning: ringing, talking, failed, or over.
func (p colors) kind(k events.Kind, s string) string {
	switch k {
	case events.IncomingCallReceived, events.OutgoingCallRinging:
		return p.yellow(s)
	case events.OutgoingCallAccepted, events.ParticipantJoined, events.IncomingCallAnsweredElsewhere:
		return p.green(s)
	case events.OutgoingCallDeclined, events.OutgoingCallRejectedCauseBusy, events.OutgoingCallTimeout,
		events.IncomingCallCanceled, events.IncomingCallTimeout, events.IncomingCallDeclinedElsewhere:
		return p.red(s)
	case events.ParticipantLeft, events.CallEnded:
		return p.cyan(s)
	}
	return s
}
