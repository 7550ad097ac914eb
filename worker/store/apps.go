package store

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/quota"
)

// Apps knows what each app changes of the defaults, and hears of changes as they are made.
type Apps struct {
	Health *health.Condition // that they are loaded; or nil. To be set before Run

	js       jetstream.JetStream
	log      zerolog.Logger
	defaults call.Limits
	longest  time.Duration
	loaded   chan struct{} // closed once what there is has been read
	garbage  *meter.Count

	mu  sync.RWMutex
	now *settled // in force; nil until it is loaded
}

// NewApps gives the apps behind this connection; no call of theirs may last longer than longest, whatever they say, so
// that a line outlives its call. Run makes it hear. The meter may be nil.
func NewApps(js jetstream.JetStream, log zerolog.Logger, defaults call.Limits, longest time.Duration, m *meter.Meter) *Apps {
	return &Apps{
		js: js, log: log, defaults: defaults, longest: longest, loaded: make(chan struct{}), garbage: m.Garbage(meter.OnApp),
	}
}

// Settings gives what an app has set, not to be changed, and whether it has an entry at all. Until Run has read what
// there is it waits.
func (a *Apps) Settings(ctx context.Context, app string) (s events.AppSettings, known bool, err error) {
	select {
	case <-a.loaded:
	case <-ctx.Done():
		return s, false, fmt.Errorf("store: the apps are not read yet: %w", ctx.Err())
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	s, known = a.now.apps[app]
	return s, known, nil
}

// KnowsOrigin says whether any app lists this origin. Until Run has read what there is none does.
func (a *Apps) KnowsOrigin(origin string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.now != nil && a.now.origins[origin] > 0
}

// Limits gives the limits of an app. Until Run has read what there is it waits.
func (a *Apps) Limits(ctx context.Context, app string) (call.Limits, error) {
	s, _, err := a.Settings(ctx, app)
	if err != nil {
		return call.Limits{}, err
	}
	l := a.defaults
	if s.Capacity > 0 {
		l.Capacity = s.Capacity
	}
	if s.RingTimeoutS > 0 {
		l.RingTimeout = time.Duration(s.RingTimeoutS) * time.Second
	}
	if s.MaxCallees > 0 {
		l.MaxCallees = s.MaxCallees
	}
	if s.MaxDurationS > 0 {
		l.MaxDuration = min(a.longest, time.Duration(s.MaxDurationS)*time.Second)
	}
	l.RingingPerCaller = cmp.Or(s.RingingPerCaller, l.RingingPerCaller)
	l.BackendPrefix = cmp.Or(s.ServiceCallPrefix, l.BackendPrefix)
	return l, nil
}

// Quota gives what an app may send. Until Run has read what there is it is that of an app that has set nothing.
func (a *Apps) Quota(app string) quota.Limits { return quota.LimitsOf(a.last(app)) }

// APISlots gives how many requests of an app may be under way in one api.
func (a *Apps) APISlots(app string) int {
	return cmp.Or(a.last(app).APISlots, events.DefaultAPISlots)
}

// Run hears of changes until ctx ends. After the connection was lost it reads all anew.
func (a *Apps) Run(ctx context.Context) error {
	return watch{js: a.js, log: a.log, bucket: worker.BucketApps, what: "the apps", begin: func() func(jetstream.KeyValueEntry) {
		now := newSettled()
		return func(e jetstream.KeyValueEntry) {
			if e == nil { // that was the last that there was
				a.replace(now)
				return
			}
			a.apply(now, e)
		}
	}}.Run(ctx)
}

// replace puts what there is in force. It stays the watch's own, to be changed under the lock.
func (a *Apps) replace(now *settled) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		close(a.loaded)
	}
	a.now = now
	a.Health.OK()
}

func (a *Apps) apply(now *settled, e jetstream.KeyValueEntry) {
	app, put := e.Key(), e.Operation() == jetstream.KeyValuePut
	var read events.InForce
	if put {
		read = events.AppSettingsInForce(e.Value(), a.last(app))
		a.tell(app, read)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !put {
		now.remove(app)
		return
	}
	now.set(app, read.Settings)
}

// tell logs what of an app's settings is not in force.
func (a *Apps) tell(app string, read events.InForce) {
	for _, bad := range read.Bad {
		a.garbage.Inc()
		a.log.Error().Str("error", events.WithoutQuotes(bad.Message)).Str("app", app).Msg("an app has a setting that can't be read")
	}
	if len(read.Unknown) > 0 {
		a.log.Warn().Int("settings", len(read.Unknown)).Str("app", app).
			Msg("an app has settings that this version does not know, it ignores them; `ringline app get` names them")
	}
}

// last gives what is in force for an app; with nothing read before that is nothing.
func (a *Apps) last(app string) events.AppSettings {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.now == nil {
		return events.AppSettings{}
	}
	return a.now.apps[app]
}
