package coordinator

import (
	"context"
	"sync"

	"ringline.io/ringline/events"
)

// slots counts the requests in flight, by app.
type slots struct {
	mu    sync.Mutex
	taken map[string]int
}

func newSlots() *slots { return &slots{taken: map[string]int{}} }

// take takes a slot if fewer than most are taken.
func (s *slots) take(app string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[app] >= most {
		return false
	}
	s.taken[app]++
	return true
}

func (s *slots) free(app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[app]--; s.taken[app] == 0 {
		delete(s.taken, app)
	}
}

func (a *API) slotsOf(app string) int {
	if a.Slots == nil {
		return events.DefaultAPISlots
	}
	return a.Slots(app)
}

func tooManyOf(app string, most int) events.Answer {
	return events.Refusal("", events.Errorf(events.CodeRateLimited, "app %s may have %d requests in flight (api_slots)", app, most))
}

// listCosts is how many reads a list counts as, in addition to the calls and lines of its app that it reads.
const listCosts = 100

// mayRead refuses the read of an app that exceeds its quota.
func (a *API) mayRead(app, method string) error {
	if a.Fair == nil {
		return nil
	}
	times := 1
	if method == methodList {
		times = listCosts
	}
	return a.Fair.Quotas.Read(a.Clock.Now(), a.Fair.Limits(app), app, times)
}

// hasRead charges what a list has read.
func (a *API) hasRead(app string, reads int) {
	if a.Fair != nil {
		a.Fair.Quotas.HasRead(a.Clock.Now(), a.Fair.Limits(app), app, reads)
	}
}

// room refuses a command that the coordinator of this process would refuse now, because refusing is cheaper here.
func (a *API) room(ctx context.Context, cmd events.Command, size int) error {
	if a.Fair == nil {
		return nil
	}
	now := a.Clock.Now()
	bad := a.Fair.Quotas.Ask(now, a.Fair.Limits(cmd.App), cmd, size)
	if bad != nil && !mayBeDone(ctx, a.Calls, a.Fair, now, cmd) {
		return bad
	}
	a.Fair.Quotas.PassedOn(now, cmd)
	return nil
}
