package storage_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/storage"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

const (
	within = time.Minute
	mib    = 1 << 20
)

// world is a coordinator and a timeouts worker on a server with small streams.
type world struct {
	*testing.T
	js    jetstream.JetStream
	asker *ask.Asker
	calls *store.Calls
}

func newWorld(t *testing.T, change func(*streams.Sizes)) *world {
	t.Helper()
	t.Parallel()
	s := natstest.Start(t)
	small := streams.DefaultSettings()
	change(&small.MaxBytes)
	if err := streams.Setup(t.Context(), s.JS, small); err != nil {
		t.Fatal(err)
	}
	asker, err := ask.New(s.NC, s.JS, within, nil)
	if err != nil {
		t.Fatal(err)
	}
	nc := s.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	watch := storage.New(js, zerolog.Nop(), nil)
	limits := func(context.Context, string) (call.Limits, error) { return call.DefaultLimits(), nil }
	run(t, watch.Run)
	run(t, coordinator.New(nc, js, zerolog.Nop(), coordinator.Config{
		Parallel: 64, Limits: limits, Admit: []coordinator.Admission{watch.Admit},
	}).Run)
	run(t, timeouts.New(js, nil, zerolog.Nop(), timeouts.DefaultSweep(), nil).Run)
	return &world{T: t, js: s.JS, asker: asker, calls: store.NewCalls(s.NC, zerolog.Nop(), nil)}
}

func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

func (w *world) ask(callID string, verb events.Verb, by string, more events.Command) events.Answer {
	more.CommandAddress = events.CommandAddress{App: "demo", CallID: callID, Verb: verb}
	more.CommandID, more.UserID = callID+"-"+string(verb), callID+"-"+by
	return w.asker.Ask(w.Context(), more)
}

// invite publishes an invitation of one callee. Each call has its own callee.
func (w *world) invite(callID string, ringS int, customData string) events.Answer {
	return w.ask(callID, events.VerbInvite, "ann", events.Command{
		Callees: []events.Party{{UserID: callID + "-bob"}}, RingTimeoutS: ringS, CustomData: customData,
	})
}

func (w *world) ok(a events.Answer) {
	w.Helper()
	if !a.OK {
		w.Fatalf("%+v", a.Error)
	}
}

// flood publishes invitations until one is refused as exhausted, or enough calls exist. It lists the calls.
func (w *world) flood(enough int, customData string) (calls []string, refused *events.Error) {
	w.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range enough / 16 {
				callID := fmt.Sprintf("f-%d-%d", i, n)
				a := w.invite(callID, 600, customData)
				mu.Lock()
				switch {
				case a.OK:
					calls = append(calls, callID)
				case refused == nil:
					refused = a.Error
				}
				over := refused != nil
				mu.Unlock()
				if over {
					return
				}
			}
		})
	}
	wg.Wait()
	return calls, refused
}

func (w *world) state(name string) jetstream.StreamState {
	w.Helper()
	st, err := w.js.Stream(w.Context(), streams.StreamOf(name))
	if err != nil {
		w.Fatal(err)
	}
	return st.CachedInfo().State
}

func (w *world) exhausted(e *events.Error) {
	w.Helper()
	if e == nil || e.Code != events.CodeExhausted || !strings.HasPrefix(e.Message, "call storage is ") {
		w.Fatalf("refused with %+v, want exhausted", e)
	}
}

// When the event log reaches its limit, it deletes its oldest messages, and calls continue.
func TestFullEventLogStopsNoCall(t *testing.T) {
	w := newWorld(t, func(s *streams.Sizes) { s.Events = mib })
	calls, refused := w.flood(1600, "")
	if refused != nil {
		t.Fatalf("%+v after %d calls", refused, len(calls))
	}
	// The event log copies with a delay.
	for deadline := time.Now().Add(within); w.state(streams.StreamEvents).FirstSeq == 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log deletes nothing: %+v", w.state(streams.StreamEvents))
		}
	}
	if log := w.state(streams.StreamEvents); log.Bytes > mib {
		t.Errorf("the log: %+v", log)
	}
	w.ok(w.ask(calls[0], events.VerbAccept, "bob", events.Command{}))
}

// Above the mark of RINGLINE_CALLS no new call rings, and every existing call continues.
func TestCallsContinueAboveTheThreshold(t *testing.T) {
	const most = 8 * mib
	w := newWorld(t, func(s *streams.Sizes) { s.Calls = most })
	for _, callID := range []string{"accepted", "declined", "left", "canceled", "ended"} {
		w.ok(w.invite(callID, 600, ""))
	}
	w.ok(w.ask("left", events.VerbAccept, "bob", events.Command{}))
	w.ok(w.invite("late", 4, ""))
	_, refused := w.flood(16_000, strings.Repeat("x", 4000))
	w.exhausted(refused)
	// So far only the stored and the admitted bytes together have reached the mark.
	for i := 0; w.state(streams.StreamCalls).Bytes*100/most < storage.Mark; i++ {
		w.invite(fmt.Sprintf("more-%d", i), 600, strings.Repeat("x", 4000))
	}
	if bytes := w.state(streams.StreamCalls).Bytes; bytes > most*9/10 {
		t.Errorf("refused at %d of %d bytes", bytes, most)
	}
	w.exhausted(w.ask("accepted", events.VerbAdd, "ann", events.Command{Callees: []events.Party{{UserID: "joe"}}}).Error)
	w.exhausted(w.invite("new", 60, "").Error)
	if now, err := w.calls.LoadFromLeader(t.Context(), "demo", "new"); err != nil || now.Seq != 0 {
		t.Errorf("the refused message is at %d, %v", now.Seq, err)
	}
	w.ok(w.ask("accepted", events.VerbAccept, "bob", events.Command{}))
	w.ok(w.ask("declined", events.VerbDecline, "bob", events.Command{}))
	w.ok(w.ask("left", events.VerbLeave, "bob", events.Command{}))
	w.ok(w.ask("canceled", events.VerbCancel, "ann", events.Command{}))
	w.ok(w.ask("ended", events.VerbEnd, "ann", events.Command{}))
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		now, err := w.calls.LoadFromLeader(t.Context(), "demo", "late")
		if err == nil && now.Call.EndReason == events.EndTimedOut {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("late is %s, %v", now.Call.State, err)
		}
	}
}

// RINGLINE_TIMERS can't reject new messages: at its limit it deletes the oldest deadlines. So Admit must keep it below
// the limit.
func TestNoDeadlineIsLostToALimit(t *testing.T) {
	w := newWorld(t, func(s *streams.Sizes) { s.Timers, s.Calls = mib, 8*mib })
	calls, refused := w.flood(16_000, "")
	w.exhausted(refused)
	for _, callID := range calls[:50] { // each has two deadlines for a moment
		w.ok(w.ask(callID, events.VerbAccept, "bob", events.Command{}))
	}
	st, err := w.js.Stream(t.Context(), streams.StreamTimers)
	if err != nil {
		t.Fatal(err)
	}
	for i, callID := range calls {
		seq := 1
		if i < 50 {
			seq = 2
		}
		m, err := st.GetLastMsgForSubject(t.Context(), events.TimerSubject("demo", callID, events.DeadlineID{Seq: seq}))
		if err != nil || m.Header.Get("Nats-Schedule") == "" {
			t.Fatalf("the deadline of call %d of %d is gone: %v", i, len(calls), err)
		}
	}
}
