package call_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// readOn reads a command, and fails the test if it is malformed.
func (s *stage) readOn(t *testing.T, command string) line {
	t.Helper()
	l, refused := s.read(t, command)
	if refused != nil {
		t.Fatalf("%s: %v", command, refused)
	}
	return l
}

func TestFindGlare(t *testing.T) {
	for _, c := range []struct{ name, script, command, want string }{
		{"both call each other", oneToOne, "bob/phone invite ann", "c1#1"},
		{"with any type, room, data and device", oneToOne, "bob/tablet invite ann video room=r data=x", "c1#1"},
		{"already ringing", oneToOne + rings, "bob/tablet invite ann", "c1#1"},
		{"a ringing group", "0s ann invite eve,bob voice", "bob/phone invite ann", "c1#1"},
		{"an active group, added by another party", group, "bob/phone invite ann", "c1#1"},
		{"the second attempt", group + declines + "\n3s eve/phone add bob", "bob/phone invite ann", "c1#2"},
		{"added while it rings", oneToOne + "\n1s ann add eve", "eve/phone invite ann", "c1#1"},
		{"after a fence", oneToOne + "\nfence", "bob/phone invite ann", "c1#1"},
		{"no call", "", "bob/phone invite ann", "-"},
		{"no invitation", oneToOne, "bob/phone add ann", "-"},
		{"an accept", oneToOne, "bob/phone accept", "-"},
		{"to two", oneToOne, "bob/phone invite ann,eve", "-"},
		{"to two, one of them unrelated", oneToOne, "bob/phone invite eve,ann", "-"},
		{"to another user", oneToOne, "bob/phone invite eve", "-"},
		{"to another callee of the call", "0s ann invite eve,bob voice", "bob/phone invite eve", "-"},
		{"to the participant who added them, who is not the caller", group, "bob/phone invite dan", "-"},
		{"by a stranger", oneToOne, "eve/phone invite ann", "-"},
		{"by the caller", oneToOne, "ann/laptop invite bob", "-"},
		{"answered", oneToOne + accepts, "bob/phone invite ann", "-"},
		{"answered in a group", group + accepts, "bob/phone invite ann", "-"},
		{"declined, the group continues", group + declines, "bob/phone invite ann", "-"},
		{"the callee's line was full", group + " busy=bob", "bob/phone invite ann", "-"},
		{"left", group + leaves, "bob/phone invite ann", "-"},
		{"the caller has left, the group continues and the callee is pending", group + "\n3s ann/laptop leave", "bob/phone invite ann", "-"},
		{"ended", oneToOne + "\n2s ann/laptop cancel", "bob/phone invite ann", "-"},
		{"born ended, caller busy", oneToOne + " line=full", "bob/phone invite ann", "-"},
		{"born ended, merged", oneToOne + " glare=c9#1", "bob/phone invite ann", "-"},
		{"taken out of use", takenOut, "bob/phone invite ann", "-"},
	} {
		s := newStage()
		script, fenced := strings.CutSuffix(c.script, "\nfence")
		s.play(t, script)
		if fenced {
			s.fence(t, "c1", s.readOn(t, "2s dan/phone invite eve voice call=c3"))
		}
		got := "-"
		if g := call.FindGlare(s.readOn(t, "3s "+c.command+" call=c4").cmd, s.last.Call); g != nil {
			got = fmt.Sprintf("%s#%d", g.CallID, g.Attempt)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestClaims(t *testing.T) {
	for _, c := range []struct{ name, script, command, want string }{
		{"an invitation: its caller and callees", "", "0s ann invite gil,bob,eve voice", "ann bob eve gil"},
		{"handled just in time", "", "0s ann invite bob voice handled=60s", "ann bob"},
		{"handled too late", "", "0s ann invite bob,eve voice handled=60.001s", ""},
		{"handled after its ring timeout", "", "0s ann invite bob voice timeout=10 handled=10.001s", ""},
		{"too many callees", "", "0s ann invite a,b,c,d,e voice", ""},
		{"an add: its callees", group, "3s ann/laptop add gil", "gil"},
		{"by a callee", group, "3s dan/phone add gil", "gil"},
		{"by a service", group, "3s service:desk add gil", "gil"},
		{"while it rings", oneToOne, "3s ann/laptop add gil,eve", "eve gil"},
		{"again", group + declines, "3s eve/phone add bob", "bob"},
		{"again, after a full line", group + " busy=bob", "3s eve/phone add bob", "bob"},
		{"again, after leaving", group + leaves, "3s eve/phone add bob", "bob"},
		{"an add handled too late", group, "3s ann/laptop add gil handled=63.001s", ""},
		{"an add to no call, early", "", "3s ann/laptop add gil", ""},
		{"an add to no call", "", "3s ann/laptop add gil handled=9s", ""},
		{"an add to a call taken out of use", takenOut, "9s ann/laptop add gil", ""},
		{"an add of a pending callee, and another", group, "3s ann/laptop add gil,bob", "gil"},
		{"an add of a callee who has accepted, and another", group, "3s ann/laptop add eve,gil", "gil"},
		{"an add of the caller, and another", group, "3s dan/phone add ann,gil", "gil"},
		{"an add of the caller who left, and another", group + "\n3s ann/laptop leave", "4s dan/phone add ann,gil", "gil"},
		{"an add of a callee who left since, and another", group + leaves, "3s dan/phone add bob,gil seen=6", "gil"},
		{"an add of the caller and of a pending callee", group, "3s dan/phone add ann,bob", ""},
		{"an add of too many", group, "3s dan/phone add gil,zoe", ""},
		{"an add by a pending callee", group, "3s bob/phone add gil", ""},
		{"an add by a stranger", group, "3s mal/phone add gil", ""},
		{"an add by the caller who left", group + "\n3s ann/laptop leave", "4s ann/laptop add gil", ""},
		{"an add to a call that ended", oneToOne + declines, "3s ann/laptop add gil", ""},
		{"the invitation again", "0s ann invite bob voice id=k", "1s ann invite bob voice id=k", ""},
		{"the invitation again, ended", "0s ann invite bob voice id=k busy=bob", "1s ann invite bob voice id=k", ""},
		{"the invitation again, caller busy", "0s ann invite bob voice id=k line=full", "1s ann invite bob voice id=k", ""},
		{"the invitation again, merged", "0s ann invite bob voice id=k glare=c2#1", "1s ann invite bob voice id=k", ""},
		{"the add again", oneToOne + "\n1s ann/laptop add gil id=k", "1s ann/laptop add gil id=k", ""},
		{"its id for an add", "0s ann invite bob voice id=k", "1s ann add gil id=k", ""},
		{"the call's id for another invitation", oneToOne, "1s gil invite eve voice", ""},
		{"an invitation of an id taken out of use", takenOut, "9s ann invite bob voice", ""},
		{"ring", oneToOne, "1s bob ring", ""},
		{"accept", oneToOne, "1s bob accept", ""},
		{"decline", oneToOne, "1s bob decline", ""},
		{"cancel", oneToOne, "1s ann cancel bob", ""},
		{"cancel without a call", "", "1s ann cancel bob handled=9s", ""},
		{"leave", oneToOne, "1s ann leave", ""},
		{"end", oneToOne, "1s ann end", ""},
		{"expire", oneToOne, "60s timer expire c1.1", ""},
	} {
		s := newStage()
		s.limits.MaxCallees = 4
		if strings.HasPrefix(c.script, group) {
			s.limits.MaxCallees = 5
		}
		s.play(t, c.script)
		l := s.readOn(t, c.command)
		got := strings.Join(slices.Sorted(slices.Values(call.Claims(call.Decide(s.last, l.cmd, l.input(s.limits)), l.cmd))), " ")
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMerged(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         *call.Glare
	}{
		{"no call", "", nil},
		{"a call", oneToOne, nil},
		{"ended", oneToOne + declines, nil},
		{"line busy", oneToOne + " busy=bob", nil},
		{"caller busy", oneToOne + " line=full", nil},
		{"taken out of use", takenOut, nil},
		{"merged", oneToOne + " glare=c9#1", &call.Glare{CallID: "c9", Attempt: 1}},
		{"merged with a later attempt", oneToOne + " glare=other-call#17", &call.Glare{CallID: "other-call", Attempt: 17}},
	} {
		s := newStage()
		s.play(t, c.script)
		if got := call.Merged(s.last); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	s := newStage()
	s.play(t, oneToOne+"\n1s bob/phone invite ann voice call=c2 glare=c1#1")
	if _, err := s.join(t, "c2", 1*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := call.Merged(s.calls["c1"].last); got != nil {
		t.Errorf("the first call of a glare was merged itself, into %+v", got)
	}
}

// TestJoin: ann and bob call each other. Then ann's call changes before bob's merged invitation joins it.
func TestJoin(t *testing.T) {
	alone, both := "0s ann/laptop invite bob voice", "0s ann/laptop invite bob,eve voice\n0.5s eve/phone accept"
	for _, c := range []struct{ name, first, meanwhile, want string }{
		{"nothing", alone, "", "accepted"},
		{"nothing, in a group", both, "", "accepted"},
		{"the callee's phone rings", alone, "2s bob/phone ring", "accepted"},
		{"after the callee's deadline", alone, "", "accepted"},
		{"the caller has left", both, "2s ann/laptop leave", "accepted"},
		{"the caller has added others", alone, "2s ann/laptop add gil", "accepted"},
		{"accepted on another device", alone, "2s bob/tablet accept", "-"},
		{"accepted on the same device", alone, "2s bob/phone accept", "-"},
		{"accepted without a device", alone, "2s bob accept", "-"},
		{"accepted and left", both, "2s bob/phone accept\n2s bob/phone leave", "over"},
		{"declined", both, "2s bob/phone decline", "over"},
		{"busy", both, "2s bob/phone decline busy", "over"},
		{"canceled", both, "2s ann/laptop cancel bob", "over"},
		{"timed out", both, "60s timer expire c1.1", "over"},
		{"ended: canceled", alone, "2s ann/laptop cancel", "over"},
		{"ended: timed out", alone, "60s timer expire c1.1", "over"},
		{"ended by the desk", both, "2s service:desk end", "over"},
		{"ended after an accept", alone, "2s bob/phone accept\n3s ann/laptop leave", "over"},
		{"asked again", both, "2s bob/phone decline\n3s ann/laptop add bob", "over"},
		{"asked again and accepted", both, "2s bob/phone decline\n3s ann/laptop add bob\n4s bob/phone accept", "over"},
		{"asked again, with a full line", both, "2s bob/phone decline\n3s ann/laptop add bob busy=bob", "over"},
		{"the callee used the id there for another command", alone, "2s bob/phone accept id=k", "invalid"},
		{"the caller used the same id for another command", alone, "2s ann/laptop add gil id=k", "accepted"},
	} {
		s := newStage()
		s.play(t, c.first+"\n1s bob/phone invite ann video id=k data=x call=c2 glare=c1#1\n"+c.meanwhile)
		s.turnTo("c1")
		before := s.last
		o, err := s.join(t, "c2", 70*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got := word(t, o, before)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got == "accepted" {
			checkJoined(t, c.name, before, s)
		}
	}
}

// checkJoined: the join is an accept of the invitation's sender, and a redelivery is a repeat.
func checkJoined(t *testing.T, name string, before events.Transition, s *stage) {
	t.Helper()
	got, x := s.last, *s.last.Call.Callee("bob")
	if got.CommandID != "k" || got.By != (events.By{Kind: events.ByUser, UserID: "bob", DeviceID: "phone"}) || got.CustomData != "x" ||
		x.State != events.StateAccepted || x.DeviceID != "phone" || got.Call.DataOf(x) != "x" || got.Call.State != events.CallStateActive {
		t.Errorf("%s: %+v", name, got)
	}
	if got.Call.CallType != before.Call.CallType || got.Call.RoomID != before.Call.RoomID || got.Call.CustomData != before.Call.CustomData {
		t.Errorf("%s: type, room or data of the call changed: %+v", name, got.Call)
	}
	mine := events.Remembered{ID: "k", Verb: events.VerbInvite, UserID: "bob", Seq: got.Seq}
	if last := got.Commands[len(got.Commands)-1]; !reflect.DeepEqual(last, mine) {
		t.Errorf("%s: remembered as %+v", name, last)
	}
	s.play(t, "71s bob/phone leave")
	o, err := s.join(t, "c2", 80*time.Second)
	if k, ok := o.(call.Keep); err != nil || !ok || k.Made != got.Seq {
		t.Errorf("%s, again: %+v, %v", name, o, err)
	}
}

// TestFence: a fence changes no field of a call but its sequence.
func TestFence(t *testing.T) {
	for _, sc := range scenes() {
		s := newStage()
		s.play(t, sc.script)
		if s.last.Seq == 0 || s.last.Call.State == events.CallStateEnded {
			continue
		}
		before := s.last
		w := s.fence(t, "c1", s.readOn(t, "40s dan/phone invite eve video id=k9 data=secret call=c2"))
		got := w.Transition
		want := before.Call
		want.Seq++
		if !reflect.DeepEqual(got.Call, want) {
			t.Errorf("%s: the call is %+v, was %+v", sc.name, got.Call, before.Call)
		}
		if !reflect.DeepEqual(got.Commands, before.Commands) || !reflect.DeepEqual(call.Deadlines(got), call.Deadlines(before)) ||
			len(call.DeadlinesRemoved(before, got)) > 0 {
			t.Errorf("%s: remembers %+v, waits for %+v", sc.name, got.Commands, call.Deadlines(got))
		}
		if made := call.DeadlinesMade(got, got.Seq); len(made)+len(call.Notify(got))+len(got.Changes) > 0 {
			t.Errorf("%s: a deadline of its own, or notifications: %+v", sc.name, got)
		}
		checkFenced(t, sc.name, w, before.Seq+1)
		again := s.readOn(t, "41s dan/phone invite eve video id=k9 data=secret")
		if o := word(t, s.decide(again), s.last); o != "exists" {
			t.Errorf("%s: the command that fenced it is remembered: %s", sc.name, o)
		}
		if got.Commands[0] = (events.Remembered{}); before.Commands[0].ID == "" {
			t.Errorf("%s: shares its memory with the transition before", sc.name)
		}
	}
}

// TestFenceOfNoCall: a fence writes the id of a call that does not exist as ended.
func TestFenceOfNoCall(t *testing.T) {
	for _, command := range []string{
		"40s dan/phone invite eve:Eve video id=k9 name=Dan room=r data=secret call=c2", "40s service:desk add eve id=k9 data=secret call=c2",
	} {
		s := newStage()
		w := s.fence(t, "c1", s.readOn(t, command))
		at := events.TimeOf(start.Add(40 * time.Second))
		want := events.Call{
			CallID: "c1", App: "demo", RoomID: "c1", State: events.CallStateEnded, Seq: 1, Callees: []events.Callee{}, CreatedAt: at,
			ExpiresAt: at.Add(12 * time.Hour), EndedAt: at, EndReason: events.EndFailed,
			EndedBy: events.By{Kind: events.ByService, Service: "coordinator"},
		}
		if !reflect.DeepEqual(w.Transition.Call, want) || len(w.Transition.Commands)+len(w.Transition.Changes) > 0 {
			t.Errorf("%+v", w.Transition)
		}
		if len(call.Notify(w.Transition))+len(call.Deadlines(w.Transition)) > 0 {
			t.Errorf("notifications, or a deadline: %+v", w.Transition)
		}
		checkFenced(t, command, w, 1)
	}
}

func checkFenced(t *testing.T, name string, w call.Write, seq int) {
	t.Helper()
	got := w.Transition
	if got.Event != events.EventFenced || got.Seq != seq || got.Call.Seq != seq || got.CommandID != "k9" || got.CustomData != "" ||
		got.By != (events.By{Kind: events.ByService, Service: "coordinator"}) || w.At != events.TimeOf(start.Add(40*time.Second)) {
		t.Errorf("%s: %+v at %v", name, got, w.At)
	}
}
