package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/meter"
)

// node wraps centrifuge: its protocol, its transports, and the routing of commands between edges. Only this file and
// control.go use it. Its channels, broker and history are not used.
type node struct {
	*centrifuge.Node
	edge    *Edge
	control *control
}

func newNode(e *Edge) (*node, error) {
	c, err := centrifuge.New(centrifuge.Config{
		Name:                    "ringline-edge",
		LogLevel:                centrifuge.LogLevelWarn,
		LogHandler:              centrifugeLog(e.Log),
		ClientQueueMaxSize:      e.Limits.Queue,
		ClientChannelLimit:      1,
		ClientExpiredCloseDelay: e.Limits.Renewal,
		ClientStaleCloseDelay:   2 * (e.Limits.Connect + e.Limits.Open), // never reached: its code is final, see connSlot
		Metrics:                 centrifuge.MetricsConfig{RegistererGatherer: e.Meter.Library()},
		UserConnectionLimit:     0, // users.add enforces the limit exactly
	})
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	n := &node{c, e, &control{nc: e.NC, id: c.ID(), log: e.Log}}
	c.SetController(n.control)
	c.OnCommandRead(n.read)
	c.OnConnecting(n.connecting)
	c.OnConnect(n.connected)
	return n, nil
}

func (n *node) run() error { return n.Run() }
func (n *node) id() string { return n.ID() }

// shutdown closes the remaining connections, even if ctx has ended.
func (n *node) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	defer n.control.stop()
	if err := n.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("session: shut down: %w", err)
	}
	return nil // what remains ends with the process
}

// pings returns the ping interval, and the time that a client has to answer.
func (n *node) pings() centrifuge.PingPongConfig {
	return centrifuge.PingPongConfig{PingInterval: n.edge.Limits.Ping, PongTimeout: n.edge.Limits.Pong}
}

func (n *node) websocket() http.Handler {
	return centrifuge.NewWebsocketHandler(n.Node, centrifuge.WebsocketConfig{
		CheckOrigin:    func(*http.Request) bool { return true },                        // guarded has checked it
		ReadBufferSize: 512, UseWriteBufferPool: true, ProcessCommandsOffReadLoop: true, // 13 KB per idle session instead of 27
		MessageSizeLimit: n.edge.Limits.MessageSize, PingPongConfig: n.pings(),
	})
}

func (n *node) httpStream() http.Handler {
	return centrifuge.NewHTTPStreamHandler(n.Node, centrifuge.HTTPStreamConfig{
		MaxRequestBodySize: n.edge.Limits.MessageSize, PingPongConfig: n.pings(),
	})
}

func (n *node) sse() http.Handler {
	return centrifuge.NewSSEHandler(n.Node, centrifuge.SSEConfig{
		MaxRequestBodySize: n.edge.Limits.MessageSize, PingPongConfig: n.pings(),
	})
}

func (n *node) emulation() http.Handler {
	return centrifuge.NewEmulationHandler(n.Node, centrifuge.EmulationConfig{MaxRequestBodySize: n.edge.Limits.MessageSize})
}

// nodeUser is the id of a user for centrifuge. It includes the app, because user ids are unique only within one.
func nodeUser(app, userID string) string { return app + "/" + userID }

func (n *node) disconnect(user string) error {
	return n.Disconnect(user, centrifuge.WithCustomDisconnect(disconnect(ForceDisconnect)))
}

// sessionKey is the context key of a connection's session.
type sessionKey struct{}

func (n *node) connecting(ctx context.Context, ev centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	greeted(ctx)
	from, _ := ctx.Value(originKey{}).(pageOrigin)
	s, snapshot, err := n.edge.open(ctx, hello{token: ev.Token, data: ev.Data, pageOrigin: from, transport: ev.Transport.Name()})
	if err != nil {
		return centrifuge.ConnectReply{}, n.refused(err)
	}
	return centrifuge.ConnectReply{
		Context: context.WithValue(ctx, sessionKey{}, s),
		Credentials: &centrifuge.Credentials{
			UserID: nodeUser(s.app, s.by.UserID), ExpireAt: n.expireAt(s.claims),
		},
		Data: snapshot, ClientSideRefresh: true,
	}, nil
}

// refused converts an error to the error of a command or to a disconnect, depending on its code.
func (n *node) refused(err error) error {
	var r refusal
	if !errors.As(err, &r) {
		r = refusal{Unavailable, Unavailable.String(), err.Error()}
	}
	n.edge.Log.Info().Uint32("code", uint32(r.Code)).Str("why", r.why).Msg("client refused")
	if r.Code < Shutdown {
		return &centrifuge.Error{Code: uint32(r.Code), Message: r.message, Temporary: r.Code == Unavailable}
	}
	return centrifuge.Disconnect{Code: uint32(r.Code), Reason: r.message}
}

