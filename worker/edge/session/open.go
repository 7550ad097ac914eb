package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/meter"
)

// hello holds what a client sends when it connects.
type hello struct {
	token string
	data  []byte
	pageOrigin

	transport string
}

// open makes a session whose user is already subscribed, and the client's first snapshot. The session ends with ctx,
// the context of its connection, at the latest.
func (e *Edge) open(ctx context.Context, h hello) (*session, []byte, error) {
	if e.stopping.Load() || e.cutOff.Load() {
		return nil, nil, refuse(Shutdown, "stopping, or without NATS")
	}
	opening, cancel := context.WithTimeout(ctx, e.Limits.Open)
	defer cancel()
	s, showing, err := e.admit(opening, h)
	if err != nil {
		return nil, nil, err
	}
	s.unwatch = context.AfterFunc(ctx, func() { e.end(s) })
	first, err := e.enter(opening, s, showing)
	var snapshot []byte
	if err == nil {
		s.recordSnapshot(first)
		snapshot, err = events.Encode(first)
	}
	if err != nil {
		e.end(s)
		return nil, nil, e.refuseEntry(err)
	}
	return s, snapshot, nil
}

// enter subscribes to the user's subject and then reads the snapshot, in this order.
func (e *Edge) enter(ctx context.Context, s *session, showing []string) (events.Snapshot, error) {
	if err := e.join(ctx, s, len(showing)); err != nil {
		return events.Snapshot{}, err
	}
	return e.snapshot(ctx, s, showing)
}

func (e *Edge) join(ctx context.Context, s *session, showing int) error {
	undo := e.began(s)
	older, first, err := e.users.add(s, showing)
	if err != nil {
		undo()
		return err
	}
	e.replace(older)
	e.announce(s)
	err = e.users.join(ctx, s.user, first)
	if ctx.Err() != nil && e.users.leave(s) { // if it ended before the session joined, nothing else removes the session
		e.gone(s, true)
	}
	return err
}

// began ends the check of the session's device, before the session opens: it may end at any time after that.
func (e *Edge) began(s *session) (undo func()) {
	if e.Presence == nil {
		return func() {}
	}
	e.Presence.Announce()
	return e.Presence.Began(s.key())
}

// gone begins the check of the session's device.
func (e *Edge) gone(s *session, inCall bool) {
	if e.Presence != nil {
		e.Presence.Ended(s.key(), inCall)
	}
}

// refuseEntry converts the error of a session that was admitted but can't be opened.
func (e *Edge) refuseEntry(err error) error {
	switch {
	case errors.Is(err, errReplaced):
		return refuse(Replaced, err.Error())
	case errors.Is(err, errTooMany):
		e.count.Refused(meter.RefusedUser)
		return refuse(TooManySessions, fmt.Sprintf("a user has at most %d sessions here", e.Limits.SessionsPerUser))
	case errors.Is(err, errTooOften):
		e.count.Refused(meter.RefusedRate)
	}
	return refuse(Unavailable, err.Error())
}

// admit checks the token, the origin and the connect data.
func (e *Edge) admit(ctx context.Context, h hello) (s *session, showing []string, err error) {
	claims, err := e.Tokens.Verify(ctx, h.token, e.Clock.Now())
	if err != nil {
		return nil, nil, e.refuseToken(err)
	}
	if err := e.checkOrigin(ctx, claims.App, h); err != nil {
		return nil, nil, err
	}
	data, bad := events.ReadConnectData(h.data)
	if bad != nil {
		e.count.Refused(meter.RefusedData)
		why := events.Message(bad)
		return nil, nil, refusal{BadRequest, reason("bad request: " + why), events.WithoutQuotes(why)}
	}
	device, ok := deviceID(claims.Device, data.Device)
	if !ok {
		e.count.Refused(meter.RefusedDevice)
		return nil, nil, refuse(Denied, "device is not that of the token")
	}
	return &session{
		id: nuid.Next(), app: claims.App, claims: claims, transport: h.transport, commands: e.Limits.Commands.limiter(),
		by: events.Sender{UserID: claims.UserID, UserName: claims.UserName, UserAvatar: claims.Avatar, DeviceID: device}, opened: e.Clock.Now().Round(0).UTC(),
	}, data.Showing, nil
}

