package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"ringline.io/ringline/worker/edge/edgetest"
)

// abnormal is the code that browsers report for a connection that ended without a code.
const abnormal = 1006

// wire carries the frames of one client. A frame is JSON, one or several objects in lines.
type wire interface {
	// send sends a frame. If the server refuses it, the error is a refusedError.
	send(frame []byte) error
	// receive waits for a frame. If the server closed the connection with a code or refused it, the error is a
	// refusedError.
	receive() ([]byte, error)
	// cut ends the connection without a close frame.
	cut()
}

// refusedError is a code as an error.
type refusedError int

func (r refusedError) Error() string { return fmt.Sprint("refused with ", int(r)) }

// client is a minimal client of the centrifuge protocol.
type client struct {
	wire   wire
	pushes chan json.RawMessage
	code   chan int
	over   sync.Once // only the first code is reported

	mu      sync.Mutex
	turn    *sync.Cond // uses mu; signals changes of paused and done
	paused  bool
	deaf    bool // does not answer pings
	done    bool
	next    int
	waiting map[int]func(reply)
}

// reply is a message of the server: an answer or a push. An empty one is a ping.
type reply struct {
	ID      int `json:"id"`
	Connect *struct {
		Data    json.RawMessage `json:"data"`
		Session string          `json:"session"`
		Node    string          `json:"node"`
	} `json:"connect"`
	RPC *struct {
		Data json.RawMessage `json:"data"`
	} `json:"rpc"`
	Refresh *struct{} `json:"refresh"`
	Error   *struct {
		Code int `json:"code"`
	} `json:"error"`
	Push *struct {
		Message *struct {
			Data json.RawMessage `json:"data"`
		} `json:"message"`
		Disconnect *struct {
			Code int `json:"code"`
		} `json:"disconnect"`
	} `json:"push"`
}

// room is how many pushes a client buffers for its test.
const room = 100_000

// newClient makes a client without a wire.
func newClient() *client {
	c := &client{pushes: make(chan json.RawMessage, room), code: make(chan int, 1), waiting: map[int]func(reply){}}
	c.turn = sync.NewCond(&c.mu)
	return c
}

// run reads until the connection ends. The first frame is already sent.
func (c *client) run() {
	code := abnormal
	defer func() { c.end(code) }()
	for {
		c.unpaused()
		frame, err := c.wire.receive()
		c.unpaused() // the frame that was being read is the last one
		if err != nil {
			if r, ok := errors.AsType[refusedError](err); ok {
				code = int(r)
			}
			return
		}
		for line := range bytes.Lines(frame) {
			if got := c.handle(line); got != 0 {
				code = got
				c.wire.cut()
				return
			}
		}
	}
}

// handle handles one reply. It returns the code if the reply ends the connection, otherwise 0.
func (c *client) handle(line []byte) (code int) {
	var r reply
	if json.Unmarshal(line, &r) != nil {
		return 0
	}
	switch {
	case r.Push != nil && r.Push.Message != nil:
		c.pushes <- r.Push.Message.Data
	case r.Push != nil && r.Push.Disconnect != nil:
		return r.Push.Disconnect.Code
	case r.ID == connectID && r.Error != nil:
		return r.Error.Code
	case r.ID == connectID && r.Connect != nil:
		if s, ok := c.wire.(*streamWire); ok {
			s.found(r.Connect.Session, r.Connect.Node)
		}
		c.pushes <- r.Connect.Data
	case r.ID != 0:
		c.answered(r)
	case r.Push == nil:
		c.mu.Lock()
		deaf := c.deaf
		c.mu.Unlock()
		if !deaf {
			_ = c.wire.send([]byte(`{}`)) // if this fails, the connection has ended
		}
	}
	return 0
}

const connectID = 1

func (c *client) answered(r reply) {
	c.mu.Lock()
	answer := c.waiting[r.ID]
	delete(c.waiting, r.ID)
	c.mu.Unlock()
	if answer != nil {
		answer(r)
	}
}

// unpaused waits until the client may read.
func (c *client) unpaused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.paused && !c.done {
		c.turn.Wait()
	}
}

func (c *client) pause(paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = paused
	c.turn.Broadcast()
}

// end reports the code and ends every pending command.
func (c *client) end(code int) {
	c.over.Do(func() { c.code <- code })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	close(c.pushes)
	for _, answer := range c.waiting {
		answer(reply{})
	}
	clear(c.waiting)
}

// ask sends a command. It calls answer once, with an empty reply if none arrives.
func (c *client) ask(body string, answer func(reply)) {
	c.mu.Lock()
	c.next++
	id := connectID + c.next
	if c.done {
		c.mu.Unlock()
		answer(reply{})
		return
	}
	c.waiting[id] = answer
	c.mu.Unlock()
	err := c.wire.send(fmt.Appendf(nil, `{"id":%d,%s}`, id, body))
	if r, ok := errors.AsType[refusedError](err); ok {
		c.over.Do(func() { c.code <- int(r) })
		c.wire.cut()
	}
}

// Code implements edgetest.Conn.
func (c *client) Code() <-chan int { return c.code }

// Pushes implements edgetest.Conn.
func (c *client) Pushes() <-chan json.RawMessage { return c.pushes }

// Call implements edgetest.Conn.
func (c *client) Call(method, data string) <-chan json.RawMessage {
	ch := make(chan json.RawMessage, 1)
	c.ask(fmt.Sprintf(`"rpc":{"method":%q,"data":%s}`, method, data), func(r reply) {
		if r.RPC != nil {
			ch <- r.RPC.Data
		}
		close(ch)
	})
	return ch
}

// Refresh implements edgetest.Conn.
func (c *client) Refresh(token string) <-chan int {
	ch := make(chan int, 1)
	c.ask(fmt.Sprintf(`"refresh":{"token":%q}`, token), func(r reply) {
		switch {
		case r.Refresh != nil:
			ch <- 0
		case r.Error != nil:
			ch <- r.Error.Code
		}
		close(ch)
	})
	return ch
}

// Pause implements edgetest.Conn. A read that has begun still completes.
func (c *client) Pause() { c.pause(true) }

// Break implements edgetest.Conn.
func (c *client) Break() {
	if c.wire != nil { // the connection was accepted
		c.wire.cut()
	}
}

// connectFrame is the first frame of a client.
func connectFrame(c edgetest.Client) []byte {
	connect := map[string]any{}
	if c.Token != "" {
		connect["token"] = c.Token
	}
	if c.Data != "" {
		connect["data"] = json.RawMessage(c.Data)
	}
	frame, err := json.Marshal(map[string]any{"id": connectID, "connect": connect})
	if err != nil {
		panic(err)
	}
	return frame
}

// page is the origin of the page that a client runs in. It is empty outside a browser.
type page string

func (p page) header() http.Header {
	h := http.Header{}
	if p != "" {
		h.Set("Origin", string(p))
	}
	return h
}

// browser returns an HTTP client. If it is small, its socket has a small read buffer.
func browser(tb testing.TB, small bool) *http.Client {
	tb.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && small {
			err = tcp.SetReadBuffer(4 << 10)
		}
		return conn, err
	}
	transport := &http.Transport{DialContext: dial, ReadBufferSize: 4 << 10}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
