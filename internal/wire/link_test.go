package wire_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ringline.io/ringline/internal/wire"
)

const within = 20 * time.Second

// ends opens a link, and returns both ends of a connection over it.
func ends(t *testing.T) (l *wire.Link, near, far net.Conn) {
	t.Helper()
	var lc net.ListenConfig
	server, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if l, err = wire.Listen("test", server.Addr().String(), true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	var d net.Dialer
	if near, err = d.DialContext(t.Context(), "tcp", l.Addr()); err != nil {
		t.Fatal(err)
	}
	if far, err = server.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{near, far} {
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
	}
	return l, near, far
}

func send(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, c net.Conn, s string) {
	t.Helper()
	got := make([]byte, len(s))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != s {
		t.Fatalf("%q came (%v), want %q", got[:n], err, s)
	}
}

// silent checks that nothing arrives for a while.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	if n, err := c.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%q came (%v)", got[:n], err)
	}
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
}

// All data passes in both directions, and so does the close of either end.
func TestPasses(t *testing.T) {
	_, near, far := ends(t)
	big := "PUB a 200000\r\n" + strings.Repeat("x", 200000) + "\r\nPING\r\nPUB"
	go func() { _, _ = io.WriteString(near, big) }()
	want(t, far, big[:len(big)-len("PUB")]) // an incomplete line passes when its end arrives
	send(t, far, "+OK\r\n")
	want(t, near, "+OK\r\n")
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, far, "PUB")
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("after the end: %v", err)
	}
}

// A cut direction holds its data while the other direction passes. After Mend nothing is lost.
func TestCutAndMend(t *testing.T) {
	l, near, far := ends(t)
	l.Cut(wire.Up)
	send(t, near, "PING\r\n")
	silent(t, far)
	send(t, far, "+OK\r\n")
	want(t, near, "+OK\r\n")
	l.Cut(wire.Down)
	send(t, far, "PING\r\n")
	silent(t, near)
	l.Mend()
	want(t, far, "PING\r\n")
	want(t, near, "PING\r\n")
}

func TestDelay(t *testing.T) {
	l, near, far := ends(t)
	const by = 300 * time.Millisecond
	l.Delay(wire.Up, by)
	begun := time.Now()
	send(t, near, "PING\r\n")
	want(t, far, "PING\r\n")
	if took := time.Since(begun); took < by {
		t.Errorf("it took %v", took)
	}
}

// A delayed message passes although others follow it all the time.
func TestDelayOfASteadyFlow(t *testing.T) {
	l, near, far := ends(t)
	l.Delay(wire.Up, 200*time.Millisecond)
	over := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for every := time.NewTicker(10 * time.Millisecond); ; {
			_, _ = io.WriteString(near, "PING\r\n") // the test reads what arrives
			select {
			case <-every.C:
			case <-over:
				return
			}
		}
	})
	want(t, far, "PING\r\n")
	close(over)
	sending.Wait()
}

// A reset ends the connection, and held data is lost.
func TestReset(t *testing.T) {
	l, near, far := ends(t)
	l.Cut(wire.Up)
	send(t, near, "PING\r\n")
	silent(t, far)
	l.Reset()
	l.Mend()
	for _, c := range []net.Conn{near, far} {
		if n, err := c.Read(make([]byte, 100)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d bytes came, %v", n, err)
		}
	}
}

// A trap stops exactly before or after the first matching message, whatever its payload contains.
func TestTrap(t *testing.T) {
	messages := []string{
		"HPUB a.b 12 21\r\nNATS/1.0\r\n\r\nPUB c 0\r\n\r\n", "PUB x 7\r\nPUB c 0\r\n", "PUB c reply 2\r\nhi\r\n", "PING\r\n",
	}
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			l, near, far := ends(t)
			trap := l.SetTrap(func(subject string) bool { return subject == "c" }, after)
			send(t, near, strings.Join(messages, ""))
			want(t, far, messages[0]+messages[1])
			if after {
				want(t, far, messages[2])
			}
			<-trap.Sprung
			silent(t, far)
			l.Mend()
			if !after {
				want(t, far, messages[2])
			}
			want(t, far, messages[3])
			send(t, near, messages[2]) // a trap triggers only once
			want(t, far, messages[2])
		})
	}
}

// If no process listens at the target, the connection ends. A closed link accepts no connection.
func TestNoListener(t *testing.T) {
	var lc net.ListenConfig
	gone, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := wire.Listen("test", gone.Addr().String(), true)
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", l.Addr())
	if err == nil {
		if err = c.SetDeadline(time.Now().Add(within)); err == nil {
			_, err = bufio.NewReader(c).ReadByte()
		}
		_ = c.Close()
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection gives %v", err)
	}
	l.Close()
	if _, err := d.DialContext(t.Context(), "tcp", l.Addr()); err == nil {
		t.Error("a closed link takes a connection")
	}
}
