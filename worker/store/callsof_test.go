package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// A snapshot holds the calls that the user is in. The entry of a call that they left may stay on their line for a while. It is
// dead, and readers ignore it.
func TestCallsOfOmitsCallsThatTheUserLeft(t *testing.T) {
	s := natstest.Start(t)
	calls := store.NewCalls(s.NC, zerolog.Nop(), nil)
	lines := store.NewLines(s.NC, s.JS, calls, zerolog.Nop(), nil)
	in := call.Input{At: time.Now(), Now: time.Now(), Limits: call.DefaultLimits()}
	invite := events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: "c1", Verb: events.VerbInvite}, CommandID: "k", UserID: "ann",
		Callees: []events.Party{{UserID: "bob"}, {UserID: "eve"}},
	}
	invited, ok := call.Decide(events.Transition{}, invite, in).(call.Write)
	if !ok {
		t.Fatal("the invitation writes nothing")
	}
	now := commit(t, calls, store.Loaded{}, invited)
	for i, c := range []struct {
		verb events.Verb
		user string
	}{{events.VerbAccept, "bob"}, {events.VerbAccept, "eve"}, {events.VerbLeave, "bob"}} {
		cmd := events.Command{
			CommandAddress: events.CommandAddress{App: app, CallID: "c1", Verb: c.verb}, CommandID: fmt.Sprint("k", i), UserID: c.user,
		}
		w, ok := call.Decide(now.Transition, cmd, in).(call.Write)
		if !ok {
			t.Fatalf("%s of %s writes nothing", c.verb, c.user)
		}
		now = commit(t, calls, now, w)
	}
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketLines)
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string][]string{"bob": nil, "eve": {"c1"}} {
		if _, err := kv.PutString(t.Context(), app+"."+user, `[{"call_id":"c1","seq":0,"at":"2026-11-24T10:00:00.000Z"}]`); err != nil {
			t.Fatal(err)
		}
		list, err := lines.CallsOf(t.Context(), app, user)
		var ids []string
		for _, c := range list {
			ids = append(ids, c.CallID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("the calls of %s: %v, %v; want %v", user, ids, err, want)
		}
	}
}
