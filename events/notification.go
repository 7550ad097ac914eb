package events

import (
	"strconv"
	"time"
)

// Notification informs a user about a transition in real time. UserID is the callee it is about. It is unset if
// call_ended is about the whole call. Reason is the reason of that callee, or the call's end reason. If a transition
// has several notifications, only the first one and call_ended include the call.
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

// Append appends the notification to b, in the format of Encode.
func (n *Notification) Append(b []byte) []byte { return appendTo(b, n) }

// Notice is a notification with its receiver.
type Notice struct {
	To string
	Notification
}

// NewNotice builds notification number k of transition t as the receiver may see it. It includes the call if k is 0
// or the kind is call_ended. The code that calls NewNotice sets the custom data.
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

// Stamped sets the server time and, if the call is included, the receiver's remaining ring time, rounded down.
func (n Notice) Stamped(now time.Time) Notification {
	now = n.Call.notBefore(now)
	n.ServerTime = TimeOf(now)
	n.RingRemainingMS = RingRemaining(n.Call, n.To, now)
	return n.Notification
}

// RingRemaining returns the remaining ring time for this user in milliseconds, or nil if the user waits for nothing.
func RingRemaining(c Call, userID string, now time.Time) *int64 {
	until := c.waitsUntil(userID)
	if until == 0 {
		return nil
	}
	left := max(0, until.Time().Sub(now).Milliseconds())
	return &left
}
