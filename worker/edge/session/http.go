package session

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"ringline.io/ringline/worker/meter"
)

// The paths of the transports, as the official SDKs expect them.
const (
	PathWebsocket  = "/connection/websocket"
	PathHTTPStream = "/connection/http_stream"
	PathSSE        = "/connection/sse"
	PathEmulation  = "/emulation"
)

// Paths lists the paths at which the handler must be mounted.
func Paths() []string { return []string{PathWebsocket, PathHTTPStream, PathSSE, PathEmulation} }

func (e *Edge) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(PathWebsocket, e.guarded(e.counted(e.node.websocket())))
	mux.Handle(PathHTTPStream, e.guarded(e.counted(e.posted(e.node.httpStream()))))
	mux.Handle(PathSSE, e.guarded(e.counted(e.posted(e.node.sse()))))
	mux.Handle(PathEmulation, e.guarded(e.counted(e.posted(e.node.emulation()))))
	return mux
}

// guarded rejects pages of unknown origins, and everything once the edge stops.
func (e *Edge) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := originOf(r, e.Loopback)
		switch {
		case !e.mayAsk(o):
			e.refuseOrigin(o.origin)
			http.Error(w, "this origin may not connect: `ringline app set APP --origin` lists those that may", http.StatusForbidden)
		case e.stopping.Load() || e.cutOff.Load():
			w.Header().Set("Retry-After", "1")
			http.Error(w, "this edge is stopping, not ready yet, or without NATS", http.StatusServiceUnavailable)
		default:
			share(w.Header(), o)
			next.ServeHTTP(w, withOrigin(r, o))
		}
	})
}

// counted limits the connections of an address. A hijacked connection counts until it is closed.
func (e *Edge) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		address := addressOf(r, e.AddressHeader)
		if !e.addresses.take(address) {
			e.count.Refused(meter.RefusedAddress)
			http.Error(w, "too many connections from this address", http.StatusTooManyRequests)
			return
		}
		slot := &connSlot{ResponseWriter: w, give: sync.OnceFunc(func() { e.addresses.give(address) }), within: e.Limits.Connect}
		defer slot.served()
		next.ServeHTTP(slot, r.WithContext(context.WithValue(r.Context(), slotKey{}, slot)))
	})
}

// slotKey is the context key of a connSlot.
type slotKey struct{}

// connSlot is the slot of one connection. It is freed when the connection ends. A hijacked connection is closed if its
// client sends no connect command in time. It gets no code: centrifuge would send 3502, after which clients do not
// reconnect, although only the network may have been slow.
type connSlot struct {
	http.ResponseWriter
	give     func()
	within   time.Duration
	late     *time.Timer
	hijacked bool
}

// greeted records that the connect command has arrived.
func greeted(ctx context.Context) {
	if s, ok := ctx.Value(slotKey{}).(*connSlot); ok && s.late != nil {
		s.late.Stop()
	}
}

// served frees the slot, unless the connection was hijacked.
func (s *connSlot) served() {
	if !s.hijacked {
		s.give()
	}
}

// Unwrap is for http.ResponseController.
func (s *connSlot) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Hijack implements http.Hijacker.
func (s *connSlot) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	s.hijacked = true
	taken := slottedConn{conn, s.give}
	s.late = time.AfterFunc(s.within, func() { _ = taken.Close() }) // it may be closed already
	return taken, buffered, nil
}

// slottedConn frees its slot when the connection is closed.
type slottedConn struct {
	net.Conn
	give func()
}

// Close implements net.Conn.
func (c slottedConn) Close() error {
	defer c.give()
	return c.Conn.Close()
}

// posted accepts a command only as the body of a POST. centrifuge also accepts it in the query, where proxies would log
// the token. posted reads the body first, while the read deadline still applies: the answer has no deadline.
func (e *Edge) posted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const methods = "POST, OPTIONS"
		switch r.Method {
		case http.MethodPost:
		case http.MethodOptions: // centrifuge handles OPTIONS for only two of the three
			w.Header().Set("Access-Control-Allow-Methods", methods)
			w.Header().Set("Access-Control-Max-Age", "300")
			w.WriteHeader(http.StatusNoContent)
			return
		default:
			w.Header().Set("Allow", methods)
			http.Error(w, "POST the connect command as the body: a token must not be in a URL", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(e.Limits.MessageSize)))
		if err != nil {
			e.refuseBody(w, err)
			return
		}
		noDeadline(w)
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func (e *Edge) refuseBody(w http.ResponseWriter, err error) {
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		e.count.Refused(meter.RefusedSize)
		http.Error(w, "a message is too big", http.StatusRequestEntityTooLarge)
		return
	}
	http.Error(w, "the body can't be read", http.StatusBadRequest)
}

// noDeadline removes the deadlines of a long-lived connection.
func noDeadline(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // it fails only if the writer has no deadlines
	_ = c.SetWriteDeadline(time.Time{})
}
