package events

import (
	"fmt"
	"strconv"
)

// DeadlineID identifies a deadline of a call: the transition that created it, and its kind. One transition can create
// one deadline of each kind.
type DeadlineID struct {
	Seq  int
	Kind DeadlineKind
}

// token returns the last tokens of the deadline's subjects.
func (d DeadlineID) token() string {
	if d.Kind == "" {
		return strconv.Itoa(d.Seq)
	}
	return strconv.Itoa(d.Seq) + "." + string(d.Kind)
}

// Deadline is the body of a delayed message, both while it is pending and once it is due.
type Deadline struct {
	CallID   string       `json:"call_id"`
	Seq      int          `json:"seq"`
	Kind     DeadlineKind `json:"kind,omitempty"`
	Deadline Time         `json:"deadline"`
}

// ID returns what identifies the deadline in its call.
func (d Deadline) ID() DeadlineID { return DeadlineID{Seq: d.Seq, Kind: d.Kind} }

// Encode encodes the deadline. A call id needs no escapes.
func (d Deadline) Encode() []byte {
	b := fmt.Appendf(nil, `{"call_id":%q,"seq":%d`, d.CallID, d.Seq)
	if d.Kind != "" {
		b = fmt.Appendf(b, `,"kind":%q`, d.Kind)
	}
	return fmt.Appendf(b, `,"deadline":"%v"}`, d.Deadline)
}
