package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

const newerFormat = events.NewestFormat + 1

// storeAs publishes a transition in this format.
func storeAs(t *testing.T, s *natstest.Server, tr events.Transition, format int) {
	t.Helper()
	tr.Format = format
	body, err := tr.Encode(tr.Call.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.JS.Publish(t.Context(), events.TransitionSubject(tr.Call.App, tr.Call.CallID), body); err != nil {
		t.Fatal(err)
	}
}

// isNewer requires a NewerFormatError, and not ErrNoTransition.
func isNewer(t *testing.T, what string, err error) {
	t.Helper()
	newer, ok := errors.AsType[*events.NewerFormatError](err)
	if !ok || newer.Format != newerFormat || errors.Is(err, store.ErrNoTransition) {
		t.Errorf("%s: %v, want that format %d can't be read", what, err, newerFormat)
	}
}

// A transition in a newer format is never skipped: not as the newest message, not before garbage, and not before a transition
// that can be read.
func TestNewerFormatIsNotIgnored(t *testing.T) {
	s, calls := start(t)
	invited := next(t, events.Transition{}, events.VerbInvite, "k1").Transition
	ringing := next(t, invited, events.VerbRing, "k2").Transition
	declined := next(t, ringing, events.VerbDecline, "k3").Transition
	reads := map[string]func(context.Context) error{
		"load":         func(ctx context.Context) error { _, err := calls.Load(ctx, app, id); return err },
		"lead":         func(ctx context.Context) error { _, err := calls.LoadFromLeader(ctx, app, id); return err },
		"transition 2": func(ctx context.Context) error { _, err := calls.Transition(ctx, app, id, 2); return err },
		"transition 3": func(ctx context.Context) error { _, err := calls.Transition(ctx, app, id, 3); return err },
		"made by k1":   func(ctx context.Context) error { _, err := calls.MadeBy(ctx, id, ring("k1")); return err },
		"made by k2":   func(ctx context.Context) error { _, err := calls.MadeBy(ctx, id, ring("k2")); return err },
	}
	all := func(where string, but ...string) {
		t.Helper()
		for name, read := range reads {
			if !strings.Contains(strings.Join(but, " "), name) {
				isNewer(t, name+", "+where, read(t.Context()))
			}
		}
	}
	storeAs(t, s, invited, 1)
	storeAs(t, s, ringing, newerFormat)
	all("where it is the newest")
	if first, err := calls.Transition(t.Context(), app, id, 1); err != nil || first.Event != events.EventInvited {
		t.Errorf("the one before it: %+v, %v", first, err)
	}
	if _, err := s.JS.Publish(t.Context(), events.TransitionSubject(app, id), []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	all("below garbage")
	storeAs(t, s, declined, 1)
	all("on the way", "load lead")
}

// A call stays in the format in which it began.
func TestCommitKeepsTheFormat(t *testing.T) {
	s, calls := start(t)
	for want, base := range map[string]store.Loaded{
		"io.ringline.call.invited.v2": {}, "io.ringline.call.invited.v1": {Transition: events.Transition{Format: 1}},
		"io.ringline.call.invited.v7": {Transition: events.Transition{Format: 7}},
	} {
		w := next(t, events.Transition{}, events.VerbInvite, "k1")
		w.Transition.Call.CallID = strings.ReplaceAll(want, ".", "-")
		commit(t, calls, base, w)
		st, err := s.JS.Stream(t.Context(), streams.StreamCalls)
		if err != nil {
			t.Fatal(err)
		}
		m, err := st.GetLastMsgForSubject(t.Context(), events.TransitionSubject(app, w.Transition.Call.CallID))
		if err != nil || !strings.Contains(string(m.Data), `"type":"`+want+`"`) {
			t.Errorf("%s, %v, want the type %s", m.Data, err, want)
		}
	}
}

// A list of calls that would have to read a call in a newer format fails.
func TestListsWithACallInANewerFormat(t *testing.T) {
	s, calls := start(t)
	lines := store.NewLines(s.NC, s.JS, calls, zerolog.Nop(), nil)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketLines)
	if err != nil {
		t.Fatal(err)
	}
	storeAs(t, s, next(t, events.Transition{}, events.VerbInvite, "k1").Transition, newerFormat)
	for _, seq := range []int{0, 1, 5} {
		line, err := events.Encode([]events.Entry{{CallID: id, Seq: seq, At: events.TimeOf(time.Now())}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), events.LineKey(app, "bob"), line); err != nil {
			t.Fatal(err)
		}
		_, err = lines.CallsOf(t.Context(), app, "bob")
		isNewer(t, "calls of bob", err)
		_, _, err = lines.OpenCalls(t.Context(), app)
		isNewer(t, "open calls", err)
	}
}
