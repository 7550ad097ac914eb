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
	room   chan struct{} // one for each that is worked on
	most   int           // how many are held
	freed  chan struct{} // that there is room again
	wg     sync.WaitGroup

	mu    sync.Mutex
	lanes map[string][]*held // by key, what waits; an entry means that somebody is at work on that key
	held  map[*held]bool
}

func newHands(parallel int, handle func(*held)) *hands {
	parallel = max(parallel, 1)
	return &hands{
		handle: handle, room: make(chan struct{}, parallel), most: heldFor * parallel, freed: make(chan struct{}, 1),
		lanes: map[string][]*held{}, held: map[*held]bool{},
	}
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
func (h *hands) take(key string, msg *held) {
	h.wg.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[msg] = true
	waiting, busy := h.lanes[key]
	if busy {
		h.lanes[key] = append(waiting, msg)
		return
	}
	h.lanes[key] = nil
	go h.work(key, msg)
}

// work handles the messages of one key, one after another, until there is none left.
func (h *hands) work(key string, msg *held) {
	for more := true; more; {
		h.room <- struct{}{}
		h.handle(msg)
		<-h.room
		msg, more = h.next(key, msg)
		h.wg.Done()
	}
}

func (h *hands) next(key string, done *held) (*held, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, done)
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
