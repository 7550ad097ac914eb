package session

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/meter"
)

// The methods of a session that are no verbs.
const (
	methodGet  = "get"
	methodLine = "line"
)

// maxRefused is how many commands in a row may be refused for a limit before the client is closed.
const maxRefused = 200

// refusalDelay is the delay of a refusal to a user who gets many refusals. A client that waits for its answers then
// sends fewer commands. A client that does not wait reaches the limit of commands in flight.
const refusalDelay = 2 * time.Second

// rpc carries out a command without blocking the client. It calls reply exactly once, later. A refusal is an answer
// too.
func (e *Edge) rpc(ctx context.Context, s *session, method string, data []byte, reply func([]byte)) {
	if !e.takeSlot(s) {
		reply(encoded(events.Refusal(commandID(data), limited("more than %d commands of this session are in flight", e.Limits.InFlight))))
		return
	}
	send := func(answer any) { s.inFlight.Add(-1); reply(encoded(answer)) }
	if refusal := e.tooMuch(s, events.Verb(method), data); refusal != nil {
		e.sendRefusal(s, func() { send(events.Refusal(commandID(data), refusal)) })
		return
	}
	began, came := time.Now(), e.Stall.Now()
	go func() {
		var answer any
		err := broker.RunAll(func() error { answer = e.answer(ctx, s, method, data, came); return nil })
		if err != nil {
			e.Log.Error().Err(err).Str("method", known(method)).Msg("command of a session failed")
			answer = events.Refusal(commandID(data), err)
		}
		e.count.Answered(time.Since(began))
		if isLimit(answer) {
			e.sendRefusal(s, func() { send(answer) })
			return
		}
		send(answer)
	}()
}

func isLimit(answer any) bool {
	a, ok := answer.(events.Answer)
	return ok && a.Error != nil && a.Error.Code == events.CodeRateLimited
}

// sendRefusal calls send now, or later if the user gets many refusals.
func (e *Edge) sendRefusal(s *session, send func()) {
	if s.user.refusals.Allow() {
		send()
		return
	}
	time.AfterFunc(refusalDelay, send)
}

// takeSlot takes a slot for one more command of the session, if one is free. Decrementing inFlight frees it.
func (e *Edge) takeSlot(s *session) bool {
	if s.inFlight.Add(1) > int32(e.Limits.InFlight) {
		s.inFlight.Add(-1)
		e.refused(s)
		return false
	}
	return true
}

// refused counts a command above a limit. It closes a client that keeps sending such commands.
func (e *Edge) refused(s *session) {
	e.count.Refused(meter.RefusedRate)
	if s.refused.Add(1) > maxRefused {
		s.close(TooManyRequests)
	}
}

// tooMuch returns a refusal if the command is above a limit, otherwise nil.
func (e *Edge) tooMuch(s *session, verb events.Verb, data []byte) error {
	refusal := e.aboveLimits(s, verb, data)
	if refusal != nil {
		e.refused(s)
		return refusal
	}
	s.refused.Store(0)
	return nil
}

// aboveLimits checks the limits of the session and of its user.
func (e *Edge) aboveLimits(s *session, verb events.Verb, data []byte) error {
	now := time.Now()
	switch {
	case !s.commands.AllowN(now, 1):
		return limited("a session may send %g commands a second, %d at once", e.Limits.Commands.PerSecond, e.Limits.Commands.Burst)
	case !s.user.commands.AllowN(now, 1):
		return limited("a user may send %g commands a second, %d at once", e.Limits.UserCommands.PerSecond, e.Limits.UserCommands.Burst)
	case verb.Invites() && !s.user.invitations.AllowN(now, 1):
		return limited("a caller may send %g invitations a second, %d at once", e.Limits.Invitations.PerSecond, e.Limits.Invitations.Burst)
	case verb.Known() && verb != events.VerbInvite && s.user.unknown.TokensAt(now) < 1 && !s.shows(callID(data)):
		return limited("a user may send %g commands a second for unknown calls, %d at once", e.Limits.Invitations.PerSecond, e.Limits.Invitations.Burst)
	}
	return nil
}

func limited(format string, args ...any) error {
	return events.Errorf(events.CodeRateLimited, format, args...)
}

