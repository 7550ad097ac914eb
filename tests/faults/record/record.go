// Package record holds the history of a run of the fault harness: commands, answers, notifications and faults
// with times, and the stored data at rest. The checks read only this history.
//
// All times are nanoseconds since 1970. They come from one clock, because the brokers run on the same
// machine. A time of 0 means that the event did not happen.
package record

import (
	"hash/fnv"

	"ringline.io/ringline/events"
)

// History is everything known about a run.
type History struct {
	Run           Run            `json:"run"`
	Sent          []Sent         `json:"sent"`
	Answers       []Answer       `json:"answers"`
	Notifications []Notification `json:"told"`
	Gaps          []Gap          `json:"gaps"`
	Faults        []Fault        `json:"faults"`
	Rest          Rest           `json:"rest"`
}

// Run describes the setup of a run and its phases: load and faults until Healed, load without faults until
// Stopped, and no load until Read.
type Run struct {
	Seed         uint64  `json:"seed"`
	Nodes        int     `json:"nodes"`
	Capacity     int     `json:"capacity"`         // of every line
	ReachS       int     `json:"reach_s,omitzero"` // of every app; 0: off
	MaxDurationS int     `json:"max_duration_s"`   // of every call; 0: the default
	Began        int64   `json:"began"`
	Healed       int64   `json:"healed"`   // the last fault was repaired, and every process ran
	Stopped      int64   `json:"stopped"`  // the last command was sent
	Read         int64   `json:"read"`     // the streams were read
	Rate         float64 `json:"rate"`     // calls begun per second
	Watchers     int     `json:"watchers"` // each watches every user of every app
}

// Via is the path of a command.
type Via string

// The paths.
const (
	Subject Via = "subject" // published to RINGLINE_COMMANDS, with the answer on a separate answer subject
	API     Via = "api"     // a request to the micro service; Ringline publishes the command
)

// Sent is one message with a command. A repeated command has several messages, all with its command id.
type Sent struct {
	N      int    `json:"n"` // number of this message; answers refer to it
	Via    Via    `json:"via"`
	App    string `json:"app"`
	CallID string `json:"call_id"`
	Verb   string `json:"verb"`
	Body   string `json:"body"` // input of events.ReadCommand; for the API without the call id
	Bad    bool   `json:"bad"`  // malformed on purpose
	At     int64  `json:"at"`
	Acked  int64  `json:"acked"` // when the broker's acknowledgement arrived; always 0 for the API
	Failed string `json:"failed,omitempty"`
}

// Answer is the answer to a message. The same message may be answered more than once.
type Answer struct {
	N    int    `json:"n"`
	At   int64  `json:"at"`
	Body string `json:"body"`
}

// Notification is a notification that a watcher received.
type Notification struct {
	Watcher int    `json:"watcher"`
	At      int64  `json:"at"`
	App     string `json:"app"`
	To      string `json:"to"` // user of the subject
	ID      string `json:"id"`
	Event   string `json:"event"`
	CallID  string `json:"call_id"`
	Seq     int    `json:"seq"`
	UserID  string `json:"user_id,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Sum     uint64 `json:"sum,omitempty"` // checksum of the notification without its send times

	Server    int64  `json:"server,omitempty"`    // its server_time
	Remaining *int64 `json:"remaining,omitempty"` // its ring_remaining_ms
	Bare      bool   `json:"bare,omitempty"`      // without the call
}

// Sum returns the same value for notifications that differ only in their send times.
func Sum(n events.Notification) uint64 {
	n.ServerTime, n.RingRemainingMS = 0, nil
	body, err := events.Encode(n)
	if err != nil {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write(body) // never fails
	return h.Sum64()
}

// Gap is an interval in which a watcher may have missed notifications. Either its own connection was down,
// or, with several brokers, one of them or a link between them was. Core NATS does not report the latter.
type Gap struct {
	Watcher int   `json:"watcher"`
	From    int64 `json:"from"`
	To      int64 `json:"to"`
}

// Fault is one injected fault.
type Fault struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	From   int64  `json:"from"`
	To     int64  `json:"to"` // the repair
	Note   string `json:"note,omitempty"`
}

// Rest is the stored data at the end.
type Rest struct {
	Calls    []Stored `json:"calls"`    // RINGLINE_CALLS, in stream order
	Events   []Stored `json:"events"`   // RINGLINE_EVENTS, in stream order
	Lines    []Line   `json:"lines"`    // RINGLINE_LINES
	Timers   []Stored `json:"timers"`   // pending deadlines, without cancellations
	Waiting  int      `json:"waiting"`  // commands that were not delivered
	InFlight int      `json:"in_hand"`  // commands that were delivered and not acked
	Rejected []Stored `json:"rejected"` // RINGLINE_REJECTED
}

// Stored is a message of a stream.
type Stored struct {
	Subject string `json:"subject"`
	Seq     uint64 `json:"seq"`
	At      int64  `json:"at"`
	Data    string `json:"data"`
}

// Line is the stored value of a user's line.
type Line struct {
	Key  string `json:"key"` // <app>.<escaped user>
	Data string `json:"data"`
	At   int64  `json:"at"` // time of the last write
}
