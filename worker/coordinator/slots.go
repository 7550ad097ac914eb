package coordinator

import (
	"context"
	"sync"

	"ringline.io/ringline/events"
)

// slots counts the requests of each app that are under way.
type slots struct {
	mu    sync.Mutex
	taken map[string]int
}

func newSlots() *slots { return &slots{taken: map[string]int{}} }

// take takes a slot, if fewer than most are taken.
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
	return events.Refusal("", events.Errorf(events.CodeRateLimited, "app %s may have %d requests under way at once (api_slots)", app, most))
}

// reads bounds how many reads are under way at once, of all apps and of each.
type reads struct {
	all chan struct{}

	mu   sync.Mutex
	apps map[string]*readers
}

// readers are the reads of one app.
type readers struct {
	room  chan struct{}
	count int // under way or waiting
}

func newReads(parallel int) *reads {
	return &reads{all: make(chan struct{}, max(parallel, 1)), apps: map[string]*readers{}}
}

// enter waits until the app may read.
func (x *reads) enter(app string) (leave func()) {
	x.mu.Lock()
	r := x.apps[app]
	if r == nil {
		r = &readers{room: make(chan struct{}, max(1, cap(x.all)/2))}
		x.apps[app] = r
	}
	r.count++
	x.mu.Unlock()
	r.room <- struct{}{}
	x.all <- struct{}{}
	return func() {
		<-x.all
		<-r.room
		x.mu.Lock()
		defer x.mu.Unlock()
		if r.count--; r.count == 0 {
			delete(x.apps, app)
		}
	}
}

// listCosts is how many reads a list counts as: it reads every open call of its app.
const listCosts = 100

// mayRead refuses a read of an app that sends too many.
func (a *API) mayRead(app, method string) *events.Error {
	if a.Fair == nil {
		return nil
	}
	times := 1
	if method == methodList {
		times = listCosts
	}
	return a.Fair.Quotas.Read(a.Clock.Now(), a.Fair.Limits(app), app, times)
}

// room refuses a command that the coordinator of this process would refuse now: that costs less here.
func (a *API) room(ctx context.Context, cmd events.Command, size int) *events.Error {
	if a.Fair == nil {
		return nil
	}
	now := a.Clock.Now()
	bad := a.Fair.Quotas.Ask(now, a.Fair.Limits(cmd.App), cmd, size)
	if bad == nil || mayBeDone(ctx, a.Calls, a.Fair, now, cmd) {
		return nil
	}
	return bad
}
