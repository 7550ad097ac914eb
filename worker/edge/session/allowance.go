package session

import (
	"time"

	"golang.org/x/time/rate"
)

// allowance is what a user may still send. It outlives his sessions: who comes again has no more than who stayed.
type allowance struct {
	commands    *rate.Limiter
	invitations *rate.Limiter
	connects    *rate.Limiter
	unknown     *rate.Limiter // commands of calls that are not there
	refusals    *rate.Limiter // those that are told at once
}

func (l Limits) allowance() allowance {
	return allowance{
		commands: l.UserCommands.limiter(), invitations: l.Invitations.limiter(), connects: l.Connects.limiter(),
		unknown: l.Invitations.limiter(), refusals: l.Refusals.limiter(),
	}
}

// whole says whether it is as good as a new one.
func (a allowance) whole(now time.Time) bool {
	for _, l := range []*rate.Limiter{a.commands, a.invitations, a.connects, a.unknown, a.refusals} {
		if l.TokensAt(now) < float64(l.Burst()) {
			return false
		}
	}
	return true
}

// mayConnect takes what a connect with so many calls to read costs, if it is there.
func (a allowance) mayConnect(now time.Time, showing int) bool {
	const readsAtOnce = 10
	return a.connects.AllowN(now, min(a.connects.Burst(), 1+showing/readsAtOnce))
}

// allow gives a user who comes what he has left, or a new one. With mu held.
func (u *users) allow(subject string) allowance {
	a, left := u.left[subject]
	if !left {
		return u.limits.allowance()
	}
	delete(u.left, subject)
	return a
}

// forget forgets the allowances of users who have gone, once they are as good as new ones.
func (u *users) forget(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for subject, a := range u.left {
		if a.whole(now) {
			delete(u.left, subject)
		}
	}
}
