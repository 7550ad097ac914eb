package session

import (
	"time"

	"golang.org/x/time/rate"
)

// allowance holds what a user may still send. It outlives the user's sessions, so that reconnecting does not reset it.
type allowance struct {
	commands    *rate.Limiter
	invitations *rate.Limiter
	connects    *rate.Limiter
	unknown     *rate.Limiter // commands for unknown calls
	refusals    *rate.Limiter // refusals that are sent at once
}

func (l Limits) allowance() allowance {
	return allowance{
		commands: l.UserCommands.limiter(), invitations: l.Invitations.limiter(), connects: l.Connects.limiter(),
		unknown: l.Invitations.limiter(), refusals: l.Refusals.limiter(),
	}
}

// whole reports whether every limiter is full, as in a new allowance.
func (a allowance) whole(now time.Time) bool {
	for _, l := range []*rate.Limiter{a.commands, a.invitations, a.connects, a.unknown, a.refusals} {
		if l.TokensAt(now) < float64(l.Burst()) {
			return false
		}
	}
	return true
}

// mayConnect takes the cost of a connect that reads this many calls, if the user has it left.
func (a allowance) mayConnect(now time.Time, showing int) bool {
	const readsAtOnce = 10
	return a.connects.AllowN(now, min(a.connects.Burst(), 1+showing/readsAtOnce))
}

// allow returns what a returning user has left, or a new allowance. The caller holds mu.
func (u *users) allow(subject string) allowance {
	a, left := u.left[subject]
	if !left {
		return u.limits.allowance()
	}
	delete(u.left, subject)
	return a
}

// forget drops the allowances of users without sessions, once they are full again.
func (u *users) forget(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for subject, a := range u.left {
		if a.whole(now) {
			delete(u.left, subject)
		}
	}
}
