package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"ringline.io/ringline/internal/device"
)

// openHop serves bare WebSockets, and opens one for each user. done closes them.
func openHop(ctx context.Context, f *floor, app string, users []string, e *inboxes) (h *hop, done func(), err error) {
	h = &hop{
		floor: f, clients: map[string]*device.Socket{}, conns: map[string]func([]byte){}, waiting: map[string]chan []byte{},
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("bench: the hop: %w", err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.accept(ctx, w, r) }),
	}
	go func() { _ = server.Serve(l) }() // until done closes it
	done = func() {
		for _, s := range h.clients {
			s.Reset()
		}
		_ = server.Close() // no client uses it any more
	}
	if err := subscribe(f.nc, bare.subject+app+".user.*", h.relay); err != nil {
		done()
		return nil, nil, fmt.Errorf("bench: the hop: %w", err)
	}
	for _, u := range users {
		s, err := device.Open(ctx, l.Addr().String(), "")
		if err == nil {
			err = s.Send([]byte(u))
		}
		if err == nil {
			_, err = s.Receive() // the echo: the hop knows the user now
		}
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("bench: the hop: %w", err)
		}
		h.clients[u] = s
		go func() {
			for {
				message, err := s.Receive()
				if err != nil {
					return
				}
				h.handle(u, message, e)
			}
		}()
	}
	return h, done, nil
}

// accept serves a client, whose first message is its user id.
func (h *hop) accept(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered the client
	}
	defer func() { _ = c.CloseNow() }()
	send := func(b []byte) { _ = c.Write(ctx, websocket.MessageText, b) } // a lost message fails its call
	_, user, err := c.Read(ctx)
	if err != nil {
		return
	}
	h.mu.Lock()
	h.conns[string(user)] = send
	h.mu.Unlock()
	send(user)
	for {
		_, message, err := c.Read(ctx)
		if err != nil {
			return
		}
		h.serve(ctx, message, send)
	}
}
