package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"ringline.io/ringline/events"
)

const folder = "../testdata/histories"

// made are the cases of each theme, and counts over all of them.
var made = sync.OnceValues(func() (map[string][]oneCase, counts) {
	all, sum := map[string][]oneCase{}, counts{}
	for _, th := range themes() {
		cases, n := th.make()
		all[th.name] = cases
		sum.add(n)
	}
	return all, sum
})

// TestFilesAreCurrent checks that the folder contains the generated files and no others.
func TestFilesAreCurrent(t *testing.T) {
	want := map[string]bool{}
	all, _ := made()
	for name, cases := range all {
		data, err := encode(cases)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, name+".json")
		want[path] = true
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s is not up to date (%v): run make generate", path, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, path := range files {
		if !want[path] {
			t.Errorf("%s is not generated", path)
		}
		if info, err := os.Stat(path); err == nil {
			size += info.Size()
		}
	}
	if size > 3_300_000 {
		t.Errorf("the files have %d bytes, want at most 3,300,000", size)
	}
}

// TestSituationsOccur checks that every callback and every kind of disturbance occurs often.
func TestSituationsOccur(t *testing.T) {
	_, sum := made()
	for _, name := range rarities() {
		if sum[name] < 3 {
			t.Errorf("%s: occurs %d times, want 3", name, sum[name])
		}
	}
	for name, least := range map[string]int{
		incomingReceived: 50, incomingCanceled: 50, incomingTimeout: 50, outgoingAccepted: 50, outgoingBusy: 50,
		outgoingDeclined: 50, outgoingTimeout: 50, outgoingRinging: 50, answeredElsewhere: 50, declinedElsewhere: 50,
		callStarted: 50, callEnded: 50, ring: 50,
		dropped: 200, repeated: 200, reordered: 200, snapshotted: 200, reconnected: 200,
		ahead: 50, reloaded: 30, stale: 20, forgotten: 15,
	} {
		t.Logf("%4d %s", sum[name], name)
		if sum[name] < least {
			t.Errorf("%s: %d, want %d", name, sum[name], least)
		}
	}
}

// TestMistakesAreDetected checks that the frames produce the callbacks in the files, and that every planted mistake
// changes some of them.
func TestMistakesAreDetected(t *testing.T) {
	all, _ := made()
	for _, m := range append(mistakes(), none) {
		wrong := 0
		for _, cases := range all {
			for _, c := range cases {
				if !slices.Equal(replay(t, c, m), expected(t, c)) {
					wrong++
				}
			}
		}
		t.Logf("%d cases: %s", wrong, m)
		if m == none && wrong > 0 || m != none && wrong < 3 {
			t.Errorf("%q changes the callbacks of %d cases", m, wrong)
		}
	}
}

// replay feeds the frames of a case to a client with a mistake.
func replay(t *testing.T, c oneCase, m mistake) []string {
	t.Helper()
	cl := &client{user: c.UserID, device: c.DeviceID, known: map[string]int{}, met: counts{}, mistake: m}
	list := make([]string, len(c.frames))
	for i, f := range c.frames {
		list[i] = text(t, slices.Concat([]callback{}, cl.take(f)))
	}
	return list
}

func expected(t *testing.T, c oneCase) []string {
	t.Helper()
	list := make([]string, len(c.Expect))
	for i, x := range c.Expect {
		list[i] = text(t, x)
	}
	return list
}

func text(t *testing.T, list []callback) string {
	t.Helper()
	b, err := json.Marshal(slices.Concat([]callback{}, list))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFactsAreReportedOnce checks that no callback follows the end of its call, unless the call begins again, that a call
// does not start twice without an end in between, and that no fact about the same attempts is reported twice.
func TestFactsAreReportedOnce(t *testing.T) {
	all, _ := made()
	for _, cases := range all {
		for _, c := range cases {
			checkOnce(t, c)
		}
	}
}

func checkOnce(t *testing.T, c oneCase) {
	t.Helper()
	reported, in := map[string]bool{}, map[string]bool{}
	for i, list := range c.Expect {
		over := map[string]bool{}
		for _, x := range list {
			id := x.Args[0].(string)
			fact := text(t, []callback{x}) + attemptAt(c.frames[i], id)
			if x.Name == callEnded {
				over[id], in[id] = true, false
				continue
			}
			if x.Name == incomingReceived || x.Name == callStarted {
				over[id] = false
			}
			if over[id] {
				t.Errorf("%s, step %d: %s after the end", c.Name, i, x.Name)
			}
			if x.Name == callStarted {
				if in[id] {
					t.Errorf("%s, step %d: starts twice", c.Name, i)
				}
				in[id] = true
			}
			if reported[fact] {
				t.Errorf("%s, step %d: reported twice: %s", c.Name, i, fact)
			}
			reported[fact] = true
		}
	}
}

// attemptAt lists the attempts of all callees in the version of a call that a frame carries.
func attemptAt(f frame, id string) string {
	for _, l := range append(f.listed, f) {
		if l.call != nil && l.call.id == id && l.seq > 0 {
			var attempts []int
			for _, x := range l.call.at(l.seq).Call.Callees {
				attempts = append(attempts, x.Attempt)
			}
			b, _ := events.Encode(attempts)
			return string(b)
		}
	}
	return ""
}
