package session

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"ringline.io/ringline/events"
)

// sink is a peer that records its messages.
type sink struct{ sent []string }

func (s *sink) Send(data []byte) error {
	if s.sent = append(s.sent, string(data)); string(data) == "fail" {
		return errors.New("gone")
	}
	return nil
}

func (*sink) Close(Code) {}

// seen maps the calls in a snapshot to their seq. A negative number means that the call has ended. From left on, ann
// has left the call.
type seen map[string]int

const left = 100

func ofAnn() *session { return &session{by: events.Sender{UserID: "ann"}} }

func (s seen) snapshot() (snapshot events.Snapshot) {
	for id, seq := range s {
		c := events.Call{CallID: id, Seq: max(seq, -seq), State: events.CallStateRinging, Caller: events.Caller{UserID: "ann", State: events.StateIn}}
		switch {
		case seq >= left:
			c.Caller.State = events.StateLeft
		case seq < 0:
			c.State = events.CallStateEnded
		}
		snapshot.Calls = append(snapshot.Calls, events.SnapshotCall{Call: c})
	}
	return snapshot
}

func TestIsNews(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		shown    seen
		snapshot seen
		showing  []string
		want     bool
	}{
		{"nothing at all", nil, nil, nil, false},
		{"the last push", seen{"c": 2}, seen{"c": 2}, []string{"c"}, false},
		{"older than the last push", seen{"c": 3}, seen{"c": 2}, []string{"c"}, false},
		{"newer", seen{"c": 2}, seen{"c": 3}, []string{"c"}, true},
		{"ended", seen{"c": 2}, seen{"c": -3}, []string{"c"}, true},
		{"a call that it knows nothing of", nil, seen{"c": 1}, nil, true},
		{"an unknown call that has ended", nil, seen{"c": -1}, nil, false},
		{"one that it knows nothing of, and the user has left", nil, seen{"c": left}, nil, false},
		{"left", seen{"c": 2}, seen{"c": left}, []string{"c"}, true},
		{"one that it shows is gone", seen{"c": 2}, nil, []string{"c"}, true},
		{"one that it showed ended while the snapshot was read", nil, nil, []string{"c"}, false},
		{"one that began while the snapshot was read", seen{"c": 1}, nil, nil, false},
		{"one of two is newer", seen{"c": 2, "d": 1}, seen{"c": 2, "d": 2}, []string{"c", "d"}, true},
	} {
		s := ofAnn()
		s.shown = test.shown
		if got := s.isNews(test.snapshot.snapshot(), test.showing); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// What arrives before the start is sent at the start, in order. Later pushes are sent at once. If more arrives than can
// be held, the session needs a snapshot.
func TestDeliver(t *testing.T) {
	t.Parallel()
	s, p := &session{}, &sink{}
	for seq, data := range []string{"a", "b"} {
		s.deliver(push{data: []byte(data), callID: "c", seq: seq + 1}, 2)
	}
	if whole, _ := s.start(p, time.Now()); !whole || !slices.Equal(p.sent, []string{"a", "b"}) {
		t.Errorf("sent %q, whole: %v", p.sent, whole)
	}
	s.deliver(push{data: []byte("c"), callID: "d", seq: 1}, 0)
	s.deliver(push{data: []byte("d"), callID: "c", seq: 3, over: true}, 0)
	if !slices.Equal(p.sent, []string{"a", "b", "c", "d"}) || !slices.Equal(s.showing(), []string{"d"}) {
		t.Errorf("sent %q, shows %v", p.sent, s.showing())
	}
	if s.deliver(push{data: []byte("without the call")}, 0); len(p.sent) != 5 || !slices.Equal(s.showing(), []string{"d"}) {
		t.Errorf("sent %q, shows %v", p.sent, s.showing())
	}
	if !s.end() || s.end() {
		t.Error("it ends once")
	}
	if s.deliver(push{data: []byte("e")}, 2); len(p.sent) != 5 || len(s.showing()) != 0 {
		t.Errorf("sent %q, shows %v", p.sent, s.showing())
	}
	full := &session{}
	for range 3 {
		full.deliver(push{data: []byte("a")}, 2)
	}
	if whole, _ := full.start(&sink{}, time.Now()); whole {
		t.Error("what there was no room for is not missed")
	}
	gone := &session{}
	gone.end()
	if whole, _ := gone.start(&sink{}, time.Now()); !whole || gone.peer != nil {
		t.Error("a session that has ended starts")
	}
	if replaced := (&session{}); !replaced.close(Replaced) || replaced.close(Shutdown) {
		t.Error("it is closed once")
	} else if _, asked := replaced.start(&sink{}, time.Now()); asked != Replaced || replaced.peer != nil {
		t.Errorf("a session that was closed before its start starts, and closes with %d", asked)
	}
}

// A renewed snapshot is sent if it has news, and then counts as what the client knows.
func TestRenew(t *testing.T) {
	t.Parallel()
	s, p := ofAnn(), &sink{}
	s.recordSnapshot(seen{"c": 1, "d": 1, "over": -1, "left": left}.snapshot())
	s.start(p, time.Now())
	if err := s.renew(seen{"c": 1, "d": 1}.snapshot(), s.showing()); err != nil || len(p.sent) != 0 {
		t.Fatalf("no news, and sent: %q, %v", p.sent, err)
	}
	if err := s.renew(seen{"c": -2}.snapshot(), s.showing()); err != nil || len(p.sent) != 1 {
		t.Fatalf("sent %q, %v", p.sent, err)
	}
	var got events.SnapshotPush
	if err := json.Unmarshal([]byte(p.sent[0]), &got); err != nil || got.Event != events.PushSnapshot ||
		!slices.Equal(got.Snapshot.Showing, []string{"c", "d"}) || len(got.Snapshot.Calls) != 1 {
		t.Errorf("sent %s, %v", p.sent[0], err)
	}
	if left := s.showing(); len(left) != 0 {
		t.Errorf("it shows %v", left)
	}
	s.end()
	if err := s.renew(seen{"e": 1}.snapshot(), nil); err != nil || len(p.sent) != 1 {
		t.Errorf("sent to who has gone: %q, %v", p.sent, err)
	}
}

// A session's first snapshot may have been read before the loss, so the session gets another one after its start.
func TestRenewBeforeStart(t *testing.T) {
	t.Parallel()
	s := &session{}
	if err := s.renew(seen{"c": 1}.snapshot(), nil); err != nil {
		t.Fatal(err)
	}
	if whole, _ := s.start(&sink{}, time.Now()); whole {
		t.Error("it starts as if nothing were missing")
	}
}
