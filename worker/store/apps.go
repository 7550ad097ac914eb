package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/call"
)

// Apps knows what each app changes of the defaults, and hears of changes as they are made.
type Apps struct {
	js       jetstream.JetStream
	log      zerolog.Logger
	defaults call.Limits
	loaded   chan struct{} // closed once what there is has been read

	mu   sync.RWMutex
	apps map[string]events.AppSettings
}

// NewApps gives the apps behind this connection. Run makes it hear.
func NewApps(js jetstream.JetStream, log zerolog.Logger, defaults call.Limits) *Apps {
	return &Apps{
		js: js, log: log, defaults: defaults, loaded: make(chan struct{}), apps: map[string]events.AppSettings{},
	}
}

// Limits gives the limits of an app. Until Run has read what there is it waits.
func (a *Apps) Limits(app string) call.Limits {
	<-a.loaded
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
		l.MaxDuration = time.Duration(s.MaxDurationS) * time.Second
	}
	return l
}

// Run hears of changes until ctx ends.
func (a *Apps) Run(ctx context.Context) error {
	var once sync.Once
	ready := func() { once.Do(func() { close(a.loaded) }) }
	defer ready() // nobody is left waiting
	for ctx.Err() == nil {
		if err := a.watch(ctx, ready); err != nil && ctx.Err() == nil {
			a.log.Error().Err(err).Msg("can't watch the apps, trying again")
			select {
			case <-ctx.Done():
			case <-time.After(tryAgain):
			}
		}
	}
	return nil
}

func (a *Apps) watch(ctx context.Context, ready func()) error {
	kv, err := a.js.KeyValue(ctx, worker.BucketApps)
	if err != nil {
		return fmt.Errorf("store: open the apps: %w", err)
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("store: watch the apps: %w", err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-w.Updates():
			switch {
			case !open:
				return errors.New("store: the watch of the apps ended")
			case e == nil: // that was the last that there was
				ready()
			default:
				a.apply(e)
			}
		}
	}
}

func (a *Apps) apply(e jetstream.KeyValueEntry) {
	var s events.AppSettings
	if e.Operation() == jetstream.KeyValuePut {
		var err error
		if s, err = events.ReadAppSettings(e.Value()); err != nil {
			a.log.Error().Err(err).Str("app", e.Key()).Msg("an app's settings can't be read, the last ones stay")
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apps[e.Key()] = s
}
