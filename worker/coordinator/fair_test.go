package coordinator_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/quota"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// startFair starts a coordinator and the API with quotas. App demo has these settings.
func startFair(t *testing.T, settings string, change ...func(*coordinator.API)) (*integrator, *meter.Meter) {
	t.Helper()
	parallel(t)
	s := natstest.Start(t)
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "demo", []byte(settings)); err != nil {
		t.Fatal(err)
	}
	nc := s.Connect(t)
	js := stream(t, nc)
	apps := store.NewApps(js, logger(), call.DefaultLimits(), 17*time.Hour, nil)
	run(t, apps.Run)
	if _, _, err := apps.Settings(t.Context(), "demo"); err != nil { // waits until the settings are read
		t.Fatal(err)
	}
	count := meter.New("test")
	fair := &coordinator.Fair{Quotas: quota.New(func() int { return 1 }), Limits: apps.Quota}
	ready := health.New(time.Now)
	run(t, coordinator.New(nc, js, logger(), coordinator.Config{
		Parallel: 16, Limits: apps.Limits, Admit: []coordinator.Admission{fair.Admit}, Fair: fair, Meter: count,
		Health: ready.Needs(health.Coordinator, time.Minute),
	}).Run)
	asker, err := ask.New(nc, js, within/3, nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := store.NewCalls(nc, logger(), nil)
	api := &coordinator.API{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(nc, js, calls, logger(), nil), Log: logger(), Parallel: 8,
		InboxPrefix: "_INBOX", Secrets: store.NewSecrets(nc, js, logger()), Slots: apps.APISlots, Fair: fair,
	}
	for _, f := range change {
		f(api)
	}
	run(t, api.Run)
	i := newIntegrator(t, s)
	i.serves()
	if err := ready.Started(t.Context()); err != nil { // the coordinator knows which commands are new
		t.Fatal(err)
	}
	return i, count
}

// codes sends commands concurrently and counts the codes of their answers, with ok for none.
func (i *integrator) codes(n int, send func(n int) object) map[string]int {
	got := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			a := send(k)
			code := "ok"
			if e, refused := a["error"].(object); refused {
				code, _ = e["code"].(string)
			}
			mu.Lock()
			defer mu.Unlock()
			got[code]++
		})
	}
	wg.Wait()
	return got
}

// A command that exceeds its app's quota is refused, acked and never nak'ed. Other apps are not affected.
func TestQuotaOfAnApp(t *testing.T) {
	i, count := startFair(t, `{"commands_per_s":20}`)
	invite := func(n int) object {
		return i.send(fmt.Sprintf("c%d", n), "invite",
			fmt.Sprintf(`{"command_id":"k%d","user_id":"u%d","call_type":0,"callees":[{"user_id":"v%d"}]}`, n, n, n))
	}
	got := map[string]int{}
	for round := 0; round < 5 && got["rate_limited"] < 50; round++ { // after a stall, the bucket is full again, and redeliveries are not refused
		got = i.codes(200, func(n int) object { return invite(200*round + n) })
		if got["ok"] < 16 || got["rate_limited"]+got["ok"] != 200 {
			t.Errorf("%v", got)
		}
	}
	if got["rate_limited"] < 50 {
		t.Errorf("nothing is refused: %v", got)
	}
	i.app = "other"
	if got = i.codes(100, invite); got["ok"] != 100 {
		t.Errorf("another app: %v", got)
	}
	i.handled()
	for series, n := range metertest.Values(t, count) {
		if strings.HasPrefix(series, "ringline_naks_total") && !strings.Contains(series, `reason="lease_lost"`) {
			t.Errorf("%s is %v", series, n)
		}
	}
}

