package events

import (
	"errors"

	"github.com/go-json-experiment/json"
)

// Answer is the reply to a command. If OK, Call is the call as the sender may see it. Otherwise Error is set, and
// Call is set only if the sender takes part in the call. CommandID is unset only if the command id could not be read.
// Refused lists the callees of an add that were not invited, if others were.
type Answer struct {
	CommandID string          `json:"command_id,omitempty"`
	OK        bool            `json:"ok"`
	Error     *Error          `json:"error,omitempty"`
	Refused   []RefusedCallee `json:"refused,omitempty"`
	Call      *Call           `json:"call,omitempty"`
}

// RefusedCallee is a callee that an add did not invite. Code is already_exists, or invalid_argument for the caller.
type RefusedCallee struct {
	UserID string `json:"user_id"`
	Code   Code   `json:"code"`
}

// Append appends the answer to b, in the format of Encode.
func (a *Answer) Append(b []byte) []byte { return appendTo(b, a) }

// LineAnswer is the reply to a request for a user's line. Calls lists the ids of the calls on the line.
type LineAnswer struct {
	OK    bool     `json:"ok"`
	Calls []string `json:"calls"`
}

// PresentAnswer is the reply to a request that renews the presence of a device.
type PresentAnswer struct {
	OK           bool `json:"ok"`
	PresentUntil Time `json:"present_until"`
}

// ListAnswer is the reply to a request for the open calls of an app.
type ListAnswer struct {
	OK    bool   `json:"ok"`
	Calls []Call `json:"calls"`
}

// Refusal returns an answer that carries the *Error. Any other error becomes CodeInternal without its text, because it
// was not written for clients.
func Refusal(commandID string, err error) Answer {
	why, ok := errors.AsType[*Error](err)
	if !ok {
		why = &Error{Code: CodeInternal, Message: "internal error"}
	}
	return Answer{CommandID: commandID, Error: why}
}

// ReadAnswer decodes an answer.
func ReadAnswer(data []byte) (Answer, error) {
	var a Answer
	err := json.Unmarshal(data, &a)
	return a, err
}
