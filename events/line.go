package events

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// Entry is a call on a user's line. Seq is the sequence of the call when the claim was made, or 0 if there was no
// call yet. At is the time of the claim. CommandID is the command that made it, so that a coordinator can recognize
// its own claim.
type Entry struct {
	CallID    string `json:"call_id"`
	Seq       int    `json:"seq"`
	At        Time   `json:"at"`
	CommandID string `json:"command_id,omitempty"`
}

// EntryState is the state of an entry of a line.
type EntryState int

// The states of an entry.
const (
	EntryInFlight EntryState = iota // the call has not changed since the claim: its worker may still commit
	EntryLive                       // the user is in the call
	EntryDead                       // the call has changed and the user is not in it; this state is final
)

// State derives the state of this user's entry from the newest version of its call (zero if there is none).
func (e Entry) State(userID string, c Call) EntryState {
	switch {
	case c.On(userID):
		return EntryLive
	case c.Seq > e.Seq:
		return EntryDead
	}
	return EntryInFlight
}

// On reports whether the user is currently in the call: as the caller, or as a callee who is pending or has accepted.
// The user's line must hold exactly these calls.
func (c Call) On(userID string) bool {
	if c.State == CallStateEnded || userID == "" {
		return false
	}
	x := c.Callee(userID)
	return c.Caller.UserID == userID && c.CallerIn() || x != nil && (x.Pending() || x.State == StateAccepted)
}

// ReadLine decodes the value of a line.
func ReadLine(data []byte) ([]Entry, error) {
	var entries []Entry
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("events: read a line: %w", err)
	}
	return entries, nil
}

// LineKey returns the KV key of a user's line.
func LineKey(app, userID string) string { return app + "." + Escape(userID) }
