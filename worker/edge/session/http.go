package session

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"ringline.io/ringline/worker/meter"
)

// The paths of the transports, those of the official SDKs.
const (
	PathWebsocket  = "/connection/websocket"
	PathHTTPStream = "/connection/http_stream"
	PathSSE        = "/connection/sse"
	PathEmulation  = "/emulation"
)

// Paths lists them, for who mounts the handler.
func Paths() []string { return []string{PathWebsocket, PathHTTPStream, PathSSE, PathEmulation} }

func (e *Edge) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(PathWebsocket, e.guarded(e.counted(e.node.websocket())))
	mux.Handle(PathHTTPStream, e.guarded(e.counted(e.posted(e.node.httpStream()))))
	mux.Handle(PathSSE, e.guarded(e.counted(e.posted(e.node.sse()))))
	mux.Handle(PathEmulation, e.guarded(e.counted(e.posted(e.node.emulation()))))
	return mux
}

// guarded lets through pages that may ask, and nobody once the edge stops.
func (e *Edge) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := originOf(r)
		switch {
		case !e.mayAsk(o):
			e.count.Refused(meter.RefusedOrigin)
			http.Error(w, "this origin may not connect: `ringline app set APP --origin` lists those that may", http.StatusForbidden)
		case e.stopping.Load():
			w.Header().Set("Retry-After", "1")
			http.Error(w, "this edge is stopping or not ready yet", http.StatusServiceUnavailable)
		default:
			share(w.Header(), o)
			next.ServeHTTP(w, withOrigin(r, o))
		}
	})
}

// counted bounds the connections of an address. Those that are hijacked count until they are closed.
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
		place := &place{ResponseWriter: w, give: sync.OnceFunc(func() { e.addresses.give(address) }), refused: e.count.Refused}
		defer place.served()
		next.ServeHTTP(place, r)
	})
}

// place is the place of one connection, given back when it ends.
type place struct {
	http.ResponseWriter
	give     func()
	refused  func(meter.Refused)
	hijacked bool
}

// served gives the place of what was no hijacked connection back.
func (p *place) served() {
	if !p.hijacked {
		p.give()
	}
}

// Unwrap is http.ResponseController's.
func (p *place) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Hijack is http.Hijacker's.
func (p *place) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(p.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	p.hijacked = true
	return placed{conn, p.give, p.refused}, buffered, nil
}

// placed gives the place back when the connection is closed.
type placed struct {
	net.Conn
	give    func()
	refused func(meter.Refused)
}

// Write is net.Conn's.
func (c placed) Write(b []byte) (int, error) {
	if why, refused := refusedBeneath(b); refused {
		c.refused(why)
	}
	return c.Conn.Write(b)
}

// Close is net.Conn's.
func (c placed) Close() error {
	defer c.give()
	return c.Conn.Close()
}

// posted takes the command as the body of a POST, and nowhere else: centrifuge also takes one from the query, where its
// token would stand in the log of every proxy. It reads the body before anything waits for it, as the time to read is
// bounded and that to answer is not.
func (e *Edge) posted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const methods = "POST, OPTIONS"
		switch r.Method {
		case http.MethodPost:
		case http.MethodOptions: // of which centrifuge knows for two of the three
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

// noDeadline takes the deadlines off a connection that stays open for long.
func noDeadline(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // a writer that has none needs it not
	_ = c.SetWriteDeadline(time.Time{})
}
