package events

import "fmt"

// Deadline is the body of a delayed message, both while it is pending and once it is due.
type Deadline struct {
	CallID   string `json:"call_id"`
	Seq      int    `json:"seq"`
	Deadline Time   `json:"deadline"`
}

// Encode encodes the deadline. A call id needs no escapes.
func (d Deadline) Encode() []byte {
	return fmt.Appendf(nil, `{"call_id":%q,"seq":%d,"deadline":"%v"}`, d.CallID, d.Seq, d.Deadline)
}
