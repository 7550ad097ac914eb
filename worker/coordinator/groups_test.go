package coordinator_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"ringline.io/ringline/internal/natstest"
)

// In a group of 50, all callees ring at the same time, and then accept or decline at the same time. The result is correct.
func TestGroupOf50(t *testing.T) {
	parallel(t)
	groups := size(1, 3, 100)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Notification, natstest.Logged)
	conflicts := startWorkers(t, s, 2)
	i := newIntegrator(t, s)
	const members = 50
	for g := range groups {
		id := fmt.Sprintf("g%d", g)
		caller := fmt.Sprintf("%s-caller", id)
		users := make([]string, members)
		for n := range users {
			users[n] = fmt.Sprintf("%s-u%d", id, n)
		}
		received := i.user(caller)
		i.ok(id, "invite", invitation("k", caller, users...))
		atOnce := func(round string, verb func(n int) string, ok bool) {
			var wg sync.WaitGroup
			for n, u := range users {
				wg.Go(func() {
					if a := i.send(id, verb(n), by(round, u)); a["ok"] != ok {
						t.Errorf("%s by %s: ok is %v, error %v", verb(n), u, a["ok"], a["error"])
					}
				})
			}
			wg.Wait()
		}
		atOnce("ring", func(int) string { return "ring" }, true)
		atOnce("answer", func(n int) string { return []string{"accept", "decline"}[n%2] }, true)
		atOnce("late", func(int) string { return "decline" }, false)

		call := i.get(id)
		expect(t, call, object{"state": "active", "seq": float64(1 + 2*members)})
		for n, x := range call["callees"].([]any) {
			expect(t, x.(object), object{"user_id": users[n], "state": []string{"accepted", "declined"}[n%2]})
		}
		got := map[string]int{}
		for _, n := range received.rest() {
			got[n["event"].(string)]++
		}
		want := map[string]int{"outgoing_call_ringing": members, "outgoing_call_accepted": members / 2, "outgoing_call_declined": members / 2}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: the caller receives %v, want %v", id, got, want)
		}
		expect(t, i.ok(id, "end", by("e", caller)), object{"state": "ended", "end_reason": "completed"})
		if !slices.Contains(users, callee(call)["user_id"].(string)) {
			t.Errorf("%s: %v", id, callee(call))
		}
	}
	t.Logf("%d groups of %d: %d commits, of which %d had to be repeated", groups, members, groups*(2+2*members), conflicts.Load())
}

// A cancel that is published right after its invitation, with two coordinators, always ends the ringing.
func TestCancelRightAfterInvite(t *testing.T) {
	parallel(t)
	calls := size(50, 1000, 10_000)
	s := natstest.Start(t)
	natstest.Watch(t, s, natstest.Logged)
	startWorkers(t, s, 2)
	i := newIntegrator(t, s)
	var wg sync.WaitGroup
	room := make(chan struct{}, 64)
	ends := make([]string, calls)
	for n := range calls {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			id, ann, bob := fmt.Sprintf("c%d", n), fmt.Sprintf("ann%d", n), fmt.Sprintf("bob%d", n)
			i.publish(id, "invite", invitation("k", ann, bob), "")
			switch a := i.send(id, "cancel", by("x", ann)); {
			case a["ok"] == true:
				ends[n], _ = i.get(id)["end_reason"].(string)
			case codeOf(a) == "not_found": // the invitation took longer than 5 s, and is refused
				ends[n] = "fenced"
			default:
				t.Errorf("%s: the cancel is answered %v", id, a)
			}
		})
	}
	wg.Wait()
	i.handled()
	fenced := 0
	for n, end := range ends {
		switch end {
		case "canceled":
		case "fenced":
			fenced++
			if a := i.request("get", fmt.Sprintf(`{"call_id":"c%d"}`, n)); codeOf(a) != "not_found" {
				t.Errorf("call %d was not there for its cancel, and is now: %v", n, a)
			}
		default:
			t.Errorf("call %d ended with %q", n, end)
		}
	}
	if fenced > calls/10 {
		t.Errorf("%d of %d cancels found no call", fenced, calls)
	}
}
