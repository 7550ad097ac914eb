package caller

import (
	"io"
	"slices"

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

// notification colors the kind of a notification by its meaning: over, failed, talking, or ringing. Only an attempt or a
// call that is over has a reason.
func (p colors) notification(n events.Notification, s string) string {
	switch {
	case n.Event == events.ParticipantLeft, n.Event == events.CallEnded:
		return p.Cyan(s)
	case n.Reason != "":
		return p.Red(s)
	case n.Event == events.OutgoingCallAccepted, n.Event == events.ParticipantJoined, n.Event == events.IncomingCallAnsweredElsewhere:
		return p.Green(s)
	case slices.Contains(events.Kinds(), n.Event):
		return p.Yellow(s)
	}
	return s
}
