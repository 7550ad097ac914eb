package session_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

// dial connects a client to url over one of the transports.
type dial func(tb testing.TB, url string, c edgetest.Client, from page) *client

// transports maps the path of each transport to its dial function.
func transports() map[string]dial {
	return map[string]dial{
		session.PathWebsocket:  dialWebsocket,
		session.PathHTTPStream: dialStream(session.PathHTTPStream, ""),
		session.PathSSE:        dialStream(session.PathSSE, "data: "),
	}
}

// websocketWire is the wire of a WebSocket.
type websocketWire struct {
	conn *websocket.Conn
	ctx  context.Context
	stop context.CancelFunc
}

func dialWebsocket(tb testing.TB, url string, c edgetest.Client, from page) *client {
	tb.Helper()
	cl := newClient()
	ctx, stop := context.WithCancel(context.Background())
	conn, resp, err := websocket.Dial(ctx, url+session.PathWebsocket, &websocket.DialOptions{HTTPClient: browser(tb, c.Small), HTTPHeader: from.header()})
	if err != nil {
		stop()
		code := abnormal
		if resp != nil {
			code = resp.StatusCode
			_ = resp.Body.Close()
		}
		cl.end(code)
		return cl
	}
	conn.SetReadLimit(-1)
	w := &websocketWire{conn, ctx, stop}
	cl.wire = w
	cl.start(tb, connectFrame(c))
	return cl
}

// start sends the first frame, and reads until the connection or the test ends.
func (c *client) start(tb testing.TB, first []byte) {
	tb.Helper()
	var reading sync.WaitGroup
	if err := c.wire.send(first); err != nil {
		tb.Logf("connecting: %v", err)
	}
	reading.Go(c.run)
	tb.Cleanup(func() {
		c.wire.cut()
		c.pause(false)
		reading.Wait()
	})
}

func (w *websocketWire) send(frame []byte) error {
	return w.conn.Write(w.ctx, websocket.MessageText, frame)
}

func (w *websocketWire) receive() ([]byte, error) {
	_, frame, err := w.conn.Read(w.ctx)
	if code := websocket.CloseStatus(err); code > 0 {
		return nil, refusedError(code)
	}
	return frame, err
}

func (w *websocketWire) cut() {
	w.stop()
	_ = w.conn.CloseNow() // it is closed in any case
}

// streamWire receives frames in an HTTP response and sends frames as POST requests.
type streamWire struct {
	tb      testing.TB
	url     string // of the edge that gets the commands; the session may be on another one
	browser *http.Client
	from    page
	prefix  string // of each frame in the stream
	stop    context.CancelFunc
	body    io.ReadCloser
	lines   *bufio.Reader

	mu            sync.Mutex
	session, node string
}

func dialStream(path, prefix string) dial {
	return func(tb testing.TB, url string, c edgetest.Client, from page) *client {
		tb.Helper()
		cl := newClient()
		w := &streamWire{tb: tb, url: url, browser: browser(tb, c.Small), from: from, prefix: prefix}
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background())
		resp, err := w.post(ctx, path, connectFrame(c)) //nolint:bodyclose // cut closes it
		if err != nil {
			w.stop()
			cl.end(abnormal)
			return cl
		}
		w.body, w.lines = resp.Body, bufio.NewReader(resp.Body)
		cl.wire = w
		if resp.StatusCode != http.StatusOK {
			w.cut()
			cl.end(resp.StatusCode)
			return cl
		}
		cl.start(tb, nil)
		return cl
	}
}

func (w *streamWire) post(ctx context.Context, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = w.from.header()
	return w.browser.Do(req)
}

// found stores the id and the node of the session, which every further frame must name.
func (w *streamWire) found(session, node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session, w.node = session, node
}

func (w *streamWire) send(frame []byte) error {
	if len(frame) == 0 {
		return nil // the first frame is the body of the request
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	body, err := json.Marshal(map[string]string{"session": w.session, "node": w.node, "data": string(frame)})
	if err != nil {
		return err
	}
	resp, err := w.post(context.Background(), session.PathEmulation, body)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return refusedError(resp.StatusCode)
	}
	return nil
}

func (w *streamWire) receive() ([]byte, error) {
	for {
		line, err := w.lines.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		frame, ok := strings.CutPrefix(line, w.prefix)
		if !ok {
			return nil, errors.New("a line that is no frame: " + line)
		}
		return []byte(frame), nil
	}
}

func (w *streamWire) cut() {
	w.stop()
	_ = w.body.Close() // it is closed in any case
}
