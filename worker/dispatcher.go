package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/worker/streams"
)

// dispatcher holds the messages in flight: those that are being handled, and those that wait for a handler or for the previous
// message of their key. A handler is a goroutine.
type dispatcher struct {
	handle   func(*inFlightMsg)
	most     int            // maximum number of messages in flight
	freed    chan struct{}  // signals that there is room again
	messages sync.WaitGroup // counts the messages in flight
	handlers sync.WaitGroup

	mu          sync.Mutex
	readyCond   sync.Cond // signals that a message can be handled, or that the dispatcher stops
	ready       turns
	crowdedCond sync.Cond      // signals that a crowded message arrived, or that the dispatcher stops
	crowded     []*inFlightMsg // crowded messages, which take no turns
	stopped     bool
	keyQueues   map[string][]*inFlightMsg // waiting messages by key; an entry means that a message of that key is being handled or ready
	inFlight    map[*inFlightMsg]bool
}

// newDispatcher starts the goroutines that handle up to parallel messages at once. They run until stop. They are reused, so that a
// stack that has grown does not have to grow again for each message. Crowded messages have handlers of their own, as many
// as are reserved for other shares. They are therefore refused at once, even if all other handlers are busy, and don't use up
// the room for messages in flight.
func newDispatcher(parallel int, handle func(*inFlightMsg)) *dispatcher {
	parallel = max(parallel, 1)
	d := &dispatcher{
		handle: handle, most: inFlightPerHandler * parallel, freed: make(chan struct{}, 1),
		ready: newTurns(parallel, inFlightPerHandler*parallel), keyQueues: map[string][]*inFlightMsg{}, inFlight: map[*inFlightMsg]bool{},
	}
	d.readyCond.L, d.crowdedCond.L = &d.mu, &d.mu
	for range parallel {
		d.handlers.Go(func() { d.work(d.next) })
	}
	for range max(1, parallel-d.ready.handlers) {
		d.handlers.Go(func() { d.work(d.nextCrowded) })
	}
	return d
}

// stop waits until no message is in flight, and then ends the goroutines.
func (d *dispatcher) stop() {
	d.messages.Wait()
	d.mu.Lock()
	d.stopped = true
	d.readyCond.Broadcast()
	d.crowdedCond.Broadcast()
	d.mu.Unlock()
	d.handlers.Wait()
}

// free waits until there is room and returns how many messages fit. It returns 0 once ctx has ended.
func (d *dispatcher) free(ctx context.Context) int {
	for ctx.Err() == nil {
		d.mu.Lock()
		n := d.most - len(d.inFlight)
		d.mu.Unlock()
		if n > 0 {
			return n
		}
		select {
		case <-ctx.Done():
		case <-d.freed:
		}
	}
	return 0
}

// dispatch queues a message. It never blocks.
func (d *dispatcher) dispatch(msg *inFlightMsg) {
	d.messages.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inFlight[msg] = true
	if msg.crowded = d.ready.arrived(msg.share, time.Now()); msg.crowded {
		d.crowded = append(d.crowded, msg) // its order does not matter, because it is refused
		d.crowdedCond.Signal()
		return
	}
	waiting, busy := d.keyQueues[msg.key]
	if busy {
		d.keyQueues[msg.key] = append(waiting, msg)
		return
	}
	d.keyQueues[msg.key] = nil
	d.makeReady(msg)
}

// makeReady queues the message in the turns of the shares. The caller holds mu.
func (d *dispatcher) makeReady(msg *inFlightMsg) {
	d.ready.add(msg, time.Now())
	d.readyCond.Signal()
}

func (d *dispatcher) work(next func() *inFlightMsg) {
	for {
		msg := next()
		if msg == nil {
			return
		}
		d.handle(msg)
		d.done(msg)
	}
}

// next waits for a message that can be handled. It returns nil once there will be none.
func (d *dispatcher) next() *inFlightMsg {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if msg := d.ready.next(time.Now()); msg != nil {
			return msg
		}
		if d.stopped {
			return nil
		}
		d.readyCond.Wait()
	}
}

// nextCrowded waits for a crowded message. It returns nil once there will be none.
func (d *dispatcher) nextCrowded() *inFlightMsg {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.crowded) == 0 {
		if d.stopped {
			return nil
		}
		d.crowdedCond.Wait()
	}
	msg := d.crowded[0]
	d.crowded = d.crowded[1:]
	return msg
}

// done releases the message and queues the next one of its key.
func (d *dispatcher) done(msg *inFlightMsg) {
	d.mu.Lock()
	delete(d.inFlight, msg)
	if d.ready.done(msg, time.Now()) {
		d.readyCond.Signal() // a message of the same share may have waited for a handler
	}
	select {
	case d.freed <- struct{}{}:
	default:
	}
	switch waiting := d.keyQueues[msg.key]; {
	case msg.crowded: // crowded messages are not in keyQueues
	case len(waiting) > 0:
		d.keyQueues[msg.key] = waiting[1:]
		d.makeReady(waiting[0])
	default:
		delete(d.keyQueues, msg.key)
	}
	d.mu.Unlock()
	d.messages.Done()
}

// extend extends the ack wait of the messages in flight, so that the server does not redeliver them.
func (d *dispatcher) extend(ctx context.Context, nc *nats.Conn) {
	tick := time.NewTicker(streams.AckWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, msg := range d.runningOut() {
				go msg.extend(ctx, nc)
			}
		}
	}
}

// runningOut lists the messages whose ack wait needs an extension. It omits those without a lease, because an extension
// would delay them in another worker.
func (d *dispatcher) runningOut() []*inFlightMsg {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []*inFlightMsg
	for msg := range d.inFlight {
		if msg.Leased() && msg.left() < streams.AckWait*3/4 {
			list = append(list, msg)
		}
	}
	return list
}

// wait reports whether all messages in flight finished in time.
func (d *dispatcher) wait(most time.Duration) bool {
	done := make(chan struct{})
	go func() { d.messages.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(most):
		return false
	}
}
