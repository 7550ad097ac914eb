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
	ready  chan *held     // what can be handled: of each key one at a time
	most   int            // how many are held
	freed  chan struct{}  // that there is room again
	wg     sync.WaitGroup // of what is held
	hands  sync.WaitGroup

	mu    sync.Mutex
	lanes map[string][]*held // by key, what waits; an entry means that somebody is at work on that key
	held  map[*held]bool
}

// newHands works on so many messages at once, until it is let go. Those who work stay: a stack that has grown once need not
// grow again for each message.
func newHands(parallel int, handle func(*held)) *hands {
	parallel = max(parallel, 1)
	h := &hands{
		handle: handle, most: heldFor * parallel, freed: make(chan struct{}, 1),
		lanes: map[string][]*held{}, held: map[*held]bool{},
	}
	h.ready = make(chan *held, h.most)
	for range parallel {
		h.hands.Go(h.work)
	}
	return h
}

// letGo ends those who work, once nothing is held any more.
func (h *hands) letGo() {
	h.wg.Wait()
	close(h.ready)
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
	waiting, busy := h.lanes[msg.key]
	if busy {
		h.lanes[msg.key] = append(waiting, msg)
		return
	}
	h.lanes[msg.key] = nil
	h.ready <- msg
}

func (h *hands) work() {
	for msg := range h.ready {
		h.handle(msg)
		h.done(msg)
	}
}

// done lets the next message of the key be handled.
func (h *hands) done(msg *held) {
	h.mu.Lock()
	delete(h.held, msg)
	select {
	case h.freed <- struct{}{}:
	default:
	}
	if waiting := h.lanes[msg.key]; len(waiting) > 0 {
		h.lanes[msg.key] = waiting[1:]
		h.ready <- waiting[0]
	} else {
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
