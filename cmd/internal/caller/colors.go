package caller

import (
	"io"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// colors colors the words of calls for a terminal.
type colors struct{ cli.Palette }

func newColors(w io.Writer) colors { return colors{cli.NewPalette(w)} }

// state colors text by the meaning of the state for a caller: ringing, talking, failed, or over.
func (p colors) state(state events.PartyState, s string) string {
	switch state {
	case events.StateInvited, events.StateRinging:
		return p.Yellow(s)
	case events.StateIn, events.StateAccepted:
		return p.Green(s)
	case events.StateDeclined, events.StateBusy, events.StateCanceled, events.StateTimedOut:
		return p.Red(s)
	case events.StateLeft:
		return p.Dim(s)
	}
	return s
}

func (p colors) callState(state events.CallState, s string) string {
	switch state {
	case events.CallStateRinging:
		return p.Yellow(s)
	case events.CallStateActive:
		return p.Green(s)
	case events.CallStateEnded:
		return p.Dim(s)
	}
	return s
}

// kind colors a notification by its meaning: ringing, talking, failed, or over.
func (p colors) kind(k events.Kind, s string) string {
	switch k {
	case events.IncomingCallReceived, events.OutgoingCallRinging:
		return p.Yellow(s)
	case events.OutgoingCallAccepted, events.ParticipantJoined, events.IncomingCallAnsweredElsewhere:
		return p.Green(s)
	case events.OutgoingCallDeclined, events.OutgoingCallRejectedCauseBusy, events.OutgoingCallTimeout,
		events.IncomingCallCanceled, events.IncomingCallTimeout, events.IncomingCallDeclinedElsewhere:
		return p.Red(s)
	case events.ParticipantLeft, events.CallEnded:
		return p.Cyan(s)
	}
	return s
}
