package session

import (
	"encoding/json"
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// hangsUp says whether the verb takes a call id out of use that it does not find.
func hangsUp(v events.Verb) bool {
	return v == events.VerbCancel || v == events.VerbLeave || v == events.VerbEnd
}

// shows says whether the session was told of this call, and its user was in it then.
func (s *session) shows(callID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, shown := s.shown[callID]
	return shown
}

// charge makes a user pay for a hang-up of a call that does not exist, or may not, as much as for an invitation. The user may be in debt
// by that, as it shows only later.
func (s *session) charge(cmd events.Command, a events.Answer) {
	if !hangsUp(cmd.Verb) || a.Error == nil || s.shows(cmd.CallID) {
		return
	}
	if slices.Contains(mayNotBe(), a.Error.Code) {
		_ = s.user.fences.ReserveN(time.Now(), 1)
	}
}

// mayNotBe are the codes after which it is known, or possible, that there is no such call.
func mayNotBe() []events.Code {
	return []events.Code{events.CodeNotFound, events.CodeRateLimited, events.CodeUnavailable}
}

// callID is that of a command that is not read any further.
func callID(data []byte) string {
	var c struct {
		CallID string `json:"call_id"`
	}
	_ = json.Unmarshal(data, &c) // what can't be read is of no call
	return c.CallID
}
