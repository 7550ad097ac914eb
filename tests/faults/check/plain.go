package check

import (
	"encoding/json"
	"time"
)

// plain is a stored transition in the format of CONTRACT, section 5. The checks written from CONTRACT read
// it. They do not use worker/call, so they can find its wrong decisions.
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
	InvitedBy    string    `json:"invited_by"`
	State        string    `json:"state"`
	RingDeadline time.Time `json:"ring_deadline"`
}

// pends reports whether the callee still rings.
func (p plainParty) pends() bool { return p.State == "invited" || p.State == "ringing" }

// plainCommand is the body of a command in the format of CONTRACT, section 2.
type plainCommand struct {
	CommandID string `json:"command_id"`
	UserID    string `json:"user_id"`
	Attempt   int    `json:"attempt"`
}

// byHand returns the transition as plain. It returns false if the data is malformed, which the check history
// reports.
func byHand(st *step) (p plain, ok bool) { return st.plain, st.isRead }

// readByHand decodes the stored data.
func (st *step) readByHand() { st.isRead = json.Unmarshal([]byte(st.data), &st.plain) == nil }

// saidByHand decodes the message's body.
func saidByHand(m *message) (c plainCommand) {
	if json.Unmarshal([]byte(m.Body), &c) != nil {
		return plainCommand{}
	}
	return c
}

// in lists the users in the call: the caller until they leave, and the callees who accepted.
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

// rungBy lists the pending callees that the user calls: all of them for the caller, otherwise those that the user invited.
func (c plainCall) rungBy(user string) (users []string) {
	for _, x := range c.Callees {
		if x.pends() && (user == c.Caller.UserID || user == x.InvitedBy) {
			users = append(users, x.UserID)
		}
	}
	return users
}
