package session

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
)

// The reasons why a session can't join its user.
var (
	errTooMany  = errors.New("session: too many sessions of this user")
	errTooOften = errors.New("session: the user connects too often")
	errReplaced = errors.New("session: the device has opened a newer session")
)

// user is a user with sessions on this edge. All sessions of a user share one subscription.
type user struct {
	allowance

	subject string
	seen    int // dropped messages that lost has reported; only Edge.watch uses it

	ready chan struct{} // closed when the subscription is active or has failed
	err   error         // of the subscription
	sub   *nats.Subscription

	sessions []*session // guarded by users.mu
}

// lanes is the number of channels for the messages of all users. The messages of one user use one channel, in order.
const (
	lanes    = 4
	laneSize = 8192
)

// users holds the users with sessions on this edge.
type users struct {
	nc     *nats.Conn
	limits Limits
	lanes  [lanes]chan *nats.Msg
	seed   maphash.Seed

	mu        sync.RWMutex
	bySubject map[string]*user
	left      map[string]allowance // of users without sessions, by subject
	count     int                  // of sessions
}

func newUsers(nc *nats.Conn, limits Limits) *users {
	u := &users{nc: nc, limits: limits, seed: maphash.MakeSeed(), bySubject: map[string]*user{}, left: map[string]allowance{}}
	for i := range u.lanes {
		u.lanes[i] = make(chan *nats.Msg, laneSize)
	}
	return u
}

// join waits until every notification that is published to the user from now on reaches the session. first is what
// add returned.
func (u *users) join(ctx context.Context, x *user, first bool) error {
	if first {
		x.err = u.subscribe(x)
		close(x.ready)
		u.unsubscribe(x)
	}
	select {
	case <-x.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	return x.err
}

// add adds a session that reads this many calls, in place of the older ones of its device. It returns the older ones,
// and whether the session is the first of its user.
func (u *users) add(s *session, showing int) (older []*session, first bool, err error) {
	subject := events.UserSubject(s.app, s.by.UserID)
	u.mu.Lock()
	defer u.mu.Unlock()
	x := u.bySubject[subject]
	if first = x == nil; first {
		x = &user{allowance: u.allow(subject), subject: subject, ready: make(chan struct{})}
	}
	if older, err = u.admit(x, s, showing); err != nil {
		if first {
			u.left[subject] = x.allowance
		}
		return nil, false, err
	}
	u.bySubject[subject] = x
	x.sessions = slices.DeleteFunc(x.sessions, func(other *session) bool { return slices.Contains(older, other) })
	x.sessions = append(x.sessions, s)
	u.count += 1 - len(older)
	s.user = x
	return older, first, nil
}

// admit checks whether a session may join its user, and lists the older sessions of its device. The caller holds mu.
func (u *users) admit(x *user, s *session, showing int) (older []*session, err error) {
	for _, other := range x.sessions {
		switch {
		case other.by.DeviceID != s.by.DeviceID:
		case other.olderThan(s.opened, s.id):
			older = append(older, other)
		default:
			return nil, errReplaced
		}
	}
	if len(x.sessions)-len(older) >= u.limits.SessionsPerUser {
		return nil, errTooMany
	}
	if !x.mayConnect(time.Now(), showing) {
		return nil, errTooOften
	}
	return older, nil
}

// subscribe subscribes to the user's subject and waits until the server has the subscription. It does not depend on the
// context of the session that triggered it, because other sessions may wait for it too.
func (u *users) subscribe(x *user) (err error) {
	lane := u.lanes[maphash.String(u.seed, x.subject)%lanes]
	if x.sub, err = u.nc.ChanSubscribe(x.subject, lane); err != nil {
		return fmt.Errorf("session: subscribe to a user: %w", err)
	}
	if err := u.flush(); err != nil {
		return fmt.Errorf("session: subscribe to a user: %w", err)
	}
	return nil
}

func (u *users) flush() error { return u.nc.FlushTimeout(5 * time.Second) }

// leave removes a session, and its user with the last one. It returns false if the session is not there.
func (u *users) leave(s *session) (left bool) {
	u.mu.Lock()
	x := s.user
	if x != nil {
		before := len(x.sessions)
		x.sessions = slices.DeleteFunc(x.sessions, func(other *session) bool { return other == s })
		left = len(x.sessions) < before
		u.count -= before - len(x.sessions)
		if len(x.sessions) == 0 && u.bySubject[x.subject] == x {
			delete(u.bySubject, x.subject)
			u.left[x.subject] = x.allowance
		}
	}
	u.mu.Unlock()
	if x != nil {
		u.unsubscribe(x)
	}
	return left
}

// unsubscribe ends the subscription of a user without sessions. A subscription that is not active yet is ended by join.
func (u *users) unsubscribe(x *user) {
	select {
	case <-x.ready:
	default:
		return
	}
	u.mu.RLock()
	gone := len(x.sessions) == 0
	u.mu.RUnlock()
	if gone && x.sub != nil {
		_ = x.sub.Unsubscribe() // it fails only if it is done already, or if the connection is closed
	}
}

// dropped returns how many messages for the user NATS has dropped.
func (x *user) dropped() int {
	select {
	case <-x.ready:
	default:
		return 0
	}
	if x.sub == nil {
		return 0
	}
	n, _ := x.sub.Dropped() // it fails only if the subscription has ended
	return n
}

// lost lists the sessions of the users whose messages NATS has dropped since the last call. NATS reports only the
// first of several drops in a row.
func (u *users) lost() (list []*session) {
	u.mu.RLock()
	defer u.mu.RUnlock()
	for _, x := range u.bySubject {
		if n := x.dropped(); n > x.seen {
			x.seen = n
			list = append(list, x.sessions...)
		}
	}
	return list
}

// of lists the sessions of the user with this subject.
func (u *users) of(subject string) []*session {
	u.mu.RLock()
	defer u.mu.RUnlock()
	if x := u.bySubject[subject]; x != nil {
		return slices.Clone(x.sessions)
	}
	return nil
}

func (u *users) all() []*session {
	u.mu.RLock()
	defer u.mu.RUnlock()
	list := make([]*session, 0, u.count)
	for _, x := range u.bySubject {
		list = append(list, x.sessions...)
	}
	return list
}

// relay delivers the messages of one lane until ctx ends.
func (u *users) relay(ctx context.Context, lane chan *nats.Msg, deliver func(*nats.Msg)) {
	for {
		select {
		case msg := <-lane:
			deliver(msg)
		case <-ctx.Done():
			return
		}
	}
}
