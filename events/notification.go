package events

import (
	"strconv"
	"time"
)

// Notification tells a user live what happened. UserID is the callee it is about, and is unset where
// call_ended is about the whole call; Reason is that callee's, or then the call's end reason. Of several notifications of one
// transition only the first and call_ended have the call.
type Notification struct {
	Event           Kind   `json:"event"`
	ID              string `json:"id"`
	CallID          string `json:"call_id"`
	Seq             int    `json:"seq"`
	UserID          string `json:"user_id,omitempty"`
	Reason          string `json:"reason,omitempty"`
	CustomData      string `json:"custom_data,omitempty"`
	By              By     `json:"by"`
	Call            Call   `json:"call,omitzero"`
	ServerTime      Time   `json:"server_time"`
	RingRemainingMS *int64 `json:"ring_remaining_ms,omitempty"`
}

// Append writes the notification behind what is there, as Encode does.
func (n *Notification) Append(b []byte) []byte { return appendTo(b, n) }

// Notice is a notification with its receiver.
type Notice struct {
	To string
	Notification
}

// NewNotice makes what receiver gets as number k for transition t, as they may see it: with the call if k is 0 or the kind is
// call_ended. Custom data is for the caller to set.
func NewNotice(receiver string, t Transition, k int, kind Kind) Notice {
	by := t.By
	if receiver != t.Call.Caller.UserID {
		by = by.hidden(receiver)
	}
	n := Notice{To: receiver, Notification: Notification{
		Event: kind, ID: TransitionID(t.Call.CallID, t.Seq) + "-" + strconv.Itoa(k), CallID: t.Call.CallID, Seq: t.Seq, By: by,
	}}
	if k == 0 || kind == CallEnded {
		n.Call = t.Call.For(receiver)
	}
	return n
}

// Stamped sets the server's time and, with the call, how long it still rings for the receiver, rounded down.
func (n Notice) Stamped(now time.Time) Notification {
	now = n.Call.notBefore(now)
	n.ServerTime = TimeOf(now)
	n.RingRemainingMS = RingRemaining(n.Call, n.To, now)
	return n.Notification
}

// RingRemaining is how long, in milliseconds, the call still rings for this user; nil if he waits for nothing.
func RingRemaining(c Call, userID string, now time.Time) *int64 {
	until := c.waitsUntil(userID)
	if until == 0 {
		return nil
	}
	left := max(0, until.Time().Sub(now).Milliseconds())
	return &left
}
