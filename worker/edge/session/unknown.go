package session

import (
	"encoding/json"
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// shows reports whether the client has this call and its user is in it.
func (s *session) shows(callID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, shown := s.shown[callID]
	return shown
}

// charge charges a user and their app for a command that coordinators refused for a limit, or that found no call. If
// the call may not exist, the user is also charged as for an invitation. The outcome is known only afterward, so the
// limiters can go into debt.
func (e *Edge) charge(s *session, cmd events.Command, a events.Answer) {
	now := time.Now()
	if more := e.quotas.Answered(e.Clock.Now(), e.Apps.Quota(cmd.App), cmd, a); more > 0 {
		_ = s.user.commands.ReserveN(now, min(more, s.user.commands.Burst()))
	}
	if cmd.Verb == events.VerbInvite || a.Error == nil || s.shows(cmd.CallID) {
		return
	}
	if slices.Contains(mayNotBe(), a.Error.Code) {
		_ = s.user.unknown.ReserveN(now, 1)
	}
}

// mayNotBe lists the codes after which the call does not exist, or may not exist.
func mayNotBe() []events.Code {
	return []events.Code{events.CodeNotFound, events.CodeRateLimited, events.CodeUnavailable}
}

// callID returns the call id of a command that is not parsed any further.
func callID(data []byte) string {
	var c struct {
		CallID string `json:"call_id"`
	}
	_ = json.Unmarshal(data, &c) // malformed data has no call id
	return c.CallID
}