func (e *Edge) answer(ctx context.Context, s *session, method string, data []byte, came time.Time) any {
	verb := events.Verb(method)
	switch {
	case method == methodGet:
		return e.get(ctx, s, data)
	case method == methodLine:
		return e.line(ctx, s, data)
	case method == methodAway || method == methodBack:
		return e.away(s, method, data)
	case !verb.Known():
		return events.Refusal(commandID(data), events.Errorf(events.CodeInvalidArgument, "verb: must be one of %s, got %.40q", methods(), method))
	case verb.Internal():
		return events.Refusal(commandID(data), events.Errorf(events.CodePermissionDenied, "verb: %s is not allowed, only Ringline itself sends it", verb))
	}
	if e.Stall.Stalled() || e.Stall.Since(came) {
		return events.Refusal(commandID(data), events.Errorf(events.CodeUnavailable, "this edge was paused, the command was not executed"))
	}
	cmd, bad := events.ReadSessionCommand(s.app, verb, data, s.by, nuid.Next)
	if bad != nil {
		return events.Refusal(cmd.CommandID, bad)
	}
	if cmd.CallID == "" {
		secret, err := e.Secrets.CallIDs(ctx, s.app)
		if err != nil {
			return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable, "call_id: can't be derived, nothing was stored: %v", err))
		}
		cmd.CallID = events.DeriveCallID(secret, s.app, cmd.UserID, cmd.CommandID)
	}
	switch {
	case e.Via:
		cmd.Via = events.ViaSession
	case verb == events.VerbInvite: // coordinators that don't know via know neither pictures nor other names
		cmd.UserAvatar = ""
	default:
		cmd.UserName, cmd.UserAvatar = "", ""
	}
	if bad := e.above(ctx, cmd, len(data)); bad != nil {
		return events.Refusal(cmd.CommandID, bad)
	}
	answer := e.Asker.Ask(context.WithoutCancel(ctx), cmd) // a hang-up takes effect even if its client disconnects at once
	e.charge(s, cmd, answer)
	return answer
}

// above refuses a command above the quota of its app, counting only the sessions here. Coordinators would refuse it
// too, but only after it was stored. A coordinator answers an invitation that may have been carried out before.
func (e *Edge) above(ctx context.Context, cmd events.Command, size int) error {
	now, limits := e.Clock.Now(), e.Apps.Quota(cmd.App)
	bad := e.quotas.Ask(now, limits, cmd, size)
	done := func() bool {
		return cmd.Verb.Invites() && e.quotas.LookUp(now, limits, cmd.App) && e.Calls.MayRemember(ctx, cmd)
	}
	if bad != nil && !done() {
		return bad
	}
	e.quotas.PassedOn(now, cmd)
	return nil
}

// get returns a call to its parties.
func (e *Edge) get(ctx context.Context, s *session, data []byte) any {
	callID, bad := events.ReadGet(data)
	if bad != nil {
		return events.Refusal("", bad)
	}
	now, err := e.Calls.LoadFromLeader(ctx, s.app, callID)
	switch {
	case err != nil:
		return events.Refusal("", events.Errorf(events.CodeUnavailable, "%v", err))
	case now.Seq == 0 || now.Call.EndReason == events.EndFailed:
		return events.Refusal("", events.Errorf(events.CodeNotFound, "call_id: there is no call %s", callID))
	case !now.Call.Has(s.by.UserID):
		return events.Refusal("", events.Errorf(events.CodePermissionDenied, "get: only for parties of the call"))
	}
	view := now.Call.For(s.by.UserID)
	return events.Answer{OK: true, Call: &view}
}

// line returns the calls on the session's own line.
func (e *Edge) line(ctx context.Context, s *session, data []byte) any {
	if bad := events.ReadOwnLineRequest(data); bad != nil {
		return events.Refusal("", bad)
	}
	calls, err := e.Lines.CallsOf(ctx, s.app, s.by.UserID)
	if err != nil {
		return events.Refusal("", events.Errorf(events.CodeUnavailable, "%v", err))
	}
	answer := events.LineAnswer{OK: true, Calls: []string{}}
	for _, c := range calls {
		answer.Calls = append(answer.Calls, c.CallID)
	}
	return answer
}

// commandID returns the command id of a command that is not parsed any further, if it is valid.
func commandID(data []byte) string {
	var c struct {
		CommandID string `json:"command_id"`
	}
	if json.Unmarshal(data, &c) != nil || events.CheckToken("", c.CommandID) != nil {
		return ""
	}
	return c.CommandID
}

func encoded(answer any) []byte {
	body, err := events.Encode(answer)
	if err != nil { // a defect, but the client must still get an answer
		return []byte(`{"ok":false,"error":{"code":"internal","message":"the answer can't be encoded"}}`)
	}
	return body
}

func methods() string {
	var list []string
	for _, v := range events.Verbs() {
		if v.Served() {
			list = append(list, string(v))
		}
	}
	return strings.Join(append(list, methodGet, methodLine, methodAway, methodBack), ", ")
}

// known returns the method, or "unknown", so that the log contains no text of a client.
func known(method string) string {
	if slices.Contains([]string{methodGet, methodLine, methodAway, methodBack}, method) || events.Verb(method).Known() {
		return method
	}
	return "unknown"
}
