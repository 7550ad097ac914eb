// Package record holds what happened in a run of the fault harness: what was sent, answered, told and broken, with
// times, and what the store held when everything had come to rest. The checks read it and nothing else.
//
// All times are nanoseconds since 1970 by the one clock of the machine, which the brokers' timestamps share. A time of
// 0 means that it did not happen.
package record

import (
	"hash/fnv"

	"ringline.io/ringline/events"
)

// History is everything that is known of a run.
type History struct {
	Run     Run      `json:"run"`
	Sent    []Sent   `json:"sent"`
	Answers []Answer `json:"answers"`
	Told    []Told   `json:"told"`
	Gaps    []Gap    `json:"gaps"`
	Faults  []Fault  `json:"faults"`
	Rest    Rest     `json:"rest"`
}

// Run says how the run was set up, and its phases: load and faults until Healed, load without faults until Stopped,
// and then nothing but waiting until Read.
type Run struct {
	Seed         uint64  `json:"seed"`
	Nodes        int     `json:"nodes"`
	Capacity     int     `json:"capacity"`       // of every line
	MaxDurationS int     `json:"max_duration_s"` // of every call; 0: the default
	Began        int64   `json:"began"`
	Healed       int64   `json:"healed"`   // the last fault was over, and every process ran
	Stopped      int64   `json:"stopped"`  // the last command was sent
	Read         int64   `json:"read"`     // what the store holds was read
	Rate         float64 `json:"rate"`     // calls a second that were begun
	Watchers     int     `json:"watchers"` // watchers; each hears every user of every app
}

// Via is the way that a command took.
type Via string

// The ways.
const (
	Subject Via = "subject" // published to RINGLINE_COMMANDS, the answer on an answer subject of its own
	API     Via = "api"     // a request to the micro service; Ringline publishes the command
)

// Sent is one message with a command. A command that is repeated has several, all with its command id.
type Sent struct {
	N      int    `json:"n"` // of this message; answers name it
	Via    Via    `json:"via"`
	App    string `json:"app"`
	CallID string `json:"call_id"`
	Verb   string `json:"verb"`
	Body   string `json:"body"` // as events.ReadCommand takes it; of the api, without the call id
	Bad    bool   `json:"bad"`  // it was meant not to be readable
	At     int64  `json:"at"`
	Acked  int64  `json:"acked"` // when the broker's acknowledgement came; never for the api
	Failed string `json:"failed,omitempty"`
}

// Answer is what came back for a message. The same message may be answered more than once.
type Answer struct {
	N    int    `json:"n"`
	At   int64  `json:"at"`
	Body string `json:"body"`
}

// Told is a notification that a watcher heard.
type Told struct {
	Watcher int    `json:"watcher"`
	At      int64  `json:"at"`
	App     string `json:"app"`
	To      string `json:"to"` // whose subject it came on
	ID      string `json:"id"`
	Event   string `json:"event"`
	CallID  string `json:"call_id"`
	Seq     int    `json:"seq"`
	UserID  string `json:"user_id,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Sum     uint64 `json:"sum,omitempty"` // of all of it but the times of its sending

	Server    int64  `json:"server,omitempty"`    // its server_time
	Remaining *int64 `json:"remaining,omitempty"` // its ring_remaining_ms
	Bare      bool   `json:"bare,omitempty"`      // it has no call
}

// Sum is the same for notifications that differ in nothing but when they were sent.
func Sum(n events.Notification) uint64 {
	n.ServerTime, n.RingRemainingMS = 0, nil
	body, err := events.Encode(n)
	if err != nil {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write(body) // it takes everything
	return h.Sum64()
}

// Gap is a time in which a watcher may have missed something: its own connection was gone, or, with several brokers,
// one of them or a link between them was. Core NATS tells nobody of the latter.
type Gap struct {
	Watcher int   `json:"watcher"`
	From    int64 `json:"from"`
	To      int64 `json:"to"`
}

// Fault is one thing that was broken.
type Fault struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	From   int64  `json:"from"`
	To     int64  `json:"to"` // it was mended
	Note   string `json:"note,omitempty"`
}

// Rest is what the store held at the end.
type Rest struct {
	Calls    []Stored `json:"calls"`    // RINGLINE_CALLS, in the order of the stream
	Events   []Stored `json:"events"`   // RINGLINE_EVENTS, likewise
	Lines    []Line   `json:"lines"`    // RINGLINE_LINES
	Timers   []Stored `json:"timers"`   // what has not come due, removals left out
	Waiting  int      `json:"waiting"`  // commands that nobody has handled
	InHand   int      `json:"in_hand"`  // commands that nobody has acknowledged
	Rejected []Stored `json:"rejected"` // RINGLINE_REJECTED
}

// Stored is a message of a stream.
type Stored struct {
	Subject string `json:"subject"`
	Seq     uint64 `json:"seq"`
	At      int64  `json:"at"`
	Data    string `json:"data"`
}

// Line is what stands on a user's line.
type Line struct {
	Key  string `json:"key"` // <app>.<escaped user>
	Data string `json:"data"`
	At   int64  `json:"at"` // when it was last written
}