func disconnect(c Code) centrifuge.Disconnect {
	return centrifuge.Disconnect{Code: uint32(c), Reason: c.String()}
}

// read accepts connect, RPC and refresh, one per command. The other commands of the protocol are not used, and so they
// have no limits. A command with several parts is rejected, because centrifuge would choose one of them.
func (n *node) read(_ *centrifuge.Client, ev centrifuge.CommandReadEvent) error {
	c := ev.Command
	supported := [...]bool{c.Connect != nil, c.Rpc != nil, c.Refresh != nil}
	others := c.Subscribe != nil || c.Unsubscribe != nil || c.Publish != nil || c.Presence != nil || c.PresenceStats != nil ||
		c.History != nil || c.Ping != nil || c.Send != nil || c.SubRefresh != nil
	parts := 0
	for _, is := range supported {
		if is {
			parts++
		}
	}
	if parts != 1 || others {
		n.edge.count.Refused(meter.RefusedData)
		return disconnect(BadRequest)
	}
	return nil
}

func (n *node) connected(client *centrifuge.Client) {
	s, ok := client.Context().Value(sessionKey{}).(*session)
	if !ok {
		client.Disconnect(centrifuge.DisconnectServerError)
		return
	}
	client.OnRPC(func(ev centrifuge.RPCEvent, reply centrifuge.RPCCallback) {
		n.edge.rpc(client.Context(), s, ev.Method, ev.Data, func(data []byte) {
			reply(centrifuge.RPCReply{Data: data}, nil)
		})
	})
	client.OnRefresh(func(ev centrifuge.RefreshEvent, reply centrifuge.RefreshCallback) {
		if !n.edge.takeSlot(s) {
			reply(centrifuge.RefreshReply{}, centrifuge.ErrorTooManyRequests)
			return
		}
		if n.edge.tooMuch(s, "", nil) != nil {
			s.inFlight.Add(-1)
			reply(centrifuge.RefreshReply{}, centrifuge.ErrorTooManyRequests)
			return
		}
		go func() {
			defer s.inFlight.Add(-1)
			n.refreshed(client, s, ev, reply)
		}()
	})
	client.OnDisconnect(func(ev centrifuge.DisconnectEvent) {
		n.edge.ended(s, Code(ev.Code), ev.Reason)
	})
	n.edge.begin(s, centrifugePeer{client})
}

// expireAt returns the expiry of the claims on the local clock, because centrifuge knows no other clock.
func (n *node) expireAt(c token.Claims) int64 {
	left := c.Expires.Sub(n.edge.Clock.Now())
	return time.Now().Add(left).Round(time.Second).Unix()
}

// refreshed accepts a new token of the same user and device.
func (n *node) refreshed(client *centrifuge.Client, s *session, ev centrifuge.RefreshEvent, reply centrifuge.RefreshCallback) {
	claims, err := n.edge.Tokens.Verify(client.Context(), ev.Token, n.edge.Clock.Now())
	switch {
	case errors.Is(err, token.ErrExpired):
		reply(centrifuge.RefreshReply{Expired: true}, nil)
	case err != nil:
		reply(centrifuge.RefreshReply{}, n.refused(n.edge.refuseToken(err)))
	case !s.continues(claims):
		n.edge.count.Refused(meter.RefusedToken)
		reply(centrifuge.RefreshReply{}, n.refused(refuse(InvalidToken, "a new token is of another user or device")))
	default:
		reply(centrifuge.RefreshReply{ExpireAt: n.expireAt(claims)}, nil)
	}
}

// centrifugePeer is a centrifuge client as a peer.
type centrifugePeer struct{ *centrifuge.Client }

// Close ends the connection with a code.
func (p centrifugePeer) Close(c Code) { p.Disconnect(disconnect(c)) }

// emulationFailed is centrifuge's log message about a command for an unknown session.
const emulationFailed = "error processing emulation request"

// centrifugeLog writes centrifuge's log entries to log, without anything that clients sent.
func centrifugeLog(log zerolog.Logger) centrifuge.LogHandler {
	return func(entry centrifuge.LogEntry) {
		level := zerolog.WarnLevel
		switch {
		case entry.Message == emulationFailed: // any client can cause this
			level = zerolog.DebugLevel
		case entry.Level >= centrifuge.LogLevelError:
			level = zerolog.ErrorLevel
		}
		ev := log.WithLevel(level)
		for _, field := range []string{"code", "reason", "client", "transport", "limit"} {
			if v, ok := entry.Fields[field]; ok {
				ev = ev.Interface(field, v)
			}
		}
		ev.Msg("centrifuge: " + entry.Message)
	}
}
