package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// slow dials connections that deliver nothing while the gate is locked.
type slow struct{ gate *sync.RWMutex }

type slowConn struct {
	net.Conn

	gate *sync.RWMutex
}

func (d slow) Dial(network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: time.Minute}).DialContext(context.Background(), network, address)
	return slowConn{c, d.gate}, err
}

func (c slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.gate.RLock()
	defer c.gate.RUnlock()
	return n, err
}

// changedTo waits until the watch has set or cleared the secret this many times.
func (s *Secrets) changedTo(t *testing.T, changes uint64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		n := s.changes
		s.mu.Unlock()
		if n >= changes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the watch has received %d changes, want %d", n, changes)
		}
	}
}

// A secret whose read is overtaken by the watch does not replace the newer secret from the watch.
func TestReadOvertakenByTheWatch(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketSecrets)
	if err != nil {
		t.Fatal(err)
	}
	put := func(letter string) {
		t.Helper()
		if _, err := kv.PutString(t.Context(), callIDSecret, base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte(letter), secretSize))); err != nil {
			t.Fatal(err)
		}
	}
	put("a")
	var gate sync.RWMutex
	nc, err := nats.Connect(s.URL(), nats.SetCustomDialer(slow{&gate}), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	x := NewSecrets(nc, s.JS, zerolog.Nop())
	go func() { _ = x.Run(t.Context()) }()
	x.changedTo(t, 1) // the watch has started

	asked, err := s.NC.SubscribeSync("$JS.API.STREAM.MSG.GET.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.NC.Flush(); err != nil {
		t.Fatal(err)
	}
	gate.Lock()
	read := make(chan error, 1)
	go func() { _, err := x.current(t.Context()); read <- err }()
	if _, err := asked.NextMsg(time.Minute); err != nil {
		t.Fatal(err)
	}
	put("b")
	x.changedTo(t, 2)
	gate.Unlock()
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	if got, err := x.current(t.Context()); err != nil || got[0] != 'b' {
		t.Errorf("%.1q, %v, want the newer one", got, err)
	}
}
