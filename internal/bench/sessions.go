package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/worker/streams"
)

// sessions is a stage: Ringline over client sessions, one per user.
type sessions struct {
	of map[string]*device.Device
}

// makeApp gives the benchmark's app its own key and no limits. The settings are deleted when the benchmark ends.
func (b *bench) makeApp(ctx context.Context, nc *nats.Conn) (a device.App, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return a, fmt.Errorf("bench: %w", err)
	}
	kv, err := js.KeyValue(ctx, streams.BucketApps)
	if err != nil {
		return a, fmt.Errorf("bench: %w", err)
	}
	if _, err := kv.Get(ctx, b.App); b.App != DefaultApp && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return a, fmt.Errorf("bench: the app %s has settings, which a benchmark would replace: choose another app", b.App)
	}
	if a, err = device.NewApp(ctx, js, b.App, device.Unlimited()); err != nil {
		return a, err
	}
	b.ends = append(b.ends, func() { _ = kv.Delete(context.WithoutCancel(ctx), b.App) }) // a leftover does no harm
	return a, nil
}

// openSessions opens the sessions of the app's users.
func openSessions(ctx context.Context, edge string, a device.App, users []string, e *inboxes) (*sessions, error) {
	if err := a.Await(ctx, edge); err != nil {
		return nil, err
	}
	s := &sessions{of: map[string]*device.Device{}}
	for _, u := range users {
		token, err := a.Token(u, "")
		if err != nil {
			s.close()
			return nil, err
		}
		d, _, err := device.Connect(ctx, device.Hello{Server: edge, Token: token}, nil)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("bench: open a session: %w", err)
		}
		s.of[u] = d
		go func() { _ = d.Run(func(data []byte) { e.deliver(u, data) }) }() // after the end of a session its calls fail
	}
	return s, nil
}

func (s *sessions) close() {
	for _, d := range s.of {
		d.Socket.Reset()
	}
}

func (s *sessions) send(ctx context.Context, x step) error {
	user := x.cmd.UserID
	x.cmd.UserID = "" // the edge knows the user
	body, err := x.cmd.EncodeRequest()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	answer, err := s.of[user].Call(ctx, string(x.cmd.Verb), body)
	if err != nil {
		return fmt.Errorf("bench: a session's command: %w", err)
	}
	return isOK(answer)
}

func (s *sessions) await(ctx context.Context, x step, event events.Kind) (time.Time, error) {
	return subjects{}.await(ctx, x, event)
}

// hop replaces the edge in the floor: WebSockets that only forward messages.
type hop struct {
	floor   *floor
	clients map[string]*device.Socket // by user

	mu      sync.Mutex
	conns   map[string]func([]byte) // by user: sends to that user's client
	waiting map[string]chan []byte  // by answer number
}

// ask sends a command and returns its answer.
func (h *hop) ask(ctx context.Context, user, n string, command []byte) ([]byte, error) {
	answer := make(chan []byte, 1)
	h.mu.Lock()
	h.waiting[n] = answer
	h.mu.Unlock()
	if err := h.clients[user].Send(append([]byte(n+" "), command...)); err != nil {
		return nil, fmt.Errorf("bench: the hop: %w", err)
	}
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("bench: no answer over the hop: %w", ctx.Err())
	}
}

// handle handles a message to a client: a number and an answer, or a notification.
func (h *hop) handle(user string, message []byte, e *inboxes) {
	if len(message) > 0 && message[0] == '{' {
		e.deliver(user, message)
		return
	}
	n, answer, _ := strings.Cut(string(message), " ")
	h.mu.Lock()
	ch := h.waiting[n]
	delete(h.waiting, n)
	h.mu.Unlock()
	if ch != nil {
		ch <- []byte(answer)
	}
}

// relay forwards a notification.
func (h *hop) relay(m *nats.Msg) {
	h.mu.Lock()
	send := h.conns[m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]]
	h.mu.Unlock()
	if send != nil {
		send(m.Data)
	}
}

// serve handles a message from a client: a number and a command.
func (h *hop) serve(ctx context.Context, message []byte, send func([]byte)) {
	n, _, _ := strings.Cut(string(message[:min(len(message), 32)]), " ")
	go func() {
		if a := h.floor.forward(ctx, n); a != nil {
			send(append([]byte(n+" "), a...))
		}
	}()
}
