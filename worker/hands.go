package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// hands holds the messages that are being handled, or wait for room or for the one before them.
type hands struct {
	handle func(*held)
	most   int            // how many are held
	freed  chan struct{}  // that there is room again
	wg     sync.WaitGroup // of what is held
	hands  sync.WaitGroup

	mu    sync.Mutex
	some  sync.Cond // that something can be handled, or that it ends
	ready turns
	more  sync.Cond // that something crowded came, or that it ends
	crowd []*held   // what is crowded, in no share's turn
	over  bool
	lanes map[string][]*held // by key, what waits; an entry means that somebody is at work on that key
	held  map[*held]bool
}

// newHands works on so many messages at once, until it is let go. Those who work stay: a stack that has grown once need not
// grow again for each message. What is crowded has hands of its own, as many as are kept from one share: it is refused at once
// also when all the others are at work, or it would fill what can be held.
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

// letGo ends those who work, once nothing is held any more.
func (h *hands) letGo() {
	h.wg.Wait()
	h.mu.Lock()
	h.over = true
	h.some.Broadcast()
	h.more.Broadcast()
	h.mu.Unlock()
	h.hands.Wait()
}

// free waits until there is room and says how much; 0 once ctx has ended.
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

// take holds the message and hands it on; it never waits.
func (h *hands) take(msg *held) {
	h.wg.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[msg] = true
	if msg.crowded = h.ready.holds(msg.share, time.Now()); msg.crowded {
		h.crowd = append(h.crowd, msg) // it keeps to no order: nothing is done about it
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

// offer lets the message be handled in its turn. With mu held.
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

// next waits for a message that can be handled; nil once there will be none.
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

// nextCrowded waits for a message that is crowded; nil once there will be none.
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

// done lets the next message of the key be handled.
func (h *hands) done(msg *held) {
	h.mu.Lock()
	delete(h.held, msg)
	if h.ready.done(msg, time.Now()) {
		h.some.Signal() // a message of its share may have waited for a hand
	}
	select {
	case h.freed <- struct{}{}:
	default:
	}
	switch waiting := h.lanes[msg.key]; {
	case msg.crowded: // it had no place in the order
	case len(waiting) > 0:
		h.lanes[msg.key] = waiting[1:]
		h.offer(waiting[0])
	default:
		delete(h.lanes, msg.key)
	}
	h.mu.Unlock()
	h.wg.Done()
}

// extend keeps the messages in hand from being delivered to somebody else.
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

// runningOut lists what more time is to be asked for: no more what may be somebody else's, or it would be kept from him.
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
