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

// errTooMany says that a user has as many sessions as he may.
var errTooMany = errors.New("session: too many sessions of this user")

// user is somebody who has sessions on this edge. There is one subscription to his subject, however many they are.
type user struct {
	allowance

	subject string
	seen    int // how many dropped messages were seen to; the watch's own

	ready chan struct{} // closed once the subscription is in force, or is not to be had
	err   error         // why not
	sub   *nats.Subscription

	sessions []*session // guarded by users.mu
}

// lanes is how many channels the messages of all users come through. Those of one user come through one, in order.
const (
	lanes    = 4
	laneSize = 8192
)

// users are those who have sessions on this edge.
type users struct {
	nc     *nats.Conn
	limits Limits
	lanes  [lanes]chan *nats.Msg
	seed   maphash.Seed

	mu        sync.RWMutex
	bySubject map[string]*user
	left      map[string]allowance // of users who have gone, by their subjects
	count     int                  // of sessions
}

func newUsers(nc *nats.Conn, limits Limits) *users {
	u := &users{nc: nc, limits: limits, seed: maphash.MakeSeed(), bySubject: map[string]*user{}, left: map[string]allowance{}}
	for i := range u.lanes {
		u.lanes[i] = make(chan *nats.Msg, laneSize)
	}
	return u
}

// join adds a session, and returns once nothing that is published to its user from now on can pass it by.
func (u *users) join(ctx context.Context, s *session) error {
	x, first, err := u.add(s)
	if err != nil {
		return err
	}
	if first {
		x.err = u.subscribe(x)
		close(x.ready)
		u.unhear(x)
	}
	select {
	case <-x.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	return x.err
}

func (u *users) add(s *session) (x *user, first bool, err error) {
	subject := events.UserSubject(s.app, s.by.UserID)
	u.mu.Lock()
	defer u.mu.Unlock()
	x = u.bySubject[subject]
	if x == nil {
		x = &user{allowance: u.allow(subject), subject: subject, ready: make(chan struct{})}
		u.bySubject[subject] = x
		first = true
	}
	if len(x.sessions) >= u.limits.SessionsPerUser {
		return nil, false, errTooMany
	}
	s.user = x
	x.sessions = append(x.sessions, s)
	u.count++
	return x, first, nil
}

// subscribe hears the user's subject, and waits until the server knows. It is not ended by the session that asked for it,
// as others may wait for the same.
func (u *users) subscribe(x *user) (err error) {
	lane := u.lanes[maphash.String(u.seed, x.subject)%lanes]
	if x.sub, err = u.nc.ChanSubscribe(x.subject, lane); err != nil {
		return fmt.Errorf("session: hear a user: %w", err)
	}
	if err := u.flush(); err != nil {
		return fmt.Errorf("session: hear a user: %w", err)
	}
	return nil
}

func (u *users) flush() error { return u.nc.FlushTimeout(5 * time.Second) }

// leave takes a session out, and the user with his last one.
func (u *users) leave(s *session) {
	u.mu.Lock()
	x := s.user
	if x != nil {
		before := len(x.sessions)
		x.sessions = slices.DeleteFunc(x.sessions, func(other *session) bool { return other == s })
		u.count -= before - len(x.sessions)
		if len(x.sessions) == 0 && u.bySubject[x.subject] == x {
			delete(u.bySubject, x.subject)
			u.left[x.subject] = x.allowance
		}
	}
	u.mu.Unlock()
	if x != nil {
		u.unhear(x)
	}
}

// unhear ends the subscription of a user who has no session any more. One that is only being made is ended by its maker.
func (u *users) unhear(x *user) {
	select {
	case <-x.ready:
	default:
		return
	}
	u.mu.RLock()
	gone := len(x.sessions) == 0
	u.mu.RUnlock()
	if gone && x.sub != nil {
		_ = x.sub.Unsubscribe() // it fails only where that was done before, or the connection is closed
	}
}

// dropped is how many messages for the user NATS has dropped.
func (x *user) dropped() int {
	select {
	case <-x.ready:
	default:
		return 0
	}
	if x.sub == nil {
		return 0
	}
	n, _ := x.sub.Dropped() // it fails only once nobody hears it any more
	return n
}

// lost lists the sessions of those for whom NATS has dropped something since it was asked last. It reports only the first
// of several in a row.
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

// of lists the sessions that hear this subject.
func (u *users) of(subject string) []*session {
	u.mu.RLock()
	defer u.mu.RUnlock()
	if x := u.bySubject[subject]; x != nil {
		return slices.Clone(x.sessions)
	}
	return nil
}

// all lists all sessions.
func (u *users) all() []*session {
	u.mu.RLock()
	defer u.mu.RUnlock()
	list := make([]*session, 0, u.count)
	for _, x := range u.bySubject {
		list = append(list, x.sessions...)
	}
	return list
}

// relay hands what comes through one lane to those whom it is for, until ctx ends.
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
