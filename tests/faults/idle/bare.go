package idle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/session"
)

// Bare is the server that Ringline is compared with.
type Bare struct {
	HTTP     string // listen address
	NATS     string
	Defaults bool // use centrifuge's default buffers instead of Ringline's
}

// relay maps each user to the user's client. The token is the user id.
type relay struct {
	mu      sync.RWMutex
	clients map[string]*centrifuge.Client
}

// Run serves until ctx ends.
func (b Bare) Run(ctx context.Context) error {
	node, err := centrifuge.New(centrifuge.Config{
		LogLevel: centrifuge.LogLevelNone, Metrics: centrifuge.MetricsConfig{RegistererGatherer: prometheus.NewRegistry()},
	})
	if err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	r := &relay{clients: map[string]*centrifuge.Client{}}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: e.Token}, Data: []byte(`{"calls":[]}`)}, nil
	})
	node.OnConnect(r.connected)
	if err := node.Run(); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	nc, err := nats.Connect(b.NATS)
	if err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	defer nc.Close()
	if _, err := nc.Subscribe(events.AppNotifications(app), r.receive); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	return b.serve(ctx, node)
}

func (b Bare) serve(ctx context.Context, node *centrifuge.Node) error {
	pings := centrifuge.PingPongConfig{PingInterval: session.DefaultLimits().Ping, PongTimeout: session.DefaultLimits().Pong}
	cfg := centrifuge.WebsocketConfig{PingPongConfig: pings}
	if !b.Defaults {
		cfg.ReadBufferSize, cfg.UseWriteBufferPool, cfg.ProcessCommandsOffReadLoop = 512, true, true
	}
	mux := http.NewServeMux()
	mux.Handle(session.PathWebsocket, centrifuge.NewWebsocketHandler(node, cfg))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	server := &http.Server{Addr: b.HTTP, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("idle: %w", err)
	}
	return nil
}

func (r *relay) connected(c *centrifuge.Client) {
	user := c.UserID()
	r.mu.Lock()
	r.clients[user] = c
	r.mu.Unlock()
	c.OnDisconnect(func(centrifuge.DisconnectEvent) {
		r.mu.Lock()
		delete(r.clients, user)
		r.mu.Unlock()
	})
}

func (r *relay) receive(m *nats.Msg) {
	_, user, _ := events.ParseUserSubject(m.Subject)
	r.mu.RLock()
	c := r.clients[user]
	r.mu.RUnlock()
	if c != nil {
		_ = c.Send(m.Data) // fails only if the client is gone
	}
}
