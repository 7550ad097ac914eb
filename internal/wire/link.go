package wire

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Direction is one of the two directions of a link.
type Direction int

// The directions.
const (
	Up   Direction = iota // from the process that connects
	Down                  // to the process that connects
	both
)

// Link listens at an address that one process connects to, and forwards to the address of another process.
type Link struct {
	Name string

	listener net.Listener
	target   string
	messages bool // Up carries the NATS client protocol

	mu    sync.Mutex
	state [both]condition
	turn  chan struct{} // closed when the state changes
	trap  *Trap
	conns map[*passage]bool
	done  bool
}

type condition struct {
	cut   bool
	delay time.Duration
}

// Listen opens a link to target on a free port of 127.0.0.1. Traps need messages to be true.
func Listen(name, target string, messages bool) (*Link, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("wire: open link %s: %w", name, err)
	}
	l := &Link{
		Name: name, listener: listener, target: target, messages: messages, turn: make(chan struct{}),
		conns: map[*passage]bool{},
	}
	go l.accept()
	return l, nil
}

// Addr returns the address to connect to.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Close closes the link and all its connections.
func (l *Link) Close() {
	l.mu.Lock()
	l.done = true
	l.mu.Unlock()
	_ = l.listener.Close() // stops listening only
	l.Reset()
}

// Cut blocks all traffic in this direction until Mend.
func (l *Link) Cut(d Direction) { l.change(func() { l.state[d].cut = true }) }

// Delay delays all traffic in this direction until Mend.
func (l *Link) Delay(d Direction, by time.Duration) { l.change(func() { l.state[d].delay = by }) }

// Mend removes cuts, delays and the trap.
func (l *Link) Mend() {
	l.change(func() { l.state, l.trap = [both]condition{}, nil })
}

// Reset resets all connections. Waiting data is lost.
func (l *Link) Reset() {
	l.mu.Lock()
	conns := make([]*passage, 0, len(l.conns))
	for p := range l.conns {
		conns = append(conns, p)
	}
	l.mu.Unlock()
	for _, p := range conns {
		p.tear()
	}
}

func (l *Link) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.turn)
	l.turn = make(chan struct{})
}

// Trap waits for a message to pass.
type Trap struct {
	Sprung chan struct{} // closed when the message has passed, or is about to

	match func(subject string) bool
	after bool
}

// SetTrap cuts Up when a message with a matching subject is about to pass, or has just passed.
func (l *Link) SetTrap(match func(subject string) bool, after bool) *Trap {
	t := &Trap{Sprung: make(chan struct{}), match: match, after: after}
	l.change(func() { l.trap = t })
	return t
}

// triggers reports whether this message triggers the trap. If so, it cuts Up.
func (l *Link) triggers(subject string, after bool) bool {
	if subject == "" {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.trap
	if t == nil || t.after != after || !t.match(subject) {
		return false
	}
	l.trap, l.state[Up].cut = nil, true
	close(t.Sprung)
	return true
}

// holds reports whether the direction is cut, or the delay is not over.
func (l *Link) holds(d Direction, came time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state[d].cut || time.Until(came.Add(l.state[d].delay)) > 0
}

// pass waits until the direction is open and the delay is over. It returns false when gone is closed.
func (l *Link) pass(d Direction, came time.Time, gone <-chan struct{}) bool {
	for {
		l.mu.Lock()
		c, turn := l.state[d], l.turn
		l.mu.Unlock()
		left := time.Until(came.Add(c.delay))
		if !c.cut && left <= 0 {
			return true
		}
		var timer <-chan time.Time
		if !c.cut {
			timer = time.After(left)
		}
		select {
		case <-timer:
		case <-turn:
		case <-gone:
			return false
		}
	}
}

// accept forwards each connection. If Down is cut, a new client waits, because it receives nothing.
func (l *Link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.connect(near)
	}
}

func (l *Link) connect(near net.Conn) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	far, err := dialer.DialContext(context.Background(), "tcp", l.target)
	if err != nil {
		reset(near) // as if no process listened here
		return
	}
	p := &passage{link: l, near: near, far: far, gone: make(chan struct{})}
	l.mu.Lock()
	done := l.done
	l.conns[p] = true
	l.mu.Unlock()
	if done {
		p.tear()
	}
	p.run()
	l.mu.Lock()
	delete(l.conns, p)
	l.mu.Unlock()
}

// reset closes a connection with a TCP reset. Unsent data is dropped.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close() // closed in any case
}
