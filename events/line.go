package events

import (
	"encoding/json"
	"fmt"
)

// Entry is a call on a user's line. Seq is the call's sequence on which the claim was decided, 0 if there was no
// call yet; At is when it was claimed, and CommandID what for: a coordinator knows its own claim by it.
type Entry struct {
	CallID    string `json:"call_id"`
	Seq       int    `json:"seq"`
	At        Time   `json:"at"`
	CommandID string `json:"command_id,omitempty"`
}

// EntryState says what an entry of a line is worth.
type EntryState int

// The states of an entry.
const (
	EntryInFlight EntryState = iota // the call has not moved since the claim: its worker may yet commit
	EntryLive                       // the user is in the call
	EntryDead                       // the call has moved on without the user; for ever
)

// State judges an entry of this user by the newest version of its call (zero if there is none).
func (e Entry) State(userID string, c Call) EntryState {
	switch {
	case c.On(userID):
		return EntryLive
	case c.Seq > e.Seq:
		return EntryDead
	}
	return EntryInFlight
}

// On says whether the user is in the call now: as the caller, or as a callee who pends or has accepted. That is
// whether his line must hold it.
func (c Call) On(userID string) bool {
	if c.State == CallStateEnded || userID == "" {
		return false
	}
	x := c.Callee(userID)
	return c.Caller.UserID == userID && c.CallerIn() || x != nil && (x.Pending() || x.State == StateAccepted)
}

// ReadLine reads the value of a line.
func ReadLine(data []byte) ([]Entry, error) {
	c := codec{reads: true, in: string(data)}
	entries := takeItems(&c, func(c *codec, x *Entry) { c.object(x) })
	if c.space(); !c.lost && c.at == len(c.in) {
		return entries, nil
	}
	entries = nil
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("events: read a line: %w", err)
	}
	return entries, nil
}

// LineKey is the key of a user's line.
func LineKey(app, userID string) string { return app + "." + Escape(userID) }
