package presence

import (
	"sync"
	"time"
)

// beat is the message that each edge sends to all others every Times.Beat, and before it accepts sessions.
type beat struct {
	Edge     string `json:"edge"`
	InCall   int    `json:"in_call"`            // sessions here that show a call
	Due      int    `json:"due"`                // devices that may be dropped soon
	Stopping bool   `json:"stopping,omitempty"` // it has closed its sessions
}

// peer is another edge.
type peer struct {
	beat
	heard time.Duration // on the clock of this checker
}

// peers are the other edges that are not lost.
type peers struct {
	mu      sync.Mutex
	edges   map[string]peer
	stopped map[string]time.Duration // the edges that said so, and when
	gone    bool                     // an edge was lost since the last call of lost
	count   int                      // of lost edges
}

func newPeers() *peers { return &peers{edges: map[string]peer{}, stopped: map[string]time.Duration{}} }

// hear records a beat of another edge.
func (p *peers) hear(b beat, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.Stopping {
		p.edges[b.Edge] = peer{b, now}
		delete(p.stopped, b.Edge)
		return
	}
	p.stopped[b.Edge] = now
	if _, known := p.edges[b.Edge]; known {
		p.forget(b.Edge)
	}
}

// answered records that an edge has answered. Its beats may have been lost so far. An answer may also be read after the last
// beat of an edge that stops: that edge answers no further question.
func (p *peers) answered(id string, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, stopped := p.stopped[id]; stopped {
		return
	}
	x := p.edges[id]
	x.Edge, x.heard = id, now
	p.edges[id] = x
}

// forget removes an edge that is lost. The caller holds mu.
func (p *peers) forget(id string) {
	delete(p.edges, id)
	p.gone = true
	p.count++
}

// losses returns the number of edges that were lost so far.
func (p *peers) losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// lost forgets the edges that have been silent for longer than most. It reports whether an edge was lost since its last
// call.
func (p *peers) lost(now, most time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, x := range p.edges {
		if now-x.heard > most {
			p.forget(id)
		}
	}
	for id, at := range p.stopped {
		if now-at > most {
			delete(p.stopped, id)
		}
	}
	gone := p.gone
	p.gone = false
	return gone
}

// quiet reports whether an edge that is not lost has said nothing for longer than most, or there is none.
func (p *peers) quiet(now, most time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.edges) == 0 {
		return true
	}
	for _, x := range p.edges {
		if now-x.heard > most {
			return true
		}
	}
	return false
}

// silent lists the edges that are not lost and have not answered.
func (p *peers) silent(answered map[string]bool) (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.edges {
		if !answered[id] {
			list = append(list, id)
		}
	}
	return list
}

// first reports whether this edge does the work that only one edge has to do: that with the lowest id.
func (p *peers) first(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for other := range p.edges {
		if other < id {
			return false
		}
	}
	return true
}

// sums adds up what the other edges said last.
func (p *peers) sums() (inCall, due int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.edges {
		inCall += x.InCall
		due += x.Due
	}
	return inCall, due
}
