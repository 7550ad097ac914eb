package stall_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/stall"
)

// machine has a clock that moves only while the machine is stopped, so the speed of the test machine does not matter.
type machine struct {
	mu   sync.Mutex
	time time.Time
}

func newMachine() *machine { return &machine{time: time.Now()} }

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.time
}

func (m *machine) stop(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.time = m.time.Add(d)
}

// A stall lasts from the first call after the gap until NATS has answered a ping.
func TestStalled(t *testing.T) {
	s := natstest.Start(t)
	m := newMachine()
	w := stall.New(m.now, []*nats.Conn{s.NC}, zerolog.Nop(), nil)
	m.stop(stall.Limit / 2)
	if w.Stalled() {
		t.Error("a short gap is a stall")
	}
	then := m.now()
	m.stop(time.Minute)
	if !w.Stalled() || !w.Since(then) {
		t.Error("a gap of a minute is no stall")
	}
	if w.Since(m.now()) {
		t.Error("a request that came after the gap came before it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun := time.Now()
	over := make(chan error, 1)
	go func() { over <- w.Run(ctx) }()
	<-w.Ended()
	for w.Stalled() {
		time.Sleep(time.Millisecond)
	}
	if took := time.Since(begun); took < stall.Settle {
		t.Errorf("it was over after %v", took)
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
	m.stop(time.Minute)
	if !w.Stalled() {
		t.Error("the second gap is no stall")
	}
}

// While NATS does not answer, messages may still be in flight.
func TestStalledWithoutNATS(t *testing.T) {
	s := natstest.Start(t)
	nc := s.Connect(t)
	m := newMachine()
	w := stall.New(m.now, []*nats.Conn{nc}, zerolog.Nop(), nil)
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	m.stop(time.Minute)
	go func() { _ = w.Run(t.Context()) }()
	<-w.Ended()
	for {
		stalled := w.Stalled()
		if nc.IsConnected() {
			return
		}
		if !stalled {
			t.Fatal("it is over before NATS is there")
		}
	}
}

func TestNil(t *testing.T) {
	var w *stall.Watch
	if w.Stalled() || w.Since(time.Time{}) {
		t.Error("a watch that is nil is stalled")
	}
}