func (e *Edge) refuseToken(err error) error {
	switch {
	case errors.Is(err, token.ErrExpired):
		e.count.Refused(meter.RefusedExpired)
		return refuse(Expired, err.Error())
	case errors.Is(err, token.ErrRevoked):
		e.count.Refused(meter.RefusedRevoked)
	case errors.Is(err, token.ErrUnavailable):
		return refuse(Unavailable, err.Error())
	default:
		e.count.Refused(meter.RefusedToken)
	}
	return refuse(InvalidToken, err.Error())
}

// tabSeparator separates the stable part of a device id from the tab's own part.
const tabSeparator = "."

// deviceID returns the device of a session. A client may add a tab to the device of its token, and nothing else.
func deviceID(ofToken, said string) (id string, ok bool) {
	switch {
	case ofToken == "" && said == "":
		return "session-" + nuid.Next(), true
	case ofToken == "" || said == ofToken || strings.HasPrefix(said, ofToken+tabSeparator):
		return said, true
	case said == "":
		return ofToken, true
	}
	return "", false
}

// checkOrigin refuses a page whose origin may not connect for this app.
func (e *Edge) checkOrigin(ctx context.Context, app string, h hello) error {
	if h.origin == "" || h.own || slices.Contains(e.Origins, h.origin) {
		return nil
	}
	s, _, err := e.Apps.Settings(ctx, app)
	if err != nil {
		return refuse(Unavailable, err.Error())
	}
	if !slices.Contains(s.Origins, h.origin) {
		e.refuseOrigin(h.origin)
		return refuse(Denied, "origin is not one of app "+app)
	}
	return nil
}

// begin starts the pushes of a session.
func (e *Edge) begin(s *session, p peer) {
	s.unwatch() // from now on centrifuge reports its end
	whole, asked := s.start(p, e.Clock.Now())
	if !whole {
		e.refresher.soon([]*session{s})
	}
	e.count.Opened(s.transport)
	e.publishChange(s, events.SessionConnected, 0, "")
	if asked != 0 {
		p.Close(asked)
	}
	if e.stopping.Load() { // it was admitted before the stop, and closeAll may not have seen it
		s.close(Shutdown)
	}
}

// end removes a session.
func (e *Edge) end(s *session) {
	inCall := s.showsCalls()
	if !s.end() {
		return
	}
	e.devices.Left(s.key(), s.opened, e.Clock.Now()) // before the session goes: other edges may ask at any moment
	if e.users.leave(s) {
		e.gone(s, inCall)
	}
}

// ended handles the end of a session that had begun.
func (e *Edge) ended(s *session, c Code, reason string) {
	e.end(s)
	e.count.Ended(s.transport, int(c))
	e.publishChange(s, events.SessionDisconnected, c, reason)
}

// publishChange publishes the begin or the end of a session, so that an operator can find out why a device did not ring. It does
// not wait for an ack.
func (e *Edge) publishChange(s *session, what events.SessionChange, c Code, reason string) {
	body, err := events.Encode(events.SessionEvent{
		Event: what, Time: events.TimeOf(e.Clock.Now()), UserID: s.by.UserID, DeviceID: s.by.DeviceID, Session: s.id,
		Transport: s.transport, Edge: e.node.id(), Code: int(c), Reason: reason,
	})
	if err == nil {
		err = e.NC.Publish(events.SessionSubject(s.app, s.by.UserID), body)
	}
	if err != nil {
		e.Log.Warn().Err(err).Str("change", string(what)).Msg("a session event could not be stored")
	}
}

// reason truncates a text so that it fits into a close frame.
func reason(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
