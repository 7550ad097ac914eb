package call_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// talk is a call in which users send custom data.
type talk struct {
	t    *testing.T
	last events.Transition
	n    int
}

// data returns custom data of maximum length with this prefix.
func data(begins string) string {
	return begins + strings.Repeat("x", events.MaxCustomData-len(begins))
}

func (k *talk) decide(user string, verb events.Verb, data string, callees ...string) call.Outcome {
	k.n++
	at := time.Date(2026, 11, 24, 10, 0, k.n, 0, time.UTC)
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: verb}, CommandID: fmt.Sprintf("k%d", k.n),
		UserID: user, CustomData: data,
	}
	for _, u := range callees {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: u})
	}
	return call.Decide(k.last, cmd, call.Input{At: at, Now: at, Limits: call.DefaultLimits()})
}

func (k *talk) does(user string, verb events.Verb, data string, callees ...string) events.Transition {
	k.t.Helper()
	format := k.last.Format
	w, ok := k.decide(user, verb, data, callees...).(call.Write)
	if !ok {
		k.t.Fatalf("%s of %s is not executed", verb, user)
	}
	k.last = w.Transition
	k.last.Format = format
	return k.last
}

// holds requires that the call has exactly the entries of these callees, and that each callee refers to their own.
func (k *talk) holds(begins ...string) {
	k.t.Helper()
	got := []string{}
	for _, seq := range slices.Sorted(maps.Keys(k.last.Call.Custom)) {
		user, _, _ := strings.Cut(k.last.Call.Custom[seq], " ")
		got = append(got, user)
		if x := k.last.Call.Callee(user); x == nil || x.CustomSeq != seq {
			k.t.Errorf("entry %d, of %s, is not theirs", seq, user)
		}
	}
	if !slices.Equal(got, begins) {
		k.t.Errorf("the call holds the data of %v, want %v", got, begins)
	}
}

// answered returns a call in which 4 of 7 callees have answered, with the maximum of custom data.
func answered(t *testing.T, format int) *talk {
	t.Helper()
	k := &talk{t: t}
	k.does("ann", events.VerbInvite, "hi", "a", "b", "c", "d", "e", "f", "g")
	k.last.Format = format
	for _, u := range []string{"c", "b", "a", "d"} {
		k.does(u, events.VerbAccept, data(u+" "))
	}
	return k
}

// An answer whose data does not fit is carried out. Only its transition and the notifications have the data, not the call.
func TestAnswerDataOverTheLimit(t *testing.T) {
	for name, verb := range map[string]events.Verb{"accept": events.VerbAccept, "decline": events.VerbDecline} {
		k := answered(t, 0)
		k.holds("c", "b", "a", "d")
		got := k.does("e", verb, "e more")
		k.holds("c", "b", "a", "d")
		if x := got.Call.Callee("e"); x.CustomSeq != 0 || x.Pending() || got.CustomData != "e more" {
			t.Errorf("%s: %+v of %+v", name, x, got)
		}
		if !slices.ContainsFunc(call.Notify(got), func(n events.Notice) bool { return n.To == "ann" && n.CustomData == "e more" }) {
			t.Errorf("%s: the caller does not receive its data", name)
		}
	}
	k := answered(t, 0)
	k.does("ann", events.VerbCancel, data("all "), "e", "f")
	k.holds("c", "b", "a", "d")
	k.does("c", events.VerbLeave, "")
	k.holds("b", "a", "d")
	k.does("ann", events.VerbCancel, data("g "), "g")
	k.holds("b", "a", "d", "g")
}

// A command that concerns several callees has one entry, and all of them refer to it.
func TestDataIsStoredOnce(t *testing.T) {
	k := answered(t, 0)
	got := k.does("ann", events.VerbEnd, data("end "))
	if len(got.Call.Custom) != 1 || len(got.Call.Custom[got.Seq]) != events.MaxCustomData {
		t.Errorf("holds %d entries", len(got.Call.Custom))
	}
	for _, x := range got.Call.Callees {
		if x.CustomSeq != got.Seq {
			t.Errorf("%s refers to %d", x.UserID, x.CustomSeq)
		}
	}
}

// An add makes room for its data: it drops the entries of answers, the oldest first. The entries of pending callees stay.
func TestAddDataOverTheLimit(t *testing.T) {
	k := answered(t, 0)
	k.does("ann", events.VerbAdd, data("h "), "h")
	k.holds("b", "a", "d", "h")
	for _, u := range []string{"i", "j", "k"} {
		k.does("ann", events.VerbAdd, data(u+" "), u)
	}
	k.holds("h", "i", "j", "k")
	refused, ok := k.decide("ann", events.VerbAdd, "l", "l").(call.Refuse)
	if !ok || refused.Err.Code != events.CodeInvalidArgument || !strings.HasPrefix(refused.Err.Message, "custom_data: ") ||
		!strings.Contains(refused.Err.Message, fmt.Sprint(events.MaxCustom)) {
		t.Errorf("got %+v", refused.Err)
	}
	k.does("ann", events.VerbAdd, "", "l")
	k.does("i", events.VerbRing, "")
	k.does("h", events.VerbAccept, "")
	k.does("ann", events.VerbAdd, data("m "), "m")
	k.holds("i", "j", "k", "m")
}

// A call in format 1 has no limit on its custom data.
func TestOldSizes(t *testing.T) {
	k := answered(t, 1)
	k.does("e", events.VerbAccept, data("e "))
	k.does("ann", events.VerbAdd, data("h "), "h")
	k.holds("c", "b", "a", "d", "e", "h")
}

// An attack: a user invites 50 callees with 4 KB of custom data, and cancels them one by one with 4 KB each.
func TestBytesOfCancels(t *testing.T) {
	k := &talk{t: t}
	var users []string
	for i := range 50 {
		users = append(users, fmt.Sprintf("employee-%02d@example.com", i))
	}
	k.does("ann@example.com", events.VerbInvite, data(""), users...)
	most := map[int]int{}
	for _, u := range users[:49] {
		got := k.does("ann@example.com", events.VerbCancel, data(u+" "), u)
		for format := 1; format <= 2; format++ {
			got.Format = format
			body, err := got.Encode(got.Call.CreatedAt)
			if err != nil {
				t.Fatal(err)
			}
			most[format] = max(most[format], len(body))
		}
	}
	t.Logf("a commit takes up to %d bytes, %d in format 1", most[2], most[1])
	if most[2] > 40_000 || most[2]*4 > most[1] {
		t.Errorf("a commit takes up to %d bytes, %d in format 1", most[2], most[1])
	}
}
