package events

import (
	"maps"
	"slices"
	"time"
)

// Party identifies a user in an invitation.
type Party struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name,omitempty"`
}

// By identifies the actor that caused a transition.
type By struct {
	Kind     ByKind `json:"kind"`
	UserID   string `json:"user_id,omitempty"`
	DeviceID string `json:"device_id,omitempty"`
	Service  string `json:"service,omitempty"`
}

// Call is the state of a call after one of its transitions. Seq numbers the transitions from 1. CustomData is the
// custom data of the invitation. Custom holds the custom data of later transitions, keyed by seq.
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
	AnsweredAt Time           `json:"answered_at,omitzero"`
	EndedAt    Time           `json:"ended_at,omitzero"`
	EndReason  EndReason      `json:"end_reason,omitempty"`
	EndedBy    By             `json:"ended_by,omitzero"`
	MergedInto string         `json:"merged_into,omitempty"`
}

// Caller is the user who sent the invitation. DeviceID is the device that they are or were in the call with: the one that
// the call was placed from, until another one takes the call. Reason is set only if they were lost. ChangedSeq and
// Watched are those of Callee.
type Caller struct {
	UserID   string     `json:"user_id"`
	UserName string     `json:"user_name,omitempty"`
	Avatar   string     `json:"avatar,omitempty"`
	DeviceID string     `json:"device_id,omitempty"`
	State    PartyState `json:"state"`
	Reason   Reason     `json:"reason,omitempty"`
	At       Time       `json:"at"`

	ChangedSeq int  `json:"changed_seq,omitzero"`
	Watched    bool `json:"watched,omitzero"`
}

// Callee is the latest attempt to reach a user. DeviceID is the device that answered or declined. CustomSeq is the
// seq of the transition whose custom data applies to the callee (see Call.DataOf), or 0 if there is none. CustomData
// is set only in messages of stored format 1.
//
// ChangedSeq is the seq of the transition that began the attempt, put the user in the call with their present device, or
// took them out. Watched means that a client session put them in, so that presence watches their device.
// ReachDeadline is the time by which a device must have confirmed that it rings. It is 0 if the app has no reach_s, and
// if the attempt never rang. All three are unset in calls of format 1.
type Callee struct {
	UserID       string     `json:"user_id"`
	UserName     string     `json:"user_name,omitempty"`
	Avatar       string     `json:"avatar,omitempty"`
	Attempt      int        `json:"attempt"`
	InvitedBy    string     `json:"invited_by"`
	State        PartyState `json:"state"`
	Reason       Reason     `json:"reason,omitempty"`
	CustomData   string     `json:"custom_data,omitempty"`
	CustomSeq    int        `json:"custom_seq,omitzero"`
	DeviceID     string     `json:"device_id,omitempty"`
	RingDeadline Time       `json:"ring_deadline,omitzero"`
	At           Time       `json:"at"`
	ChangedSeq   int        `json:"changed_seq,omitzero"`
	Watched      bool       `json:"watched,omitzero"`

	ReachDeadline Time `json:"reach_deadline,omitzero"`
}

// array replaces nil by an empty slice, so that JSON has [] instead of null.
func array[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Unconfirmed reports whether the callee is pending and no device has confirmed that it rings.
func (c Callee) Unconfirmed() bool { return c.State == StateInvited }

// Pending reports whether the callee is invited or ringing.
func (c Callee) Pending() bool { return c.State == StateInvited || c.State == StateRinging }

// IsZero reports whether c is the zero Call, which means that there is no call.
func (c Call) IsZero() bool { return c.CallID == "" && c.Seq == 0 }

// CallerIn reports whether the caller is in the call.
func (c Call) CallerIn() bool { return c.Caller.State == StateIn }

// Callee returns the callee with this user id, or nil if there is none.
func (c Call) Callee(userID string) *Callee {
	if i := slices.IndexFunc(c.Callees, func(x Callee) bool { return x.UserID == userID }); i >= 0 {
		return &c.Callees[i]
	}
	return nil
}

// Has reports whether the user is or was the caller or a callee.
func (c Call) Has(userID string) bool {
	return userID != "" && (c.Caller.UserID == userID || c.Callee(userID) != nil)
}

// For returns the call as this user may see it. The caller sees everything. Other users see only their own custom
// data and devices. The result shares no memory with c.
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

// hidden removes the device unless the viewer is the actor.
func (b By) hidden(viewer string) By {
	if b.UserID != viewer {
		b.DeviceID = ""
	}
	return b
}

// notBefore returns now, but at least the time of the call's last change: clocks may differ slightly. So server_time
// is never before the times inside the call, and the remaining ring time never exceeds the full ring time.
func (c Call) notBefore(now time.Time) time.Time {
	last := max(c.CreatedAt, c.Caller.At)
	for _, x := range c.Callees {
		last = max(last, x.At)
	}
	if last == 0 || !now.Before(last.Time()) {
		return now
	}
	// Stored times are truncated to milliseconds: this is the latest moment that the last change may have happened.
	return last.Time().Add(time.Millisecond - 1)
}

// waitsUntil returns when ringing ends for this user: a pending callee's own deadline, or for a user in the call the
// latest deadline of the callees that they invited. It returns 0 if the user waits for nothing. The caller waits for
// all callees.
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
