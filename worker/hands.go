package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// hands holds the messages that are being handled, or that wait for room or for the previous message of their key. A hand is a
// goroutine that handles messages.
type hands struct {
	handle func(*held)
	most   int            // maximum number of held messages
	freed  chan struct{}  // signals that there is room again
	wg     sync.WaitGroup // counts the held messages
	hands  sync.WaitGroup

	mu    sync.Mutex
	some  sync.Cond // signals that a message can be handled, or that hands ends
	ready turns
	more  sync.Cond // signals that a crowded message arrived, or that hands ends
	crowd []*held   // crowded messages, which take no turns
	over  bool
	lanes map[string][]*held // waiting messages by key; an entry means that a message of that key is being handled or ready
	held  map[*held]bool
}

// newHands starts the goroutines that handle up to parallel messages at once. They run until letGo. They are reused, so that a
// stack that has grown does not have to grow again for each message. Crowded messages have hands of their own, as many as are
// reserved for other shares. They are therefore refused at once, even if all other hands are busy, and don't use up the room
// for held messages.
func newHands(parallel int, handle func(*held)) *hands {
	parallel = max(parallel, 1)
	h := &hands{
		handle: handle, most: heldFor * parallel, freed: make(chan struct{}, 1),
		ready: newTurns(parallel, heldFor*parallel), lanes: map[string][]*held{}, held: map[*held]bool{},
	}
	h.some.L, h.more.L = &h.mu, &h.mu
	for range parallel {
		h.hands.Go(func() { h.work(h.next) })
	}
	for range max(1, parallel-h.ready.hands) {
		h.hands.Go(func() { h.work(h.nextCrowded) })
	}
	return h
}

// letGo waits until no message is held, and then ends the goroutines.
func (h *hands) letGo() {
	h.wg.Wait()
	h.mu.Lock()
	h.over = true
	h.some.Broadcast()
	h.more.Broadcast()
	h.mu.Unlock()
	h.hands.Wait()
}

// free waits until there is room and returns how many messages fit. It returns 0 once ctx has ended.
func (h *hands) free(ctx context.Context) int {
	for ctx.Err() == nil {
		h.mu.Lock()
		n := h.most - len(h.held)
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

// take holds the message and queues it. It never blocks.
func (h *hands) take(msg *held) {
	h.wg.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[msg] = true
	if msg.crowded = h.ready.holds(msg.share, time.Now()); msg.crowded {
		h.crowd = append(h.crowd, msg) // its order does not matter, because it is refused
		h.more.Signal()
		return
	}
	waiting, busy := h.lanes[msg.key]
	if busy {
		h.lanes[msg.key] = append(waiting, msg)
		return
	}
	h.lanes[msg.key] = nil
	h.offer(msg)
}

// offer queues the message in the turns of the shares. The caller holds mu.
func (h *hands) offer(msg *held) {
	h.ready.add(msg, time.Now())
	h.some.Signal()
}

func (h *hands) work(next func() *held) {
	for {
		msg := next()
		if msg == nil {
			return
		}
		h.handle(msg)
		h.done(msg)
	}
}

// next waits for a message that can be handled. It returns nil once there will be none.
func (h *hands) next() *held {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		if msg := h.ready.next(time.Now()); msg != nil {
			return msg
		}
		if h.over {
			return nil
		}
		h.some.Wait()
	}
}

// nextCrowded waits for a crowded message. It returns nil once there will be none.
func (h *hands) nextCrowded() *held {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.crowd) == 0 {
		if h.over {
			return nil
		}
		h.more.Wait()
	}
	msg := h.crowd[0]
	h.crowd = h.crowd[1:]
	return msg
}

// done releases the message and queues the next one of its key.
func (h *hands) done(msg *held) {
	h.mu.Lock()
	delete(h.held, msg)
	if h.ready.done(msg, time.Now()) {
		h.some.Signal() // a message of the same share may have waited for a hand
	}
	select {
	case h.freed <- struct{}{}:
	default:
	}
	switch waiting := h.lanes[msg.key]; {
	case msg.crowded: // crowded messages are not in lanes
	case len(waiting) > 0:
		h.lanes[msg.key] = waiting[1:]
		h.offer(waiting[0])
	default:
		delete(h.lanes, msg.key)
	}
	h.mu.Unlock()
	h.wg.Done()
}

// extend extends the ack wait of the held messages, so that the server does not redeliver them.
func (h *hands) extend(ctx context.Context, nc *nats.Conn) {
	tick := time.NewTicker(ackWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, msg := range h.runningOut() {
				go msg.extend(ctx, nc)
			}
		}
	}
}

// runningOut lists the messages whose ack wait needs an extension. It omits those that another worker may have, because an
// extension would delay them there.
func (h *hands) runningOut() []*held {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*held
	for msg := range h.held {
		if Ours(msg) && msg.left() < ackWait*3/4 {
			list = append(list, msg)
		}
	}
	return list
}

// wait reports whether all held messages finished in time.
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
