package quota

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
)

// Every is the interval of heartbeats.
const Every = time.Second

// gone is how many intervals a coordinator may be silent before it no longer counts.
const gone = 3.5

// mostPeers bounds the memory, because anything may be published on the subject.
const mostPeers = 1000

// Messages of coordinators. The id follows.
const (
	sayNew  = "new" // the others reply with sayHere at once
	sayHere = "here"
	sayGone = "gone"
)

// Peers counts the coordinators by heartbeats over core NATS.
type Peers struct {
	nc    *nats.Conn
	id    string
	every time.Duration
	sub   *nats.Subscription

	mu   sync.Mutex
	seen map[string]time.Time // when the others were last heard
}

// Join adds this process to the coordinators and asks the others to announce themselves. The end of Run removes it.
func Join(nc *nats.Conn, every time.Duration) (*Peers, error) {
	p := &Peers{nc: nc, id: nuid.Next(), every: every, seen: map[string]time.Time{}}
	var err error
	if p.sub, err = nc.Subscribe(events.SubjectCoordinators, func(msg *nats.Msg) { p.received(string(msg.Data), time.Now()) }); err != nil {
		return nil, fmt.Errorf("quota: subscribe to other coordinators: %w", err)
	}
	if err := p.say(sayNew); err != nil {
		return nil, err
	}
	return p, nil
}

// Run sends heartbeats until ctx ends.
func (p *Peers) Run(ctx context.Context) error {
	connected := p.nc.StatusChanged(nats.CONNECTED)
	defer p.nc.RemoveStatusListener(connected)
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		word := sayHere
		select {
		case <-ctx.Done():
			_ = p.say(sayGone)      // if this fails, the others notice the silence
			_ = p.sub.Unsubscribe() // fails only if the connection is closed
			return nil
		case <-connected:
			word = sayNew
			p.excuse(time.Now())
		case <-tick.C:
			p.forget(time.Now())
		}
		_ = p.say(word) // a failure is repaired by the next heartbeat
	}
}

// Count returns the number of coordinators, including this one.
func (p *Peers) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return 1 + len(p.seen)
}

func (p *Peers) say(word string) error {
	if err := p.nc.Publish(events.SubjectCoordinators, []byte(word+" "+p.id)); err != nil {
		return fmt.Errorf("quota: notify other coordinators: %w", err)
	}
	return nil
}

func (p *Peers) received(text string, now time.Time) {
	word, id, _ := strings.Cut(text, " ")
	if id == "" || id == p.id {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch word {
	case sayGone:
		delete(p.seen, id)
	case sayNew:
		_ = p.say(sayHere)
		fallthrough
	default:
		if _, known := p.seen[id]; known || len(p.seen) < mostPeers {
			p.seen[id] = now
		}
	}
}

// excuse restarts the silence of all coordinators, because the connection caused it.
func (p *Peers) excuse(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.seen {
		p.seen[id] = now
	}
}

// forget removes the coordinators that were silent for too long. It does nothing while disconnected, because then all are
// silent.
func (p *Peers) forget(now time.Time) {
	if !p.nc.IsConnected() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, at := range p.seen {
		if now.Sub(at) > time.Duration(gone*float64(p.every)) {
			delete(p.seen, id)
		}
	}
}
