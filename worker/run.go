package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// Runner consumes one durable consumer.
type Runner struct {
	JS       jetstream.JetStream
	Log      zerolog.Logger
	Stream   string
	Consumer string
	Parallel int                                               // how many messages are worked on at once
	Key      func(subject string) string                       // messages of one key are handled in order
	Handle   func(ctx context.Context, msg jetstream.Msg) Exit // must return soon once ctx ends
	Drain    time.Duration                                     // how long those in hand may take once Run's context ends
}

const (
	reopenAfter = 500 * time.Millisecond // before a consumer is opened again
	pullFor     = 250 * time.Millisecond // one pull waits for messages; also what the end of a worker may wait for it
	pullAtOnce  = 256
	heldFor     = 16 // times Parallel: how many messages are held, most of them behind others of their key
)

// Run handles messages until ctx ends, and gives nil then.
func (r Runner) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(r.Drain, stop) })()
	h := newHands(r.Parallel, func(msg jetstream.Msg) { r.handle(work, msg) })
	extended := make(chan struct{})
	go func() { defer close(extended); h.extend(work) }()
	defer func() { stop(); <-extended }()

	told, toldAt := "", time.Time{}
	for ctx.Err() == nil {
		if err := r.consume(ctx, h); err != nil && ctx.Err() == nil {
			if err.Error() != told || time.Since(toldAt) > time.Minute { // not each time that it is tried
				told, toldAt = err.Error(), time.Now()
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
		h.wait(r.Drain)
	}
	return nil
}

// consume pulls messages until ctx ends, which is no error, or until the consumer has to be opened again. It pulls
// what there is room for and no more, and takes what comes of a pull to its end: nothing is left for a redelivery.
func (r Runner) consume(ctx context.Context, h *hands) error {
	cons, err := openConsumer(ctx, r.JS, r.Stream, r.Consumer)
	if err != nil {
		return err
	}
	for {
		n := h.free(ctx)
		if n == 0 || !r.connected(ctx) {
			return nil
		}
		batch, err := cons.Fetch(min(n, pullAtOnce), jetstream.FetchMaxWait(pullFor))
		if err != nil {
			return fmt.Errorf("worker: pull from consumer %s of %s: %w", r.Consumer, r.Stream, err)
		}
		for msg := range batch.Messages() {
			h.take(r.Key(msg.Subject()), msg)
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			return fmt.Errorf("worker: pull from consumer %s of %s: %w", r.Consumer, r.Stream, err)
		}
	}
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
func (r Runner) handle(ctx context.Context, msg jetstream.Msg) {
	exit := Nak(0, "the worker ends")
	if ctx.Err() == nil {
		exit = r.guarded(ctx, msg)
	}
	if exit.kind == exitNak {
		if ctx.Err() != nil {
			exit.delay = time.Millisecond // it is not the message's fault
		}
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

// hands holds the messages that are being handled, or wait for room or for the one before them.
type hands struct {
	handle func(jetstream.Msg)
	room   chan struct{} // one for each that is worked on
	most   int           // how many are held
	freed  chan struct{} // that there is room again
	wg     sync.WaitGroup

	mu    sync.Mutex
	lanes map[string][]jetstream.Msg // by key, what waits; an entry means that somebody is at work on that key
	since map[jetstream.Msg]time.Time
}

func newHands(parallel int, handle func(jetstream.Msg)) *hands {
	parallel = max(parallel, 1)
	return &hands{
		handle: handle, room: make(chan struct{}, parallel), most: heldFor * parallel, freed: make(chan struct{}, 1),
		lanes: map[string][]jetstream.Msg{}, since: map[jetstream.Msg]time.Time{},
	}
}

// free waits until there is room and says how much; 0 once ctx has ended.
func (h *hands) free(ctx context.Context) int {
	for ctx.Err() == nil {
		h.mu.Lock()
		n := h.most - len(h.since)
		h.mu.Unlock()
		if n > 0 {
			return n
		}
		select {
		case <-ctx.Done():
		case <-h.freed:
		}
	}
	return 0
}

// take holds the message and hands it on; it never waits.
func (h *hands) take(key string, msg jetstream.Msg) {
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
		h.room <- struct{}{}
		h.handle(msg)
		<-h.room
		msg, more = h.next(key, msg)
		h.wg.Done()
	}
}

func (h *hands) next(key string, done jetstream.Msg) (jetstream.Msg, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.since, done)
	select {
	case h.freed <- struct{}{}:
	default:
	}
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
