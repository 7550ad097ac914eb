package quota_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/quota"
)

// Coordinators know each other soon after they start. They notice soon that another one has stopped or was killed.
func TestPeers(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	const every = 20 * time.Millisecond
	join := func(nc *nats.Conn) (p *quota.Peers, stop func()) {
		t.Helper()
		p, err := quota.Join(nc, every)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		stop = func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		return p, stop
	}
	count := func(p *quota.Peers, want int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); p.Count() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d coordinators, want %d", p.Count(), want)
			}
		}
	}
	one, stopOne := join(s.Connect(t))
	defer stopOne()
	if one.Count() != 1 {
		t.Errorf("alone it counts %d", one.Count())
	}
	two, stopTwo := join(s.Connect(t))
	killed := s.Connect(t)
	three, stopThree := join(killed)
	for _, p := range []*quota.Peers{one, two, three} {
		count(p, 3)
	}
	stopTwo()
	count(one, 2)
	count(three, 2)
	killed.Close()
	count(one, 1)
	stopThree()
	if err := s.NC.Publish("ringline.$coordinator.alive", []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	four, stopFour := join(s.Connect(t))
	defer stopFour()
	count(four, 2)
	count(one, 2)
}

// Whatever is published, the number of coordinators in memory is bounded. The silence of a known one counts from its last
// message.
func TestPeersAreBounded(t *testing.T) {
	t.Parallel()
	p, err := quota.Join(natstest.Start(t).Connect(t), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for n := range 2 * quota.MostPeers {
		p.Received(fmt.Sprintf("here %d", n), begun)
	}
	if n := p.Count(); n != 1+quota.MostPeers {
		t.Errorf("%d coordinators, want %d", n, 1+quota.MostPeers)
	}
	p.Received("here 0", begun.Add(3*time.Second))
	p.Received("here other", begun.Add(3*time.Second))
	p.Forget(begun.Add(4 * time.Second))
	if n := p.Count(); n != 2 {
		t.Errorf("%d coordinators are left, want this one and the one that reported again", n)
	}
}
