package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"ringline.io/ringline/events"
)

// palette colors text for a terminal. Elsewhere it does nothing.
type palette struct{ on bool }

func newPalette(w io.Writer) palette {
	return palette{on: os.Getenv("NO_COLOR") == "" && onTerminal(w)}
}

func (p palette) paint(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string   { return p.paint("1", s) }
func (p palette) dim(s string) string    { return p.paint("2", s) }
func (p palette) red(s string) string    { return p.paint("31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }
func (p palette) cyan(s string) string   { return p.paint("36", s) }

// state colors text by the meaning of the state for a caller: ringing, talking, failed, or over.
func (p palette) state(state events.PartyState, s string) string {
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

func (p palette) callState(state events.CallState, s string) string {
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

// plain shows an id or a name from outside. It quotes text with control characters, which a terminal might execute,
// with spaces at an end, or with quotes.
func plain(s string) string {
	odd := strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar })
	if s == "" || odd || strings.TrimSpace(s) != s || strings.ContainsAny(s, `"`) {
		return strconv.Quote(s)
	}
	return s
}

// dataShown is the number of characters of custom data that are shown.
const dataShown = 60

// quotedData shows custom data on one line.
func quotedData(s string) string {
	if s == "" {
		return ""
	}
	r := []rune(s)
	if len(r) <= dataShown {
		return strconv.Quote(s)
	}
	return strconv.Quote(string(r[:dataShown])) + "…"
}

// pad fills up to a width in characters.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-len([]rune(s))))
}
