package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// Runner pulls and handles the messages of one durable consumer.
type Runner struct {
	JS       jetstream.JetStream
	Log      zerolog.Logger
	Meter    *meter.Meter      // may be nil
	Health   *health.Condition // OK while messages are consumed; may be nil
	Stream   string
	Consumer string
	Parallel int                                     // maximum number of messages handled at once
	Key      func(subject string) string             // messages with the same key are handled in order
	Share    func(subject string) string             // messages of different shares take turns; nil: one share
	Handle   func(ctx context.Context, msg Msg) Exit // must return soon after ctx ends
	Opened   func(ctx context.Context)               // called each time a consumer was opened, before its use; may be nil
	Drain    time.Duration                           // how long messages in flight may take after Run's context ends

	count *meter.Consumer
}

const (
	reopenAfter        = 500 * time.Millisecond // pause before a consumer is opened again
	pullFor            = 250 * time.Millisecond // wait time of one pull; the end of a worker may have to wait for it
	pullAtOnce         = 256
	pullOut            = time.Second // timeout for a pull to reach the server
	inFlightPerHandler = 16          // messages in flight per handler, most of them queued behind others with the same key
)

// Run handles messages until ctx ends, and then returns nil.
func (r Runner) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(r.Drain, stop) })()
	r.count = r.Meter.Consumer(r.Consumer)
	d := newDispatcher(r.Parallel, func(msg *inFlightMsg) { r.handle(work, msg) })
	extended := make(chan struct{})
	go func() { defer close(extended); d.extend(work, r.JS.Conn()) }()
	defer func() { stop(); <-extended }()

	var failures broker.LogThrottle
	for ctx.Err() == nil {
		if err := r.consume(ctx, d); err != nil && ctx.Err() == nil {
			if unbound(err) {
				r.Health.Fail(err.Error())
			}
			if failures.Allow(err.Error()) {
				r.Log.Error().Err(err).Str("stream", r.Stream).Msg("can't consume, retrying")
			}
			select {
			case <-ctx.Done():
			case <-time.After(reopenAfter):
			}
		}
	}
	if !d.wait(r.Drain) {
		stop() // the handlers nak what they have not finished
		if !d.wait(r.Drain) {
			go d.stop()
			return nil
		}
	}
	d.stop()
	return nil
}

// consume pulls messages until ctx ends, and then returns nil. An error means that the consumer has to be opened again. It
// pulls only what there is room for, and reads each pull to its end, so that no pulled message has to be redelivered.
func (r Runner) consume(ctx context.Context, d *dispatcher) error {
	cons, err := streams.OpenConsumer(ctx, r.JS, r.Stream, r.Consumer)
	if err != nil {
		return err
	}
	if r.Opened != nil {
		r.Opened(ctx)
	}
	for out := false; ; {
		n := d.free(ctx)
		if n == 0 || !r.connected(ctx) {
			return nil
		}
		pulled := pullNow(r.JS.Conn())
		batch, err := cons.Fetch(min(n, pullAtOnce), jetstream.FetchMaxWait(pullFor))
		if err != nil {
			return fmt.Errorf("worker: pull from consumer %s of %s: %w", r.Consumer, r.Stream, err)
		}
		if !out && r.JS.Conn().FlushTimeout(pullOut) == nil {
			out = true
			r.Health.OK()
		}
		for msg := range batch.Messages() {
			d.dispatch(lease(msg, r.Key(msg.Subject()), r.shareOf(msg.Subject()), pulled))
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			return fmt.Errorf("worker: pull from consumer %s of %s: %w", r.Consumer, r.Stream, err)
		}
	}
}

// unbound reports whether the consumer is unusable: it or its stream does not exist, or it is no pull consumer. A missing
// answer from NATS does not count.
func unbound(err error) bool {
	const serverError = 500
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.Code < serverError || errors.Is(err, jetstream.ErrNotPullConsumer)
}

func (r Runner) shareOf(subject string) string {
	if r.Share == nil {
		return ""
	}
	return r.Share(subject)
}

// connected waits for the connection, because pulls would pile up while disconnected. It returns false once ctx has ended.
func (r Runner) connected(ctx context.Context) bool {
	for nc := r.JS.Conn(); !nc.IsConnected() && !nc.IsClosed(); {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pullFor):
		}
	}
	return true
}

// handle handles one message. It is the only place where failures are logged.
func (r Runner) handle(ctx context.Context, msg Msg) {
	r.count.Delivered(Delivered(msg))
	exit := Nak(0, meter.WorkerEnds)
	if ctx.Err() == nil && msg.Leased() {
		exit = r.recovered(ctx, msg)
	}
	switch {
	case !exit.settles() && !msg.Leased():
		exit = Abandon()
		r.count.Nak(meter.LeaseLost)
	case exit.kind == exitNak:
		if ctx.Err() != nil {
			exit.delay = time.Millisecond // the nak is not caused by the message
		}
		r.countNak(exit, msg)
	}
	switch err := exit.apply(ctx, msg); {
	case err == nil:
	case errors.Is(err, errLate):
		r.count.Nak(meter.LeaseLost)
		r.Log.Warn().Err(err).Msg("message acked too late, its sender gets no answer from this worker")
	case errors.Is(err, broker.ErrPanic):
		r.Log.Error().Err(err).Msg("message acked, but what follows the ack failed")
	default:
		r.Log.Warn().Err(err).Msg("message will be redelivered")
	}
}

// countNak counts and logs a nak. The level is error if something failed.
func (r Runner) countNak(exit Exit, msg Msg) {
	if exit.why == "" { // the handler gave no reason
		exit.why = meter.Defect
	}
	r.count.Nak(exit.why)
	level := zerolog.DebugLevel
	if exit.err != nil {
		level = zerolog.ErrorLevel
	}
	r.Log.WithLevel(level).Err(exit.err).Str("subject", msg.Subject()).Uint64("delivered", Delivered(msg)).
		Dur("delay", exit.delay).Str("reason", string(exit.why)).Msg("nak'ed")
}

// recovered calls the handler. A panic becomes a nak.
func (r Runner) recovered(ctx context.Context, msg Msg) (exit Exit) {
	err := broker.RunAll(func() error { exit = r.Handle(ctx, msg); return nil })
	if err != nil {
		return Failed(Delivered(msg), meter.Defect, err)
	}
	return exit
}

// Delivered returns the number of deliveries of the message, including this one.
func Delivered(msg jetstream.Msg) uint64 {
	if meta, err := msg.Metadata(); err == nil {
		return meta.NumDelivered
	}
	return 1
}
