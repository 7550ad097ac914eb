package device

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// sides returns a socket and its other end.
func sides(t *testing.T) (*Socket, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	for _, c := range []net.Conn{near, far} {
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	return &Socket{conn: near, in: bufio.NewReaderSize(near, bufferSize)}, far
}

// fromServer encodes an unmasked frame, as servers send it.
func fromServer(head byte, payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		return append([]byte{head, byte(n)}, payload...)
	case n <= 0xFFFF:
		return append(binary.BigEndian.AppendUint16([]byte{head, 126}, uint16(n)), payload...)
	default:
		return append(binary.BigEndian.AppendUint64([]byte{head, 127}, uint64(n)), payload...)
	}
}

// Receive returns messages of every size, also fragmented ones, and answers pings between fragments.
func TestReceive(t *testing.T) {
	s, far := sides(t)
	for _, size := range []int{0, 5, 125, 126, 70_000} {
		want := bytes.Repeat([]byte("x"), size)
		pong := make(chan []byte, 1)
		go func() {
			half := size / 2
			_, _ = far.Write(fromServer(frameText, want[:half]))
			_, _ = far.Write(fromServer(frameFinal|framePing, []byte("hi")))
			got := make([]byte, len(Frame(framePong, []byte("hi"))))
			_, _ = io.ReadFull(far, got)
			pong <- got
			_, _ = far.Write(fromServer(frameFinal, want[half:]))
		}()
		got, err := s.Receive()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: %d came, %v", size, len(got), err)
		}
		if p := <-pong; !bytes.Equal(p, Frame(framePong, []byte("hi"))) {
			t.Errorf("the pong is %x", p)
		}
	}
}

// A close frame becomes a RefusedError; the end of the connection becomes io.EOF.
func TestEnds(t *testing.T) {
	s, far := sides(t)
	go func() {
		_, _ = far.Write(fromServer(frameFinal|frameClose, append([]byte{0x0D, 0xAC}, "invalid token"...)))
	}()
	_, err := s.Receive()
	if r, ok := errors.AsType[*RefusedError](err); !ok || r.Code != 3500 || r.Reason != "invalid token" {
		t.Errorf("the close frame gives %v", err)
	}
	_ = far.Close()
	if _, err := s.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("the end gives %v", err)
	}
}

// An oversized frame is not read.
func TestTooBig(t *testing.T) {
	s, far := sides(t)
	go func() { _, _ = far.Write([]byte{frameFinal | frameText, 127, 0, 0, 0, 1, 0, 0, 0, 0}) }()
	if _, err := s.Receive(); err == nil || !strings.Contains(err.Error(), "too big") {
		t.Errorf("4 GB give %v", err)
	}
}

// Messages that arrive together with the answer to connect are not lost.
func TestMessagesWithTheConnectReply(t *testing.T) {
	s, far := sides(t)
	go func() {
		_, _ = io.ReadFull(far, make([]byte, len(Frame(frameText, ConnectCommand(Hello{Token: "t"})))))
		_, _ = far.Write(fromServer(frameFinal|frameText, []byte(
			`{"id":1,"connect":{"data":{"user_id":"bob","calls":[]}}}`+"\n"+`{"push":{"message":{"data":{"call_id":"c1"}}}}`)))
		_ = far.Close()
	}()
	snapshot, ahead, err := s.enter(Hello{Token: "t"}, nil)
	if err != nil || snapshot.UserID != "bob" {
		t.Fatalf("%+v, %v", snapshot, err)
	}
	var pushes []string
	d := &Device{Socket: s, ahead: ahead}
	if err := d.Run(func(data []byte) { pushes = append(pushes, string(data)) }); !errors.Is(err, io.EOF) {
		t.Errorf("it ends with %v", err)
	}
	if len(pushes) != 1 || pushes[0] != `{"call_id":"c1"}` {
		t.Errorf("pushes %v", pushes)
	}
}

// An error of the connect command becomes a RefusedError.
func TestRefused(t *testing.T) {
	_, err := entered([]byte(`{"id":1,"error":{"code":109,"message":"token expired"}}`))
	if r, ok := errors.AsType[*RefusedError](err); !ok || r.Code != 109 {
		t.Errorf("it gives %v", err)
	}
	if _, err := entered([]byte(`{}`)); err == nil {
		t.Error("nothing is taken for a snapshot")
	}
}
