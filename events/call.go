package events

import (
	"maps"
	"slices"
	"time"
)

// Party is a user as an invitation names him.
type Party struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name,omitempty"`
}

// By is who caused something.
type By struct {
	Kind     ByKind `json:"kind"`
	UserID   string `json:"user_id,omitempty"`
	DeviceID string `json:"device_id,omitempty"`
	Service  string `json:"service,omitempty"`
}

// Call is a call after one of its transitions. Seq counts them from 1. CustomData is the invitation's; Custom has what later
// transitions carried, by their seq.
type Call struct {
	CallID     string         `json:"call_id"`
	App        string         `json:"app"`
	RoomID     string         `json:"room_id"`
	CallType   CallType       `json:"call_type"`
	State      CallState      `json:"state"`
	Seq        int            `json:"seq"`
	Caller     Caller         `json:"caller,omitzero"`
	Callees    []Callee       `json:"callees"`
	CustomData string         `json:"custom_data,omitempty"`
	Custom     map[int]string `json:"custom,omitempty"`
	CreatedAt  Time           `json:"created_at"`
	ExpiresAt  Time           `json:"expires_at"`
	AnsweredAt Time           `json:"answered_at,omitempty"`
	EndedAt    Time           `json:"ended_at,omitempty"`
	EndReason  EndReason      `json:"end_reason,omitempty"`
	EndedBy    By             `json:"ended_by,omitzero"`
	MergedInto string         `json:"merged_into,omitempty"`
}

// Caller is who made the invitation. DeviceID is the device that he called from.
type Caller struct {
	UserID   string     `json:"user_id"`
	UserName string     `json:"user_name,omitempty"`
	DeviceID string     `json:"device_id,omitempty"`
	State    PartyState `json:"state"`
	At       Time       `json:"at"`
}

// Callee is the newest attempt to reach somebody. DeviceID is the device that answered or declined. CustomSeq is the
// transition whose custom data applies to the callee (Call.DataOf), 0 without any. CustomData is set in a message of stored
// format 1 only.
type Callee struct {
	UserID       string     `json:"user_id"`
	UserName     string     `json:"user_name,omitempty"`
	Attempt      int        `json:"attempt"`
	InvitedBy    string     `json:"invited_by"`
	State        PartyState `json:"state"`
	Reason       Reason     `json:"reason,omitempty"`
	CustomData   string     `json:"custom_data,omitempty"`
	CustomSeq    int        `json:"custom_seq,omitempty"`
	DeviceID     string     `json:"device_id,omitempty"`
	RingDeadline Time       `json:"ring_deadline,omitempty"`
	At           Time       `json:"at"`
}

// Pending says whether the callee has neither answered nor been given up.
func (c Callee) Pending() bool { return c.State == StateInvited || c.State == StateRinging }

// IsZero says whether there is no call.
func (c Call) IsZero() bool { return c.CallID == "" && c.Seq == 0 }

// CallerIn says whether the caller is in the call.
func (c Call) CallerIn() bool { return c.Caller.State == StateIn }

// Callee finds the callee with this user id; nil if he is none.
func (c Call) Callee(userID string) *Callee {
	if i := slices.IndexFunc(c.Callees, func(x Callee) bool { return x.UserID == userID }); i >= 0 {
		return &c.Callees[i]
	}
	return nil
}

// Has says whether the user is or was the caller or a callee.
func (c Call) Has(userID string) bool {
	return userID != "" && (c.Caller.UserID == userID || c.Callee(userID) != nil)
}

// For gives the call as this user may see it. The caller sees all of it, everybody else sees neither custom
// data nor devices of others. The result shares nothing with c.
func (c Call) For(userID string) Call {
	c.Callees = slices.Clone(array(c.Callees))
	if userID == c.Caller.UserID {
		c.Custom = maps.Clone(c.Custom)
		return c
	}
	c.Caller.DeviceID = ""
	c.EndedBy = c.EndedBy.hidden(userID)
	c.Custom = c.seenBy(c.Callee(userID))
	for i := range c.Callees {
		if c.Callees[i].UserID != userID {
			c.Callees[i].CustomSeq, c.Callees[i].DeviceID = 0, ""
		}
	}
	return c
}

// hidden leaves out the device of anybody but the viewer.
func (b By) hidden(viewer string) By {
	if b.UserID != viewer {
		b.DeviceID = ""
	}
	return b
}

// notBefore is now, or the last change of the call where the clock that gives now is a little behind: no time is sent that is before
// what it is sent with, and no call rings for longer than it rings in all.
func (c Call) notBefore(now time.Time) time.Time {
	last := max(c.CreatedAt, c.Caller.At)
	for _, x := range c.Callees {
		last = max(last, x.At)
	}
	if last == 0 || !now.Before(last.Time()) {
		return now
	}
	return last.Time().Add(time.Millisecond - 1) // at the latest, as times are cut
}

// waitsUntil is the moment until which there is ringing for this user: his own deadline while he pends, the
// latest of those whom he waits for while he is in. Zero: he waits for nothing.
func (c Call) waitsUntil(userID string) Time {
	caller := c.Caller.UserID == userID
	own := c.Callee(userID)
	switch {
	case own != nil && own.Pending():
		return own.RingDeadline
	case caller && !c.CallerIn(), !caller && (own == nil || own.State != StateAccepted):
		return 0
	}
	var latest Time
	for _, x := range c.Callees {
		if x.Pending() && (caller || x.InvitedBy == userID) {
			latest = max(latest, x.RingDeadline)
		}
	}
	return latest
}