// Only a limited number of an app's commands may wait for their invitation. Those above it are refused at once. A command with
// a place still finds its invitation.
func TestCommandsInFlightOfAnApp(t *testing.T) {
	i, _ := startFair(t, `{"commands_per_s":100}`) // 10 places, and 2 more per second
	early := make(chan object, 1)
	go func() { early <- i.send("c1", "cancel", `{"command_id":"x1","user_id":"ann"}`) }()
	for deadline := time.Now().Add(within); i.pending() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the early cancel is not delivered")
		}
	}
	got := map[string]int{}
	for round := 0; round < 5 && got["rate_limited"] < 20; round++ { // after a stall, places are free again
		got = i.codes(60, func(n int) object {
			return i.send(fmt.Sprintf("u%d-%d", round, n), "end", fmt.Sprintf(`{"command_id":"k%d","service":"desk"}`, n))
		})
		if got["not_found"] < 5 || got["rate_limited"]+got["not_found"] != 60 {
			t.Errorf("%v", got)
		}
	}
	if got["rate_limited"] < 20 {
		t.Errorf("nothing is refused: %v", got)
	}
	if a := <-early; a["ok"] == true {
		t.Errorf("an early cancel without an invitation: %v", a)
	}
	go func() { early <- i.send("c2", "cancel", `{"command_id":"x2","user_id":"ann"}`) }()
	i.ok("c2", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`)
	if a := <-early; a["ok"] != true {
		t.Errorf("an early cancel whose invitation came: %v", a)
	}
}

// pending counts the commands that are delivered and not acked.
func (i *integrator) pending() int {
	i.t.Helper()
	c, err := stream(i.t, i.nc).Consumer(i.t.Context(), streams.StreamCommands, streams.ConsumerCoordinators)
	if err != nil {
		i.t.Fatal(err)
	}
	return c.CachedInfo().NumAckPending
}

// The commands of a session are subject to the limits of users and can't affect the ids of the backend.
func TestSessionsAreLimited(t *testing.T) {
	i, _ := startFair(t, `{"pair_invites_per_min":2,"ringing_per_caller":3,"capacity":2}`)
	invite := func(id, more string, callees ...string) object {
		list := make([]string, len(callees))
		for n, u := range callees {
			list[n] = fmt.Sprintf(`{"user_id":%q}`, u)
		}
		return i.send(id, "invite", fmt.Sprintf(`{"command_id":"k-%s","user_id":"ann","call_type":0%s,"callees":[%s]}`, id, more, strings.Join(list, ",")))
	}
	const session = `,"via":"session"`
	says := func(a object, code, words string) {
		t.Helper()
		e, _ := a["error"].(object)
		if text, _ := e["message"].(string); e["code"] != code || !strings.Contains(text, words) {
			t.Errorf("%v, want %s %s", a, code, words)
		}
	}
	says(invite("s_1", session, "zoe"), "permission_denied", "service_call_prefix")
	says(i.send("s_2", "cancel", `{"command_id":"x","user_id":"ann","via":"session"}`), "not_found", "s_2")
	if a := invite("s_2", "", "bob"); a["ok"] != true {
		t.Errorf("the backend's id was taken out of use: %v", a)
	}
	i.ok("s_2", "end", `{"command_id":"e1","service":"desk"}`)

	i.ok("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"},{"user_id":"dan"}],"via":"session"}`)
	says(invite("c2", session, "eve", "kim"), "rate_limited", "ringing_per_caller")
	if a := invite("c3", session, "eve"); a["ok"] != true {
		t.Errorf("the third callee: %v", a)
	}
	i.ok("c1", "cancel", `{"command_id":"x2","user_id":"ann"}`)
	i.ok("c3", "cancel", `{"command_id":"x3","user_id":"ann"}`)
	if a := invite("c4", session, "bob"); a["ok"] != true {
		t.Errorf("the second call of bob: %v", a)
	}
	i.ok("c4", "cancel", `{"command_id":"x4","user_id":"ann"}`)
	again := invite("c5", session, "bob")
	for n := 0; n < 10 && again["ok"] == true; n++ { // 30 s have passed since the first invitation
		i.ok(fmt.Sprintf("c%d", 5+n), "cancel", `{"command_id":"x","user_id":"ann"}`)
		again = invite(fmt.Sprintf("c%d", 6+n), session, "bob")
	}
	says(again, "rate_limited", "pair_invites_per_min")
	if a := invite("backend", "", "bob"); a["ok"] != true {
		t.Errorf("the backend is held to the limits of sessions: %v", a)
	}
}

