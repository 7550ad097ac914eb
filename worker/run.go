package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// Runner consumes one durable consumer.
type Runner struct {
	JS       jetstream.JetStream
	Log      zerolog.Logger
	Stream   string
	Consumer string
	Parallel int                                               // how many messages may be in hand at once
	Key      func(subject string) string                       // messages of one key are handled in order
	Handle   func(ctx context.Context, msg jetstream.Msg) Exit // must return soon once ctx ends
	Drain    time.Duration                                     // how long those in hand may take once Run's context ends
}

// reopenAfter is how long a worker waits before it tries to open its consumer again.
const reopenAfter = 500 * time.Millisecond

// Run handles messages until ctx ends, and gives nil then.
func (r Runner) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h := newHands(r.Parallel, func(msg jetstream.Msg) { r.handle(work, msg) })
	extended := make(chan struct{})
	go func() { defer close(extended); h.extend(work) }()
	defer func() { stop(); <-extended }()

	for ctx.Err() == nil {
		if err := r.consume(ctx, h); err != nil && ctx.Err() == nil {
			r.Log.Error().Err(err).Str("stream", r.Stream).Msg("can't consume, trying again")
			select {
			case <-ctx.Done():
			case <-time.After(reopenAfter):
			}
		}
	}
	if !h.wait(r.Drain) {
		stop() // the handlers put back what they have not finished
		h.wait(r.Drain)
	}
	return nil
}

// consume pulls messages until ctx ends, which is no error, or until the consumer has to be opened again.
func (r Runner) consume(ctx context.Context, h *hands) error {
	cons, err := openConsumer(ctx, r.JS, r.Stream, r.Consumer)
	if err != nil {
		return err
	}
	broken := make(chan error, 1)
	cc, err := cons.Consume(
		func(msg jetstream.Msg) { h.take(r.Key(msg.Subject()), msg) },
		jetstream.PullMaxMessages(max(r.Parallel, 2)),
		jetstream.PullExpiry(5*time.Second),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) ||
				errors.Is(err, jetstream.ErrNoHeartbeat) {
				select {
				case broken <- err:
				default:
				}
				return
			}
			r.Log.Warn().Err(err).Str("stream", r.Stream).Msg("while consuming")
		}),
	)
	if err != nil {
		return fmt.Errorf("worker: consume %s: %w", r.Stream, err)
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-broken:
		err = fmt.Errorf("worker: consumer %s of %s: %w", r.Consumer, r.Stream, err)
	case <-cc.Closed():
		err = fmt.Errorf("worker: consumer %s of %s was closed", r.Consumer, r.Stream)
	}
	cc.Drain()
	<-cc.Closed()
	return err
}

// handle lets one message through, and logs what did not go as it should: once, here.
func (r Runner) handle(ctx context.Context, msg jetstream.Msg) {
	exit := r.guarded(ctx, msg)
	if exit.kind == exitNak {
		r.Log.Debug().Str("subject", msg.Subject()).Dur("delay", exit.delay).Str("reason", exit.reason).Msg("put back")
	}
	if err := exit.leave(ctx, msg); err != nil {
		r.Log.Warn().Err(err).Msg("it will be delivered again")
	}
}

func (r Runner) guarded(ctx context.Context, msg jetstream.Msg) (exit Exit) {
	defer func() {
		if p := recover(); p != nil {
			r.Log.Error().Str("subject", msg.Subject()).Interface("panic", p).Bytes("stack", debug.Stack()).
				Msg("defect: put back")
			exit = Nak(Backoff(Delivered(msg)), "panic")
		}
	}()
	return r.Handle(ctx, msg)
}

// Delivered counts how often the message was delivered, this time included.
func Delivered(msg jetstream.Msg) uint64 {
	if meta, err := msg.Metadata(); err == nil {
		return meta.NumDelivered
	}
	return 1
}

// hands holds the messages that are being handled or wait for the one before them.
type hands struct {
	handle func(jetstream.Msg)
	room   chan struct{}
	wg     sync.WaitGroup

	mu    sync.Mutex
	lanes map[string][]jetstream.Msg // by key, what waits; an entry means that somebody is at work on that key
	since map[jetstream.Msg]time.Time
}

func newHands(parallel int, handle func(jetstream.Msg)) *hands {
	return &hands{
		handle: handle, room: make(chan struct{}, max(parallel, 1)),
		lanes: map[string][]jetstream.Msg{}, since: map[jetstream.Msg]time.Time{},
	}
}

// take waits for room, then hands the message on.
func (h *hands) take(key string, msg jetstream.Msg) {
	h.room <- struct{}{}
	h.wg.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since[msg] = time.Now()
	waiting, busy := h.lanes[key]
	if busy {
		h.lanes[key] = append(waiting, msg)
		return
	}
	h.lanes[key] = nil
	go h.work(key, msg)
}

// work handles the messages of one key, one after another, until there is none left.
func (h *hands) work(key string, msg jetstream.Msg) {
	for more := true; more; {
		h.handle(msg)
		msg, more = h.next(key, msg)
		<-h.room
		h.wg.Done()
	}
}

func (h *hands) next(key string, done jetstream.Msg) (jetstream.Msg, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.since, done)
	waiting := h.lanes[key]
	if len(waiting) == 0 {
		delete(h.lanes, key)
		return nil, false
	}
	h.lanes[key] = waiting[1:]
	return waiting[0], true
}

// extend keeps the messages in hand from being delivered to somebody else.
func (h *hands) extend(ctx context.Context) {
	tick := time.NewTicker(ackWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, msg := range h.olderThan(now.Add(-ackWait / 4)) {
				_ = msg.InProgress() // if it was let go meanwhile there is nothing to extend
			}
		}
	}
}

func (h *hands) olderThan(t time.Time) []jetstream.Msg {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []jetstream.Msg
	for msg, since := range h.since {
		if since.Before(t) {
			list = append(list, msg)
		}
	}
	return list
}

// wait says whether everything in hand was finished in time.
func (h *hands) wait(most time.Duration) bool {
	done := make(chan struct{})
	go func() { h.wg.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(most):
		return false
	}
}
