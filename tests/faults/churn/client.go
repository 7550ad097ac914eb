package churn

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
)

// How long clients stay connected, and stay away.
const (
	leastStay = 50 * time.Millisecond
	mostStay  = 2 * time.Second
	mostAway  = 600 * time.Millisecond
	mostAhead = 10 * time.Millisecond // from the announcement of a connect to the connect
)

// client is one device that connects and disconnects.
type client struct {
	hello device.Hello
	user  string
	rnd   *rand.Rand
	comes chan struct{} // signaled when a device of this user is about to connect
	tally *tally

	mu      sync.Mutex
	book    *book
	periods []Period
}

// churn connects and disconnects until ctx ends.
func (c *client) churn(ctx context.Context) {
	for ctx.Err() == nil {
		stay := leastStay + time.Duration(c.rnd.Int64N(int64(mostStay-leastStay)))
		if !c.visit(ctx, stay, c.rnd.IntN(2) == 0) {
			play.Sleep(ctx, 200*time.Millisecond)
		}
		play.Sleep(ctx, time.Duration(c.rnd.Int64N(int64(mostAway))))
	}
}

// visit connects for a while, and leaves by a reset or by a close handshake. It returns false if it could not
// connect.
func (c *client) visit(ctx context.Context, stay time.Duration, politely bool) bool {
	c.coming(ctx)
	hello := c.hello
	hello.Showing = c.showing()
	p := Period{Showing: hello.Showing}
	entering, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	d, snapshot, err := device.Connect(entering, hello, func() { p.Asked = record.Now() })
	if err != nil {
		if ctx.Err() == nil {
			c.tally.refused(err)
		}
		return false
	}
	p.Opened = record.Now()
	c.write(func(b *book) { b.snapshot(snapshot.Calls, hello.Showing, p.Opened) })
	ended := make(chan struct{})
	go func() { defer close(ended); err = d.Run(c.push) }()
	select {
	case <-time.After(stay):
		p.Left = record.Now()
		c.leave(d, politely)
		<-ended
	case <-ended:
		p.Left = record.Now()
		c.tally.ended(err)
		d.Socket.Reset()
	}
	c.write(func(*book) { c.periods = append(c.periods, p) })
	return true
}

func (c *client) leave(d *device.Device, politely bool) {
	c.tally.left(politely)
	if politely {
		d.Socket.Close()
	} else {
		d.Socket.Reset()
	}
}

// coming signals that this client is about to connect. The driver then acts while the client gets its
// snapshot.
func (c *client) coming(ctx context.Context) {
	select {
	case c.comes <- struct{}{}:
	default:
	}
	play.Sleep(ctx, time.Duration(c.rnd.Int64N(int64(mostAhead))))
}

func (c *client) push(data []byte) {
	c.write(func(b *book) {
		if err := b.push(data, record.Now()); err != nil {
			c.tally.ended(err)
		}
	})
}

func (c *client) showing() (ids []string) {
	c.write(func(b *book) { ids = b.showing() })
	return ids
}

func (c *client) write(f func(*book)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.book)
}

func (c *client) history() Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Client{User: c.user, Device: c.hello.Device, Edge: c.hello.Server, Periods: c.periods, Sights: c.book.sights, Facts: c.book.facts}
}

// tally counts events of the clients.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what]++
}

func (t *tally) left(politely bool) {
	if politely {
		t.add("left politely")
	} else {
		t.add("left by a reset")
	}
}

func (t *tally) refused(err error) { t.add("could not connect: " + why(err)) }
func (t *tally) ended(err error)   { t.add("ended by the edge: " + why(err)) }

// why returns the text under which an error is counted.
func why(err error) string {
	if r, ok := errors.AsType[*device.RefusedError](err); ok {
		return r.Error()
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
