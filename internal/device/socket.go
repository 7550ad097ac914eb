package device

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"ringline.io/ringline/worker/edge/session"
)

// RefusedError is a code from the edge: a command error, a close code, or an HTTP status.
type RefusedError struct {
	Code   int
	Reason string
}

func (r *RefusedError) Error() string { return fmt.Sprintf("device: %d %s", r.Code, r.Reason) }

// Socket is a WebSocket that does not interpret its messages.
type Socket struct {
	conn net.Conn
	in   *bufio.Reader
	mu   sync.Mutex // serializes writers
}

// The sizes of a socket. The read buffer is small, so that ten thousand sockets fit into one process.
const (
	bufferSize = 1 << 10
	maxMessage = 4 << 20
)

// The frame types that a client sees.
const (
	frameText   = 0x1
	frameBinary = 0x2
	frameClose  = 0x8
	framePing   = 0x9
	framePong   = 0xA
	frameFinal  = 0x80
	frameMasked = 0x80
)

// Dial opens a TCP connection from a local address; empty means any.
func Dial(ctx context.Context, server, from string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := d.DialContext(ctx, "tcp", server)
	if err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	return conn, nil
}

// Open opens a WebSocket. Any other HTTP answer is a RefusedError with its status.
func Open(ctx context.Context, server, from string) (*Socket, error) {
	conn, err := Dial(ctx, server, from)
	if err != nil {
		return nil, err
	}
	s := &Socket{conn: conn, in: bufio.NewReaderSize(conn, bufferSize)}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := s.upgrade(server); err != nil {
		stop()
		s.Reset()
		return nil, err
	}
	if !stop() {
		return nil, ctx.Err()
	}
	return s, nil
}

func (s *Socket) upgrade(server string) error {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	if err := s.Raw(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		session.PathWebsocket, server, base64.StdEncoding.EncodeToString(key[:]))); err != nil {
		return err
	}
	resp, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return fmt.Errorf("device: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // no body, or the connection is not used again
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return &RefusedError{resp.StatusCode, http.StatusText(resp.StatusCode)}
	}
	return nil
}

// Raw sends bytes unchanged.
func (s *Socket) Raw(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.conn.Write(b); err != nil {
		return fmt.Errorf("device: %w", err)
	}
	return nil
}

// Send sends a message in one frame.
func (s *Socket) Send(message []byte) error { return s.Raw(Frame(frameText, message)) }

// Frame encodes a masked frame, as clients send it.
func Frame(kind byte, payload []byte) []byte {
	b := []byte{frameFinal | kind}
	switch n := len(payload); {
	case n < 126:
		b = append(b, frameMasked|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, frameMasked|126), uint16(n)) //nolint:gosec // it fits
	default:
		b = binary.BigEndian.AppendUint64(append(b, frameMasked|127), uint64(n)) //nolint:gosec // so does this
	}
	b = append(b, 0, 0, 0, 0) // a zero mask leaves the payload unchanged
	return append(b, payload...)
}

// Receive returns the next message. A close frame is a RefusedError with its code.
func (s *Socket) Receive() ([]byte, error) {
	var message []byte
	for {
		kind, final, payload, err := s.frame()
		if err != nil {
			return nil, err
		}
		switch kind {
		case framePing:
			if err := s.Raw(Frame(framePong, payload)); err != nil {
				return nil, err
			}
		case frameClose:
			return nil, closed(payload)
		case framePong:
		default:
			if message = append(message, payload...); final {
				return message, nil
			}
		}
	}
}

func (s *Socket) frame() (kind byte, final bool, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:2]); err != nil {
		return 0, false, nil, fmt.Errorf("device: %w", err)
	}
	kind, final = head[0]&0xF, head[0]&frameFinal != 0
	size := uint64(head[1] & 0x7F)
	switch size {
	case 126:
		_, err = io.ReadFull(s.in, head[:2])
		size = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(s.in, head[:])
		size = binary.BigEndian.Uint64(head[:])
	}
	if err == nil && size > maxMessage {
		err = errors.New("a frame is too big")
	}
	if err == nil {
		payload = make([]byte, size)
		_, err = io.ReadFull(s.in, payload)
	}
	if err != nil {
		return 0, false, nil, fmt.Errorf("device: %w", err)
	}
	return kind, final, payload, nil
}

func closed(payload []byte) error {
	if len(payload) < 2 {
		return &RefusedError{1005, "no code"}
	}
	return &RefusedError{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
}

// Deadline sets the deadline of all reads and writes; the zero time means none.
func (s *Socket) Deadline(at time.Time) { _ = s.conn.SetDeadline(at) } // fails only on a closed connection

// Close sends a close frame and closes the connection.
func (s *Socket) Close() {
	const leaving = 1000
	_ = s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = s.Raw(Frame(frameClose, binary.BigEndian.AppendUint16(nil, leaving))) // fails only if the other end has disconnected
	_ = s.conn.Close()
}

// Reset closes the connection with a TCP reset. Unsent data is dropped.
func (s *Socket) Reset() {
	if t, ok := s.conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = s.conn.Close() // closed even after an error
}
