package timeouts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// Worker turns due deadlines into expire commands. Several workers may run at the same time.
type Worker struct {
	Health *health.Condition // whether deadlines are consumed, or nil; set before Run

	js    jetstream.JetStream
	clock *clock.Clock
	log   zerolog.Logger
	every Sweep
	meter *meter.Meter

	malformed, overdue *meter.Count
	late               *meter.Times
	failed             *meter.Publishes
}

// New returns a worker. The clock gives broker time. The clock and the meter may be nil.
func New(js jetstream.JetStream, c *clock.Clock, log zerolog.Logger, s Sweep, m *meter.Meter) *Worker {
	return &Worker{
		js: js, clock: c, log: log, every: s, meter: m,
		malformed: m.Malformed(meter.OnDue), overdue: m.Overdue(), late: m.Lateness(), failed: m.Publishes(meter.ByTimeouts),
	}
}

// Run consumes due deadlines and sweeps until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	swept := make(chan struct{})
	go func() { defer close(swept); w.sweep(ctx) }()
	defer func() { <-swept }()
	return worker.Runner{
		JS: w.js, Log: w.log, Meter: w.meter, Health: w.Health, Stream: streams.StreamTimers, Consumer: streams.ConsumerTimeouts,
		Parallel: 256, Key: func(subject string) string { return subject }, Handle: w.handle, Drain: 10 * time.Second,
	}.Run(ctx)
}

func (w *Worker) handle(ctx context.Context, msg worker.Msg) worker.Exit {
	app, callID, id, ok := events.ParseDueSubject(msg.Subject())
	if !ok {
		w.malformed.Inc()
		w.log.Error().Str("subject", msg.Subject()).Msg("malformed deadline dropped")
		return worker.Term("malformed deadline")
	}
	if err := w.expire(ctx, app, callID, id); err != nil {
		return worker.Failed(worker.Delivered(msg), meter.ExpireNotStored, err)
	}
	var d events.Deadline
	if json.Unmarshal(msg.Data(), &d) == nil && d.Deadline > 0 {
		w.late.Took(w.clock.Now().Sub(d.Deadline.Time()))
	}
	return worker.Ack()
}

func (w *Worker) expire(ctx context.Context, app, callID string, d events.DeadlineID) error {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: callID, Verb: events.VerbExpire},
		CommandID:      events.ExpireID(callID, d), Service: events.ServiceTimeouts,
	}
	body, err := cmd.Encode()
	if err != nil {
		return err
	}
	if _, err := w.js.Publish(ctx, events.CommandSubject(app, callID, cmd.Verb), body); err != nil {
		w.failed.Failed(err)
		return fmt.Errorf("timeouts: expire call %s: %w", callID, err)
	}
	return nil
}
