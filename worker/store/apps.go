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
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/quota"
	"ringline.io/ringline/worker/streams"
)

// Apps holds the settings of each app, and watches the bucket for changes.
type Apps struct {
	Health *health.Condition // OK once the settings are loaded; may be nil. Set it before Run

	js        jetstream.JetStream
	log       zerolog.Logger
	defaults  call.Limits
	longest   time.Duration
	loaded    chan struct{} // closed once all existing entries have been read
	malformed *meter.Count

	mu  sync.RWMutex
	now *settled // in force; nil until loaded
}

// NewApps returns the apps behind this connection. It limits the maximum duration of calls to longest, whatever an app sets,
// so that a line outlives its calls. Nothing is read before Run. The meter may be nil.
func NewApps(js jetstream.JetStream, log zerolog.Logger, defaults call.Limits, longest time.Duration, m *meter.Meter) *Apps {
	return &Apps{
		js: js, log: log, defaults: defaults, longest: longest, loaded: make(chan struct{}), malformed: m.Malformed(meter.OnApp),
	}
}

// Settings returns the settings of an app, and whether it has an entry. The caller must not modify them. Settings waits until
// Run has read all existing entries.
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

// KnowsOrigin reports whether any app lists this origin. It returns false until Run has read all existing entries.
func (a *Apps) KnowsOrigin(origin string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.now != nil && a.now.origins[origin] > 0
}

// Limits returns the limits of an app. It waits until Run has read all existing entries.
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
	l.Reach = time.Duration(s.ReachS) * time.Second
	if s.MaxDurationS > 0 {
		l.MaxDuration = min(a.longest, time.Duration(s.MaxDurationS)*time.Second)
	}
	l.RingingPerCaller = cmp.Or(s.RingingPerCaller, l.RingingPerCaller)
	l.EndAlone = s.EndWhenAlone == events.AloneNow
	l.BackendRooms = s.RoomIDFrom == events.RoomIDFromService
	l.BackendPrefix = cmp.Or(s.ServiceCallPrefix, l.BackendPrefix)
	return l, nil
}

// Quota returns the quota of an app. Until Run has read all existing entries, it is the quota of an app without settings.
func (a *Apps) Quota(app string) quota.Limits { return quota.LimitsOf(a.last(app)) }

// APISlots returns how many requests of an app one api process may handle at once.
func (a *Apps) APISlots(app string) int {
	return cmp.Or(a.last(app).APISlots, events.DefaultAPISlots)
}

// Run watches the settings until ctx ends. After a reconnect it reads all entries again.
func (a *Apps) Run(ctx context.Context) error {
	return watch{js: a.js, log: a.log, bucket: streams.BucketApps, what: "the apps", begin: func() func(jetstream.KeyValueEntry) {
		now := newSettled()
		return func(e jetstream.KeyValueEntry) {
			if e == nil { // all existing entries have been read
				a.replace(now)
				return
			}
			a.apply(now, e)
		}
	}}.Run(ctx)
}

// replace puts the settings in force. The watch still updates them, under the lock.
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
		a.logNotInForce(app, read)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !put {
		now.remove(app)
		return
	}
	now.set(app, read.Settings)
}

// logNotInForce logs the settings of an app that are not in force.
func (a *Apps) logNotInForce(app string, read events.InForce) {
	for _, bad := range read.Bad {
		a.malformed.Inc()
		a.log.Error().Str("error", events.WithoutQuotes(events.Message(bad))).Str("app", app).Msg("an app has a malformed setting")
	}
	if len(read.Unknown) > 0 {
		a.log.Warn().Int("settings", len(read.Unknown)).Str("app", app).
			Msg("an app has unknown settings, which this version ignores; `ringline app get` names them")
	}
}

// last returns the settings in force for an app, or empty settings before the first are loaded.
func (a *Apps) last(app string) events.AppSettings {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.now == nil {
		return events.AppSettings{}
	}
	return a.now.apps[app]
}
