package events_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// The closed sets, written by hand from the protocol contract, in any order. Each verb, event and kind of notification has
// a schema: TestEveryMessageHasASchema in package schemas finds a missing one.
func TestClosedSets(t *testing.T) {
	for _, c := range []struct {
		name, want string
		got        []string
	}{
		{"party states", "in left invited ringing accepted declined busy canceled timed_out", words(events.PartyStates())},
		{"reasons", "declined busy line_busy canceled timed_out left ended lost not_reached", words(events.Reasons())},
		{
			"end reasons", "completed declined busy timed_out canceled expired server_ended caller_busy merged failed",
			words(events.EndReasons()),
		},
		{
			"codes", "invalid_argument not_found already_exists permission_denied caller_busy call_ended answered_elsewhere " +
				"not_pending rate_limited exhausted unavailable internal",
			words(events.Codes()),
		},
	} {
		want := map[string]bool{}
		for w := range strings.FieldsSeq(c.want) {
			want[w] = true
		}
		for _, w := range c.got {
			if !want[w] {
				t.Errorf("%s: %q is a duplicate or unknown", c.name, w)
			}
			delete(want, w)
		}
		if len(want) > 0 {
			t.Errorf("%s: missing %v", c.name, want)
		}
	}
}

func words[T any](set []T) []string {
	out := make([]string, len(set))
	for i, w := range set {
		out[i] = fmt.Sprint(w)
	}
	return out
}

func TestKnownVerbs(t *testing.T) {
	for _, v := range events.Verbs() {
		if !v.Known() {
			t.Errorf("%s is not known", v)
		}
	}
	for _, v := range []events.Verb{"", "Ring", "ring ", "get", "line", "list", "ringing"} {
		if v.Known() {
			t.Errorf("%q is known", v)
		}
	}
}

func TestError(t *testing.T) {
	err := events.Errorf(events.CodeNotPending, "attempt: %d is over, %d rings", 1, 2)
	if got, want := err.Error(), "not_pending: attempt: 1 is over, 2 rings"; got != want {
		t.Errorf("Error = %s, want %s", got, want)
	}
	body, e := events.Encode(events.Refusal("k1", err))
	if want := `{"command_id":"k1","ok":false,"error":{"code":"not_pending","message":"attempt: 1 is over, 2 rings"}}`; e != nil || string(body) != want {
		t.Errorf("the refusal is %s, %v, want %s", body, e, want)
	}
	body, e = events.Encode(events.Refusal("", err))
	if e != nil || strings.Contains(string(body), "command_id") {
		t.Errorf("the refusal of an unknown body is %s, %v, want no command_id", body, e)
	}
	wrapped := fmt.Errorf("read: %w", err)
	if got := events.Message(wrapped); got != "attempt: 1 is over, 2 rings" {
		t.Errorf("the message is %q", got)
	}
	if got := events.Refusal("k1", wrapped); got.Error.Code != events.CodeNotPending {
		t.Errorf("the refusal of a wrapped error is %v", got.Error)
	}
}

// An error that is not for clients does not reach them.
func TestRefusalOfAnyError(t *testing.T) {
	err := errors.New("the secret is 42")
	if got := events.Refusal("k1", err); got.OK || got.Error.Code != events.CodeInternal || got.Error.Message != "internal error" {
		t.Errorf("the refusal is %+v with %v", got, got.Error)
	}
	if got := events.Message(err); got != err.Error() {
		t.Errorf("the message is %q", got)
	}
}
