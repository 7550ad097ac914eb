package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
)

// Apps knows what each app changes of the defaults, and hears of changes as they are made.
type Apps struct {
	js       jetstream.JetStream
	log      zerolog.Logger
	defaults call.Limits
	longest  time.Duration
	loaded   chan struct{} // closed once what there is has been read
	garbage  *meter.Count

	mu   sync.RWMutex
	apps map[string]events.AppSettings
}

// NewApps gives the apps behind this connection; no call of theirs may last longer than longest, whatever they say, so
// that a line outlives its call. Run makes it hear. The meter may be nil.
func NewApps(js jetstream.JetStream, log zerolog.Logger, defaults call.Limits, longest time.Duration, m *meter.Meter) *Apps {
	return &Apps{
		js: js, log: log, defaults: defaults, longest: longest, loaded: make(chan struct{}), garbage: m.Garbage(meter.OnApp),
	}
}

// Limits gives the limits of an app. Until Run has read what there is it waits.
func (a *Apps) Limits(ctx context.Context, app string) (call.Limits, error) {
	select {
	case <-a.loaded:
	case <-ctx.Done():
		return call.Limits{}, fmt.Errorf("store: the apps are not read yet: %w", ctx.Err())
	}
	a.mu.RLock()
	s := a.apps[app]
	a.mu.RUnlock()
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
	return l, nil
}

// rewatchAfter is how long to wait before a watch that failed is begun again.
const rewatchAfter = 500 * time.Millisecond

// Run hears of changes until ctx ends. After the connection was lost it reads all anew.
func (a *Apps) Run(ctx context.Context) error {
	connected := a.js.Conn().StatusChanged(nats.CONNECTED)
	var told worker.Repeated
	for ctx.Err() == nil {
		if err := a.watch(ctx, connected); err != nil && ctx.Err() == nil {
			if !told.Again(err) {
				a.log.Error().Err(err).Msg("can't watch the apps, trying again")
			}
			select {
			case <-ctx.Done():
			case <-time.After(rewatchAfter):
			}
		}
	}
	return nil
}

// watch reads what there is, and follows it until ctx ends or the connection comes back; both are no error.
func (a *Apps) watch(ctx context.Context, connected <-chan nats.Status) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	kv, err := a.js.KeyValue(ctx, worker.BucketApps)
	if err != nil {
		return fmt.Errorf("store: open the apps: %w", err)
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("store: watch the apps: %w", err)
	}
	defer func() { _ = w.Stop() }()
	now := map[string]events.AppSettings{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-connected:
			return nil
		case e, open := <-w.Updates():
			switch {
			case !open:
				return errors.New("store: the watch of the apps ended")
			case e == nil: // that was the last that there was
				a.replace(now)
			default:
				a.apply(now, e)
			}
		}
	}
}

// replace puts what there is in force. The map stays the watch's own, to be changed under the lock.
func (a *Apps) replace(now map[string]events.AppSettings) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.apps == nil {
		close(a.loaded)
	}
	a.apps = now
}

func (a *Apps) apply(now map[string]events.AppSettings, e jetstream.KeyValueEntry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Operation() != jetstream.KeyValuePut {
		delete(now, e.Key())
		return
	}
	s, err := events.ReadAppSettings(e.Value())
	if err != nil {
		a.garbage.Inc()
		a.log.Error().Str("error", events.WithoutQuotes(err.Error())).Str("app", e.Key()).Msg("an app's settings can't be read, the last ones stay")
		s = a.apps[e.Key()]
	}
	now[e.Key()] = s
}
