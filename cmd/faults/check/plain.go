package check

import (
	"encoding/json"
	"time"
)

// plain is a stored transition as CONTRACT, section 5, says that it looks: what the checks by hand read. They know nothing of
// worker/call, so a wrong decision there is not wrong here too.
type plain struct {
	CommandID string `json:"causationid"`
	Data      struct {
		Event   string        `json:"event"`
		By      plainBy       `json:"by"`
		Changes []plainChange `json:"changes"`
		Call    plainCall     `json:"call"`
	} `json:"data"`
}

type plainBy struct {
	Kind   string `json:"kind"`
	UserID string `json:"user_id"`
}

type plainChange struct {
	UserID  string `json:"user_id"`
	Attempt int    `json:"attempt"`
	To      string `json:"to"`
}

type plainCall struct {
	State   string       `json:"state"`
	Caller  plainParty   `json:"caller"`
	Callees []plainParty `json:"callees"`
}

type plainParty struct {
	UserID       string    `json:"user_id"`
	State        string    `json:"state"`
	RingDeadline time.Time `json:"ring_deadline"`
}

// pends says whether the callee still rings.
func (p plainParty) pends() bool { return p.State == "invited" || p.State == "ringing" }

// plainCommand is what a message with a command says, by CONTRACT, section 2.
type plainCommand struct {
	CommandID string `json:"command_id"`
	UserID    string `json:"user_id"`
	Attempt   int    `json:"attempt"`
}

// byHand is the transition read by hand; false if it can't be, which history finds.
func byHand(st *step) (p plain, ok bool) { return st.plain, st.isRead }

// readByHand reads what is stored.
func (st *step) readByHand() { st.isRead = json.Unmarshal([]byte(st.data), &st.plain) == nil }

// saidByHand reads the message's body.
func saidByHand(m *message) (c plainCommand) {
	if json.Unmarshal([]byte(m.Body), &c) != nil {
		return plainCommand{}
	}
	return c
}

// in lists who is in the call: the caller who has not left, and the callees who have accepted.
func (c plainCall) in() (users []string) {
	if c.Caller.State == "in" {
		users = append(users, c.Caller.UserID)
	}
	for _, x := range c.Callees {
		if x.State == "accepted" {
			users = append(users, x.UserID)
		}
	}
	return users
}
