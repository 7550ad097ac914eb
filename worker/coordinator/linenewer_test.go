package coordinator

import (
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// A line that holds a call in a newer format may be busy or not. It is not claimed, and its claim is not taken over at any age.
func TestLinesWithACallInANewerFormat(t *testing.T) {
	s := natstest.Start(t)
	lines := newLineClaims(s.NC, s.JS, store.NewCalls(s.NC, zerolog.Nop(), nil))
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketLines)
	if err != nil {
		t.Fatal(err)
	}
	x := claimOf("c1", "ann", "bob")
	w, ok := call.Decide(events.Transition{}, x.cmd, x.in).(call.Write)
	if !ok {
		t.Fatal("the invitation writes nothing")
	}
	w.Transition.Format = events.NewestFormat + 1
	body, err := w.Transition.Encode(w.At)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := s.JS.Publish(t.Context(), events.TransitionSubject("demo", "c1"), body)
	if err != nil {
		t.Fatal(err)
	}
	for seq, callID := range map[int]string{0: "c2", 1: "c1", 5: "c1"} { // in flight for another call; ahead of the command's own call
		line, err := events.Encode([]events.Entry{{CallID: "c1", Seq: seq, At: events.TimeOf(time.Now().Add(-time.Hour))}})
		if err != nil {
			t.Fatal(err)
		}
		revision, err := kv.Put(t.Context(), events.LineKey("demo", "bob"), line)
		if err != nil {
			t.Fatal(err)
		}
		y := claimOf(callID, "bob", "eve")
		y.users = []string{"bob"}
		_, err = lines.claim(t.Context(), y)
		if newer, ok := errors.AsType[*events.NewerFormatError](err); !ok || newer.Format != events.NewestFormat+1 {
			t.Errorf("entry with sequence %d: %v, want that the format can't be read", seq, err)
		}
		if e, err := kv.Get(t.Context(), events.LineKey("demo", "bob")); err != nil || e.Revision() != revision {
			t.Errorf("entry with sequence %d: the line was written: %s, %v", seq, e.Value(), err)
		}
	}
	st, err := s.JS.Stream(t.Context(), streams.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	if last := st.CachedInfo().State.LastSeq; last != stored.Sequence {
		t.Errorf("%d transitions were written", last-stored.Sequence)
	}
}
