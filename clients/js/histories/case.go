package main

import (
	"bytes"

	"ringline.io/ringline/events"
)

// oneCase is what one device of one user receives, and which callbacks it must make at each step.
type oneCase struct {
	Name     string       `json:"name"`
	UserID   string       `json:"user_id"`
	DeviceID string       `json:"device_id"`
	Sent     []sent       `json:"sent"`
	Steps    []step       `json:"steps"`
	Expect   [][]callback `json:"expect"`

	frames []frame
}

// sent is a command of this device that explains how it comes into a call: an invitation of a single user, or an accept.
type sent struct {
	Verb    events.Verb `json:"verb"`
	CallID  string      `json:"call_id"`
	Callee  string      `json:"callee,omitempty"`
	Attempt int         `json:"attempt,omitempty"`
}

// step is one frame as on the wire: a push, a snapshot with the calls that the client listed as shown when it asked for
// it, or the answer to one of its own commands.
type step struct {
	Push     *events.Notification `json:"push,omitempty"`
	Snapshot *snapshot            `json:"snapshot,omitempty"`
	Showing  []string             `json:"showing,omitzero"`
	Answer   *answer              `json:"answer,omitempty"`
}

// snapshot is the data of a session's connect reply.
type snapshot struct {
	ServerTime events.Time    `json:"server_time"`
	UserID     string         `json:"user_id"`
	DeviceID   string         `json:"device_id"`
	Calls      []snapshotCall `json:"calls"`
}

type snapshotCall struct {
	Call            events.Call `json:"call"`
	RingRemainingMS *int64      `json:"ring_remaining_ms,omitempty"`
}

type answer struct {
	Verb   events.Verb   `json:"verb"`
	Answer events.Answer `json:"answer"`
}

// callback is a callback to the app, or the ring command.
type callback struct {
	Name string `json:"name"`
	Args []any  `json:"args"`
}

// encode writes one case per line.
func encode(cases []oneCase) ([]byte, error) {
	var b bytes.Buffer
	for i, c := range cases {
		b.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		line, err := events.Encode(c)
		if err != nil {
			return nil, err
		}
		b.Write(line)
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}
