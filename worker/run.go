package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

// Runner consumes one durable consumer.
type Runner struct {
	JS       jetstream.JetStream
	Log      zerolog.Logger
	Meter    *meter.Meter      // or nil
	Health   *health.Condition // that messages are consumed; or nil
	Stream   string
	Consumer string
	Parallel int                                               // how many messages are worked on at once
	Key      func(subject string) string                       // messages of one key are handled in order
	Share    func(subject string) string                       // messages of several shares take turns; nil: all are of one
	Handle   func(ctx context.Context, msg jetstream.Msg) Exit // must return soon once ctx ends
	Opened   func(ctx context.Context)                         // called each time before a consumer that was opened is used; or nil
	Drain    time.Duration                                     // how long those in hand may take once Run's context ends

	count *meter.Consumer
}

const (
	reopenAfter = 500 * time.Millisecond // before a consumer is opened again
	pullFor     = 250 * time.Millisecond // one pull waits for messages; also what the end of a worker may wait for it
	pullAtOnce  = 256
	pullOut     = time.Second // how long a pull may take to reach the server
	heldFor     = 16          // times Parallel: how many messages are held, most of them behind others of their key
)

// Run handles messages until ctx ends, and gives nil then.
func (r Runner) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(r.Drain, stop) })()
	r.count = r.Meter.Consumer(r.Consumer)
	h := newHands(r.Parallel, func(msg *held) { r.handle(work, msg) })
	extended := make(chan struct{})
	go func() { defer close(extended); h.extend(work, r.JS.Conn()) }()
	defer func() { stop(); <-extended }()

	var told Repeated
	for ctx.Err() == nil {
		if err := r.consume(ctx, h); err != nil && ctx.Err() == nil {
			if unbound(err) {
				r.Health.Fail(err.Error())
			}
			if !told.Again(err) {
				r.Log.Error().Err(err).Str("stream", r.Stream).Msg("can't consume, trying again")
			}
			select {
			case <-ctx.Done():
			case <-time.After(reopenAfter):
			}
		}
	}
	if !h.wait(r.Drain) {
		stop() // the handlers put back what they have not finished
		if !h.wait(r.Drain) {
			go h.letGo()
			return nil
		}
	}
	h.letGo()
	return nil
}

// consume pulls messages until ctx ends, which is no error, or until the consumer has to be opened again. It pulls
// what there is room for and no more, and takes what comes of a pull to its end: nothing is left for a redelivery.
func (r Runner) consume(ctx context.Context, h *hands) error {
	cons, err := openConsumer(ctx, r.JS, r.Stream, r.Consumer)
	if err != nil {
		return err
	}
	if r.Opened != nil {
		r.Opened(ctx)
	}
	for out := false; ; {
		n := h.free(ctx)
		if n == 0 || !r.connected(ctx) {
			return nil
		}
		asked := askingNow(r.JS.Conn())
		batch, err := cons.Fetch(min(n, pullAtOnce), jetstream.FetchMaxWait(pullFor))
		if err != nil {
			return fmt.Errorf("worker: pull from consumer %s of %s: %w", r.Consumer, r.Stream, err)
		}
		if !out && r.JS.Conn().FlushTimeout(pullOut) == nil {
			out = true
			r.Health.OK()
		}
		for msg := range batch.Messages() {
			h.take(hold(msg, r.Key(msg.Subject()), r.shareOf(msg.Subject()), asked))
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			return fmt.Errorf("worker: pull from consumer %s of %s: %w", r.Consumer, r.Stream, err)
		}
	}
}

// unbound says whether the consumer can't be had: it or its stream is missing, or is none to pull from. That NATS does not
// answer is not it.
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

// connected waits until NATS is there, as pulls would pile up meanwhile. It is false once ctx has ended.
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

// handle lets one message through, and logs what did not go as it should: once, here.
func (r Runner) handle(ctx context.Context, msg *held) {
	r.count.Delivered(Delivered(msg))
	exit := Nak(0, meter.WorkerEnds)
	if ctx.Err() == nil && Ours(msg) {
		exit = r.guarded(ctx, msg)
	}
	switch {
	case !exit.settles() && !Ours(msg):
		exit = Leave()
		r.count.PutBack(meter.NotOurs)
	case exit.kind == exitNak:
		if ctx.Err() != nil {
			exit.delay = time.Millisecond // it is not the message's fault
		}
		r.putBack(exit, msg)
	}
	switch err := exit.leave(ctx, msg); {
	case err == nil:
	case errors.Is(err, errLate):
		r.count.PutBack(meter.NotOurs)
		r.Log.Warn().Err(err).Msg("left to whoever has it")
	case errors.Is(err, ErrPanic):
		r.Log.Error().Err(err).Msg("it is done, and what was to follow is not")
	default:
		r.Log.Warn().Err(err).Msg("it will be delivered again")
	}
}

// putBack counts and tells that the message is put back: an error where something failed.
func (r Runner) putBack(exit Exit, msg jetstream.Msg) {
	if exit.why == "" { // a handler that says nothing
		exit.why = meter.Defect
	}
	r.count.PutBack(exit.why)
	level := zerolog.DebugLevel
	if exit.err != nil {
		level = zerolog.ErrorLevel
	}
	r.Log.WithLevel(level).Err(exit.err).Str("subject", msg.Subject()).Uint64("delivered", Delivered(msg)).
		Dur("delay", exit.delay).Str("reason", string(exit.why)).Msg("put back")
}

func (r Runner) guarded(ctx context.Context, msg jetstream.Msg) (exit Exit) {
	err := guard(func() error { exit = r.Handle(ctx, msg); return nil })
	if err != nil {
		return Failed(Delivered(msg), meter.Defect, err)
	}
	return exit
}

// Delivered counts how often the message was delivered, this time included.
func Delivered(msg jetstream.Msg) uint64 {
	if meta, err := msg.Metadata(); err == nil {
		return meta.NumDelivered
	}
	return 1
}