// An early expire would occupy a place of the consumer until the deadline, so the API refuses every expire. It refuses every
// drop, because only presence knows whose device is gone.
func TestNoExpireOverTheAPI(t *testing.T) {
	i, _ := startFair(t, `{}`)
	i.ok("c1", "invite", `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":600}`)
	for verb, body := range map[string]string{
		"expire": `{"call_id":"c1","service":"timeouts"}`,
		"drop":   `{"call_id":"c1","service":"presence","party":{"user_id":"ann","device_id":"d"},"seen":1}`,
	} {
		for range 50 {
			e, _ := i.request(verb, body)["error"].(object)
			if text, _ := e["message"].(string); e["code"] != string(events.CodePermissionDenied) || !strings.Contains(text, "verb: "+verb+" is not allowed") {
				t.Fatalf("%v", e)
			}
		}
	}
	if n := i.pending(); n > 0 {
		t.Errorf("%d expires wait for the deadline", n)
	}
}

// A hang-up is admitted as long as the hang-ups alone are below the quota, even during a flood of invitations.
func TestInvitationsLeaveRoomForHangUps(t *testing.T) {
	i, _ := startFair(t, `{"commands_per_s":100,"bytes_per_s":200000}`)
	i.ok("c1", "invite", `{"command_id":"k1","user_id":"zoe","call_type":0,"callees":[{"user_id":"kim"}]}`)
	callees := make([]string, 50)
	for n := range callees {
		callees[n] = fmt.Sprintf(`{"user_id":"u%d-%s"}`, n, strings.Repeat("x", 40))
	}
	got := i.codes(40, func(n int) object {
		return i.send(fmt.Sprintf("g%d", n), "invite", fmt.Sprintf(`{"command_id":"k","user_id":"ann%d","call_type":0,"callees":[%s],"custom_data":%q}`,
			n, strings.Join(callees, ","), strings.Repeat("d", events.MaxCustomData)))
	})
	if got["ok"] == 0 {
		t.Errorf("%v", got)
	}
	i.ok("c1", "end", `{"command_id":"e1","service":"desk"}`)
}

// The requests of an app may use only a limited number of slots of the API.
func TestSlotsOfAnApp(t *testing.T) {
	i, _ := startFair(t, `{"api_slots":4,"commands_per_s":50}`)
	var noSlot atomic.Int32
	got := i.codes(40, func(n int) object { // each waits 5 s for its call
		a := i.request("end", fmt.Sprintf(`{"call_id":"u%d","service":"desk"}`, n))
		if e, _ := a["error"].(object); e["code"] == string(events.CodeRateLimited) && strings.Contains(e["message"].(string), "api_slots") {
			noSlot.Add(1)
		}
		return a
	})
	ended := got["not_found"] + got["unavailable"]                          // unavailable: the answer was lost in a stall of the worker
	if ended < 4 || noSlot.Load() < 20 || ended+got["rate_limited"] != 40 { // 4 and 36 if all arrive within 5 s
		t.Errorf("%v, %d of them without a slot", got, noSlot.Load())
	}
	for deadline := time.Now().Add(within); got["ok"] != 3; { // a slot is free soon after its answer
		if time.Now().After(deadline) {
			t.Fatalf("after they are free: %v", got)
		}
		got = i.codes(3, func(n int) object { return i.request("line", `{"user_id":"ann"}`) })
	}
	limited := 0
	for range 20 {
		i.request("list", `{}`) // counts as 100 reads, so reads are refused for a second
		if e, _ := i.request("line", `{"user_id":"ann"}`)["error"].(object); e["code"] == string(events.CodeRateLimited) {
			limited++
		}
	}
	if limited == 0 {
		t.Error("reads are not limited")
	}
}

// The API refuses commands that exceed the quota of an app, and does not store them. That includes invitations.
func TestAPIStoresNothingAboveTheQuota(t *testing.T) {
	const fits = 50 // at once, for invitations of an app that may send 20 commands/s
	now := time.Now()
	i, _ := startFair(t, `{"commands_per_s":20}`, func(a *coordinator.API) { a.Clock = clock.New(func() time.Time { return now }) }) // a fixed clock, so that the bucket does not refill
	got := i.codes(300, func(n int) object {
		return i.request("invite", fmt.Sprintf(
			`{"call_id":"c%d","command_id":"k%d","user_id":"u%d","call_type":0,"callees":[{"user_id":"v%d"}],"ring_timeout_s":600}`, n, n, n, n))
	})
	if got["rate_limited"] < 300-fits || got["ok"] == 0 {
		t.Errorf("%v", got)
	}
	st, err := stream(t, i.nc).Stream(t.Context(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	if stored := st.CachedInfo().State.LastSeq; stored > fits {
		t.Errorf("%d of 300 invitations were stored, want at most %d", stored, fits)
	}
}
