package worker_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
)

// stalling dials connections whose traffic stops while gate is locked for writing.
type stalling struct{ gate *sync.RWMutex }

type stalled struct {
	net.Conn
	gate *sync.RWMutex
}

func (d stalling) Dial(network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(context.Background(), network, address)
	return stalled{c, d.gate}, err
}

func (c stalled) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.gate.RLock()
	defer c.gate.RUnlock()
	return n, err
}

func (c stalled) Write(b []byte) (int, error) {
	c.gate.RLock()
	defer c.gate.RUnlock()
	return c.Conn.Write(b)
}

// A worker that stalls until another worker receives the message sends no notification. The other worker does. A slow handler
// without a stall sends its notification.
func TestPausedWorkerPublishesNothing(t *testing.T) {
	t.Parallel()
	s, paused := natstest.Start(t), natstest.Pauses(t)
	var gate sync.RWMutex
	nc, err := nats.Connect(s.URL(), nats.Timeout(within), nats.SetCustomDialer(stalling{&gate}), nats.PingInterval(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan string, 10)
	answer := func(who string, m worker.Msg) worker.Exit {
		return worker.AckThen(func() { answered <- who + " " + string(m.Data()) })
	}
	inFlight, goOn := make(chan struct{}, 2), make(chan struct{})
	first := *s
	first.NC, first.JS = nc, js
	stop := start(t, &first, 2, func(_ context.Context, m worker.Msg) worker.Exit {
		inFlight <- struct{}{}
		<-goOn
		return answer("first", m)
	})

	for received := false; !received; { // repeat if the process was paused, because nothing is sent then
		publish(t, s, "c1", "slow")
		<-inFlight
		time.Sleep(4 * time.Second) // longer than the ack wait
		goOn <- struct{}{}
		select {
		case got := <-answered:
			if received = got == "first slow"; !received {
				t.Fatal(got)
			}
		case <-time.After(within):
			if paused() < time.Second {
				t.Fatal("nothing was sent for a message that was in flight for long")
			}
		}
	}

	publish(t, s, "c2", "paused")
	<-inFlight
	gate.Lock()
	start(t, s, 2, func(_ context.Context, m worker.Msg) worker.Exit { return answer("second", m) })
	got := []string{<-answered}
	close(goOn)
	gate.Unlock()
	stop()
	close(answered)
	for who := range answered {
		got = append(got, who)
	}
	if !slices.Equal(got, []string{"second paused"}) {
		t.Errorf("notified by: %q", got)
	}
	if n := left(t, s); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

// A worker that reconnects while it handles a message sends no notification either: a restarted server may redeliver the
// message earlier.
func TestDisconnectedWorkerPublishesNothing(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	nc, err := nats.Connect(s.URL(), nats.Timeout(within), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	first := *s
	first.NC, first.JS = nc, js
	answered, inFlight, goOn := make(chan uint64, 10), make(chan struct{}, 1), make(chan struct{})
	stop := start(t, &first, 2, func(_ context.Context, m worker.Msg) worker.Exit {
		n := worker.Delivered(m)
		if n == 1 {
			inFlight <- struct{}{}
			<-goOn
		}
		return worker.AckThen(func() { answered <- n })
	})
	publish(t, s, "c1", "cut off")
	<-inFlight
	back := nc.StatusChanged(nats.CONNECTED)
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-back
	close(goOn)
	if n := <-answered; n != 2 {
		t.Errorf("answered after delivery %d, want 2", n)
	}
	stop()
	if len(answered) > 0 {
		t.Errorf("answered again after delivery %d", <-answered)
	}
	if n := left(t, s); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}
