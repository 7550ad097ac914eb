package ask_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/streams"
)

func start(t *testing.T, timeout time.Duration) (*natstest.Server, *ask.Asker) {
	t.Helper()
	s := natstest.Start(t)
	a, err := ask.New(s.NC, s.JS, timeout, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, a
}

func ring(commandID string) events.Command {
	return events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: events.VerbRing}, CommandID: commandID, UserID: "bob",
	}
}

// Each of many concurrent callers gets its own answer, although the answers arrive in another order, and twice.
func TestEachSenderGetsItsAnswer(t *testing.T) {
	s, a := start(t, time.Minute)
	const many = 100
	var mu sync.Mutex
	var waiting []*nats.Msg
	_, err := s.NC.Subscribe("ringline.demo.cmd.c1.ring", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		if waiting = append(waiting, m); len(waiting) < many {
			return
		}
		for i := range waiting {
			m := waiting[many-1-i]
			cmd, bad := events.ReadCommand(events.CommandAddress{App: "demo", CallID: "c1", Verb: events.VerbRing}, m.Data)
			if bad != nil {
				t.Error(bad)
			}
			body, err := events.Encode(events.Refusal(cmd.CommandID, events.Errorf(events.CodeNotFound, "of %s", cmd.CommandID)))
			if err != nil {
				t.Error(err)
			}
			for range 2 {
				if err := s.NC.Publish(events.AnswerSubject("demo", m.Header.Get("Ringline-Answer")), body); err != nil {
					t.Error(err)
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range many {
		id := "k" + strings.Repeat("x", n%7) + string(rune('a'+n%26)) + strings.Repeat("y", n/26)
		wg.Go(func() {
			got := a.Ask(t.Context(), ring(id))
			if got.OK || got.CommandID != id || got.Error == nil || got.Error.Message != "of "+id {
				t.Errorf("%s is answered %+v", id, got)
			}
		})
	}
	wg.Wait()
}

// While the broker stores slowly, only a few commands of an app are in flight. So commands of another app do not queue
// behind all of them. The others are sent when earlier ones are stored, or are considered lost.
func TestAppsDoNotWaitForEachOther(t *testing.T) {
	s, a := start(t, time.Minute)
	const many, atOnce = 40, 16
	if err := s.JS.DeleteStream(t.Context(), streams.StreamCommands); err != nil { // now the test sends the acks
		t.Fatal(err)
	}
	came := make(chan *nats.Msg, 2*many)
	if _, err := s.NC.Subscribe("ringline.*.cmd.>", func(m *nats.Msg) { came <- m }); err != nil {
		t.Fatal(err)
	}
	if err := s.NC.Flush(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	begun := time.Now()
	asks := func(app string) {
		wg.Go(func() {
			cmd := ring("k1")
			cmd.App = app
			if got := a.Ask(t.Context(), cmd); got.Error == nil || got.Error.Code != events.CodeNotFound {
				t.Errorf("answered %+v", got)
			}
		})
	}
	answers := func(m *nats.Msg) {
		body, err := events.Encode(events.Refusal("k1", events.Errorf(events.CodeNotFound, "x")))
		if err == nil {
			err = m.Respond([]byte(`{"stream":"S","seq":1}`))
		}
		if err == nil {
			address, _ := events.ParseCommandSubject(m.Subject)
			err = s.NC.Publish(events.AnswerSubject(address.App, m.Header.Get("Ringline-Answer")), body)
		}
		if err != nil {
			t.Error(err)
		}
	}
	for range many {
		asks("demo")
	}
	var waiting []*nats.Msg
	for range atOnce {
		waiting = append(waiting, <-came)
	}
	asks("other")
	next := <-came
	if took := time.Since(begun); took < time.Second { // later, the commands without an ack count as lost
		if next.Subject != "ringline.other.cmd.c1.ring" {
			t.Errorf("after %v came %s, want the other app's", took, next.Subject)
		}
	}
	answers(next)
	for i := range many - atOnce { // each ack lets one more out; the rest follows when the others count as lost
		if i < atOnce/2 {
			answers(waiting[i])
		}
		answers(<-came)
	}
	for _, m := range waiting[atOnce/2:] {
		answers(m)
	}
}

// A command whose time ends before it is its turn is not sent, and its answer says so.
func TestCommandNotSent(t *testing.T) {
	s, a := start(t, time.Minute)
	ended, end := context.WithCancel(t.Context())
	end()
	got := a.Ask(ended, ring("k1"))
	if got.Error == nil || got.Error.Code != events.CodeUnavailable || !strings.Contains(got.Error.Message, "was not stored and will not be executed") {
		t.Errorf("answered %+v", got)
	}
	st, err := s.JS.Stream(t.Context(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	if n := st.CachedInfo().State.LastSeq; n != 0 {
		t.Errorf("it was stored all the same, as %d", n)
	}
}

// Without an answer the code is unavailable, and the message says whether the command may still be executed.
func TestWithoutAnAnswer(t *testing.T) {
	s, a := start(t, 200*time.Millisecond)
	unavailable := func(what, says string) {
		t.Helper()
		got := a.Ask(t.Context(), ring("k1"))
		if got.OK || got.CommandID != "k1" || got.Error == nil || got.Error.Code != events.CodeUnavailable ||
			!strings.Contains(got.Error.Message, says) {
			t.Errorf("%s: %+v, want one that says %q", what, got, says)
		}
	}
	unavailable("no worker runs", "may still be executed")

	st, err := s.JS.Stream(t.Context(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	cfg := st.CachedInfo().Config
	cfg.MaxMsgs = 1
	if _, err := s.JS.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	unavailable("the stream is full", "will not be executed")

	if err := s.JS.DeleteStream(t.Context(), streams.StreamCommands); err != nil {
		t.Fatal(err)
	}
	unavailable("there is no stream", "not have been stored")
}

func TestMalformedAnswer(t *testing.T) {
	s, a := start(t, time.Minute)
	_, err := s.NC.Subscribe("ringline.demo.cmd.c1.ring", func(m *nats.Msg) {
		_ = s.NC.Publish(events.AnswerSubject("demo", m.Header.Get("Ringline-Answer")), []byte("garbage"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Ask(t.Context(), ring("k1")); got.OK || got.Error == nil || got.Error.Code != events.CodeInternal {
		t.Errorf("%+v", got)
	}
}
