package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

const app, id = "demo", "c1"

func start(t *testing.T) (*natstest.Server, *store.Calls) {
	t.Helper()
	s := natstest.Start(t)
	return s, store.NewCalls(s.NC, zerolog.Nop(), nil)
}

// next returns a transition that follows last: ann's invitation, or a ring or decline of bob.
func next(t *testing.T, last events.Transition, verb events.Verb, commandID string) call.Write {
	t.Helper()
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: id, Verb: verb}, CommandID: commandID, UserID: "bob",
	}
	if verb == events.VerbInvite {
		cmd.UserID, cmd.Callees = "ann", []events.Party{{UserID: "bob"}}
	}
	now := time.Now()
	w, ok := call.Decide(last, cmd, call.Input{At: now, Now: now, Limits: call.DefaultLimits()}).(call.Write)
	if !ok {
		t.Fatalf("%s writes nothing", verb)
	}
	return w
}

func commit(t *testing.T, calls *store.Calls, base store.Loaded, w call.Write) store.Loaded {
	t.Helper()
	after, err := calls.Commit(t.Context(), base, w.Transition, w.At)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestCommitAndLoad(t *testing.T) {
	s, calls := start(t)
	natstest.Watch(t, s, natstest.Transition, natstest.Logged)
	none, err := calls.Load(t.Context(), app, id)
	if err != nil || none.Seq != 0 {
		t.Fatalf("a call that does not exist: %+v, %v", none, err)
	}
	invited := commit(t, calls, none, next(t, none.Transition, events.VerbInvite, "k1"))
	ringing := commit(t, calls, invited, next(t, invited.Transition, events.VerbRing, "k2"))
	for name, read := range map[string]func() (store.Loaded, error){
		"load": func() (store.Loaded, error) { return calls.Load(t.Context(), app, id) },
		"lead": func() (store.Loaded, error) { return calls.LoadFromLeader(t.Context(), app, id) },
	} {
		got, err := read()
		if err != nil || got.Seq != 2 || got.Call.Callees[0].State != events.StateRinging || got.CommandID != "k2" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	first, err := calls.Transition(t.Context(), app, id, 1)
	if err != nil || first.Event != events.EventInvited {
		t.Errorf("transition 1: %+v, %v", first, err)
	}
	made, err := calls.MadeBy(t.Context(), id, ring("k2"))
	if err != nil || made.Seq != 2 {
		t.Errorf("made by k2: %+v, %v", made, err)
	}
	if _, err := calls.Transition(t.Context(), app, id, 3); !errors.Is(err, store.ErrNoTransition) {
		t.Errorf("transition 3: %v", err)
	}
	if _, err := calls.MadeBy(t.Context(), "other", ring("k2")); !errors.Is(err, store.ErrNoTransition) {
		t.Errorf("in another call: %v", err)
	}
	other := ring("k2")
	other.UserID = "eve"
	if _, err := calls.MadeBy(t.Context(), id, other); !errors.Is(err, store.ErrNoTransition) {
		t.Errorf("made by another's k2: %v", err)
	}
	commit(t, calls, ringing, next(t, ringing.Transition, events.VerbDecline, "k3"))
}

func ring(commandID string) events.Command {
	return events.Command{
		CommandAddress: events.CommandAddress{App: app, Verb: events.VerbRing}, CommandID: commandID, UserID: "bob",
	}
}

// Of two commits on the same version of a call, one wins. A commit that is repeated after a lost ack gets the same conflict,
// and the leader has its transition.
func TestConflict(t *testing.T) {
	_, calls := start(t)
	invited := commit(t, calls, store.Loaded{}, next(t, events.Transition{}, events.VerbInvite, "k1"))
	ring, decline := next(t, invited.Transition, events.VerbRing, "k2"), next(t, invited.Transition, events.VerbDecline, "k3")
	commit(t, calls, invited, ring)
	for _, again := range []call.Write{decline, ring} {
		if _, err := calls.Commit(t.Context(), invited, again.Transition, again.At); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", again.Transition.Event, err)
		}
	}
	now, err := calls.LoadFromLeader(t.Context(), app, id)
	if err != nil || now.CommandID != "k2" || now.Seq != 2 {
		t.Errorf("the leader has %+v, %v", now, err)
	}
	if _, err := calls.Commit(t.Context(), store.Loaded{}, ring.Transition, ring.At); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second first transition: %v", err)
	}
}

// A message on a call's subject that is not a transition of the call is skipped, and the next commit follows it.
func TestMalformedMessageOnASubject(t *testing.T) {
	s, calls := start(t)
	storeMalformed := func(data []byte) {
		t.Helper()
		if _, err := s.JS.Publish(t.Context(), events.TransitionSubject(app, id), data); err != nil {
			t.Fatal(err)
		}
	}
	other := next(t, events.Transition{}, events.VerbInvite, "k9").Transition
	other.Call.App = "another"
	forged, err := other.Encode(other.Call.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	storeMalformed([]byte("garbage"))
	none, err := calls.Load(t.Context(), app, id)
	if err != nil || none.Seq != 0 {
		t.Fatalf("garbage alone: %+v, %v", none, err)
	}
	invited := commit(t, calls, none, next(t, none.Transition, events.VerbInvite, "k1"))
	storeMalformed(forged)
	storeMalformed(nil)
	if _, err := calls.Commit(t.Context(), invited, next(t, invited.Transition, events.VerbRing, "k2").Transition, 1); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a commit after malformed messages that it has not read: %v", err)
	}
	again, err := calls.Load(t.Context(), app, id)
	if err != nil || again.Seq != 1 {
		t.Fatalf("after malformed messages: %+v, %v", again, err)
	}
	commit(t, calls, again, next(t, again.Transition, events.VerbRing, "k2"))
}

// A refusal by the server for another reason than the sequence is not a conflict.
func TestBrokerRefusesTheCommit(t *testing.T) {
	s, calls := start(t)
	st, err := s.JS.Stream(t.Context(), streams.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	cfg := st.CachedInfo().Config
	cfg.MaxMsgSize = 10
	if _, err := s.JS.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	w := next(t, events.Transition{}, events.VerbInvite, "k1")
	_, err = calls.Commit(t.Context(), store.Loaded{}, w.Transition, w.At)
	var api *jetstream.APIError
	if errors.Is(err, store.ErrConflict) || !errors.As(err, &api) {
		t.Errorf("%v, want the broker's own error", err)
	}
}

// Transitions have no Nats-Msg-Id: with replicas, the server acks a repeated id before it compares the expected sequence.
func TestHeadersOfATransition(t *testing.T) {
	s, calls := start(t)
	commit(t, calls, store.Loaded{}, next(t, events.Transition{}, events.VerbInvite, "k1"))
	st, err := s.JS.Stream(t.Context(), streams.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	m, err := st.GetLastMsgForSubject(t.Context(), "ringline.demo.call.c1")
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get(nats.MsgIdHdr) != "" || m.Header.Get("Ringline-Event") != "invited" ||
		m.Header.Get("Content-Type") != "application/cloudevents+json" || m.Header.Get(jetstream.ExpectedLastSubjSeqHeader) != "0" {
		t.Errorf("headers %v", m.Header)
	}
}
