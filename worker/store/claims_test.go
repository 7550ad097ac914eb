package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/natstest"
	"ringline.io/ringline/worker/store"
)

// An invitation found a line full and claimed lines behind it. When it is handled again, it does not wait for the full line:
// the command that has claimed that line meanwhile may be waiting for the other lines.
func TestNoDeadlockOfClaims(t *testing.T) {
	s := natstest.Start(t)
	calls := store.NewCalls(s.NC, zerolog.Nop(), nil)
	lines := store.NewLines(s.NC, s.JS, calls, zerolog.Nop(), nil)
	claim := func(callID, caller string, callees ...string) (call.Claimed, error) {
		t.Helper()
		return lines.Claim(t.Context(), claimOf(callID, caller, callees...))
	}
	free := func(got call.Claimed, err error) {
		t.Helper()
		if err != nil || got.CallerBusy || len(got.Busy) > 0 || got.Glare != nil {
			t.Fatalf("claimed: %+v, %v", got, err)
		}
	}
	busy := func(got call.Claimed, err error) {
		t.Helper()
		if err != nil || !slices.Equal(got.Busy, []string{"u5"}) {
			t.Fatalf("claimed: %+v, %v", got, err)
		}
	}

	free(claim("first", "u1", "u5"))
	base := commitOf(t, calls, claimOf("first", "u1", "u5"))
	busy(claim("x", "u8", "u5")) // x now holds u8
	ended := call.Decide(base.Transition, cancelOf("first", "u1"), now()).(call.Write)
	if _, err := calls.Commit(t.Context(), base, ended.Transition, ended.At); err != nil {
		t.Fatal(err)
	}
	if _, err := claim("y", "u5", "u8"); !errors.Is(err, store.ErrInFlight) { // y now holds u5, and waits for u8
		t.Fatalf("y: %v", err)
	}
	busy(claim("x", "u8", "u5"))
	other := claimOf("x", "u8", "u5")
	other.Command.CommandID = "another" // this command never found the line full
	if _, err := lines.Claim(t.Context(), other); !errors.Is(err, store.ErrInFlight) {
		t.Fatalf("another command of that call: %v", err)
	}
	if _, err := claim("z", "u3", "u5"); !errors.Is(err, store.ErrInFlight) {
		t.Fatalf("who holds nothing behind it waits for the line: %v", err)
	}
}

func now() call.Input {
	return call.Input{At: time.Now(), Now: time.Now(), Limits: call.DefaultLimits()}
}

func claimOf(callID, caller string, callees ...string) store.Claim {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: callID, Verb: events.VerbInvite},
		CommandID:      "k-" + callID, UserID: caller,
	}
	for _, u := range callees {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: u})
	}
	return store.Claim{Command: cmd, Users: append(callees, caller), In: now(), Claimed: func() {}}
}

func cancelOf(callID, caller string) events.Command {
	return events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: callID, Verb: events.VerbCancel}, CommandID: "c-" + callID, UserID: caller,
	}
}

// commitOf writes the invitation.
func commitOf(t *testing.T, calls *store.Calls, c store.Claim) store.Loaded {
	t.Helper()
	w, ok := call.Decide(c.Base, c.Command, c.In).(call.Write)
	if !ok {
		t.Fatal("the invitation writes nothing")
	}
	return commit(t, calls, store.Loaded{}, w)
}
