package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// startShared starts a Runner that takes the share from the call id: call "a-1" belongs to share "a".
func startShared(t *testing.T, s *natstest.Server, parallel int, handle func(context.Context, worker.Msg) worker.Exit) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	r := worker.Runner{
		JS: s.JS, Log: zerolog.Nop(), Stream: streams.StreamCommands, Consumer: streams.ConsumerCoordinators, Parallel: parallel,
		Key: func(subject string) string { return subject }, Share: shareOf, Handle: handle, Drain: time.Second,
	}
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func shareOf(subject string) string {
	share, _, _ := strings.Cut(strings.Split(subject, ".")[3], "-")
	return share
}

// A share with many slow messages leaves hands to the others, which don't wait for it.
func TestSharesTakeTurns(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	var of sync.Map // messages done, by share
	count := func(share string) *atomic.Int32 {
		n, _ := of.LoadOrStore(share, &atomic.Int32{})
		return n.(*atomic.Int32)
	}
	gate := make(chan struct{})
	begun := make(chan struct{}, 100)
	publish(t, s, "quiet-0", "x")
	for n := range 40 {
		publish(t, s, fmt.Sprintf("busy-%d", n), "x")
	}
	startShared(t, s, 8, func(ctx context.Context, m worker.Msg) worker.Exit {
		if shareOf(m.Subject()) == "busy" {
			begun <- struct{}{}
			select {
			case <-gate:
			case <-ctx.Done():
			}
		}
		count(shareOf(m.Subject())).Add(1)
		return worker.Ack()
	})
	for range 7 {
		<-begun
	}
	for n := 1; n <= 3; n++ { // while the busy share uses all hands that it may use
		eventually(t, "the quiet share is served", func() bool { return count("quiet").Load() == int32(n) })
		publish(t, s, fmt.Sprintf("quiet-%d", n), "x")
	}
	if len(begun) != 0 {
		t.Errorf("the busy share has %d handlers, more than 7 of 8", len(begun))
	}
	close(gate)
	eventually(t, "all is done", func() bool { return count("busy").Load() == 40 && count("quiet").Load() == 4 })
}

// While other shares are present, the messages of a share above 3/4 of the held messages are crowded. They are handled at once,
// even if all hands are busy.
func TestCrowdedShare(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	const held, most = 16, 12 // per hand
	gate := make(chan struct{})
	open := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(open)
	var crowded, served atomic.Int32
	publish(t, s, "quiet-0", "x")
	for n := range held + 10 {
		publish(t, s, fmt.Sprintf("busy-%d", n), "x")
	}
	startShared(t, s, 2, func(ctx context.Context, m worker.Msg) worker.Exit {
		switch {
		case m.Crowded() && worker.Delivered(m) == 1:
			crowded.Add(1)
		case m.Crowded():
			return worker.Nak(time.Hour, meter.Crowded)
		case shareOf(m.Subject()) == "busy":
			select {
			case <-gate:
			case <-ctx.Done():
				return worker.Nak(0, meter.WorkerEnds)
			}
		}
		served.Add(1)
		return worker.Ack()
	})
	eventually(t, "excess messages are refused", func() bool { return crowded.Load() == held+10-2*most })
	open()
	eventually(t, "the others are done in their order", func() bool { return served.Load() == held+10+1 })
}

// A share that is alone uses all hands and is never crowded.
func TestOneShareUsesAllWorkers(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	gate := make(chan struct{})
	var begun, crowded atomic.Int32
	for n := range 100 {
		publish(t, s, fmt.Sprintf("busy-%d", n), "x")
	}
	startShared(t, s, 8, func(ctx context.Context, m worker.Msg) worker.Exit {
		if m.Crowded() {
			crowded.Add(1)
		}
		begun.Add(1)
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return worker.Ack()
	})
	eventually(t, "all handlers are at work", func() bool { return begun.Load() == 8 })
	close(gate)
	eventually(t, "all is done", func() bool { return begun.Load() == 100 })
	if crowded.Load() != 0 {
		t.Errorf("%d messages were crowded", crowded.Load())
	}
}
