package session

import (
	"encoding/json"
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// shows says whether the session was told of this call, and its user was in it then.
func (s *session) shows(callID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, shown := s.shown[callID]
	return shown
}

// charge makes a user and their app pay for a command that coordinators refused for a limit or that found no call, and the user
// as much as for an invitation where the call may not exist. All may be in debt by that, as it shows only later.
func (e *Edge) charge(s *session, cmd events.Command, a events.Answer) {
	now := time.Now()
	if more := e.quotas.Heard(e.Clock.Now(), e.Apps.Quota(cmd.App), cmd, a); more > 0 {
		_ = s.user.commands.ReserveN(now, min(more, s.user.commands.Burst()))
	}
	if cmd.Verb == events.VerbInvite || a.Error == nil || s.shows(cmd.CallID) {
		return
	}
	if slices.Contains(mayNotBe(), a.Error.Code) {
		_ = s.user.unknown.ReserveN(now, 1)
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
