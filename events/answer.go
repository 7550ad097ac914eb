package events

import "encoding/json"

// Answer is what the sender of a command is told. With OK there is the call as he may see it; without there is
// Error, and the call where he takes part in it. CommandID is unset only where none could be read.
type Answer struct {
	CommandID string `json:"command_id,omitempty"`
	OK        bool   `json:"ok"`
	Error     *Error `json:"error,omitempty"`
	Call      *Call  `json:"call,omitempty"`
}

// Append writes the answer behind what is there, as Encode does.
func (a *Answer) Append(b []byte) []byte { return appendTo(b, a) }

// LineAnswer answers which calls stand on a user's line.
type LineAnswer struct {
	OK    bool     `json:"ok"`
	Calls []string `json:"calls"`
}

// ListAnswer answers which calls of an app are open.
type ListAnswer struct {
	OK    bool   `json:"ok"`
	Calls []Call `json:"calls"`
}

// Refusal is the answer with an error.
func Refusal(commandID string, err *Error) Answer { return Answer{CommandID: commandID, Error: err} }

// ReadAnswer reads an answer.
func ReadAnswer(data []byte) (Answer, error) {
	var a Answer
	if decode(data, &a) {
		return a, nil
	}
	a = Answer{}
	err := json.Unmarshal(data, &a)
	return a, err
}
