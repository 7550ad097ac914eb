package coordinator_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.text.String()), "\n")
}

// storeNewer stores a call from ann to bob, and its lines, as a newer version would.
func storeNewer(t *testing.T, s *natstest.Server, callID string) {
	t.Helper()
	now := time.Now()
	invite := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: callID, Verb: events.VerbInvite}, CommandID: "k1", UserID: "ann",
		Callees: []events.Party{{UserID: "bob"}},
	}
	w := call.Decide(events.Transition{}, invite, call.Input{At: now, Now: now, Limits: call.DefaultLimits()}).(call.Write)
	w.Transition.Format = events.NewestFormat + 1
	body, err := w.Transition.Encode(w.At)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.JS.Publish(t.Context(), events.TransitionSubject("demo", callID), body); err != nil {
		t.Fatal(err)
	}
	kv, err := s.JS.KeyValue(t.Context(), streams.BucketLines)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := events.Encode([]events.Entry{{CallID: callID, At: events.TimeOf(now)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"ann", "bob"} {
		if _, err := kv.Put(t.Context(), events.LineKey("demo", user), entry); err != nil {
			t.Fatal(err)
		}
	}
}

// stuck returns commands that can't be carried out without reading call c1 from ann to bob.
func stuck() map[[2]string]string {
	list := map[[2]string]string{
		{"c1", "invite"}:  `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`,
		{"c1", "decline"}: `{"command_id":"k4","user_id":"stranger"}`,
		{"c1", "add"}:     `{"command_id":"k6","user_id":"ann","callees":[{"user_id":"eve"}]}`,
		{"c1", "end"}:     `{"command_id":"k8","service":"desk"}`,
		{"c1", "expire"}:  `{"command_id":"k9","service":"timeouts"}`,
		{"c1", "take"}:    `{"command_id":"k10","user_id":"bob","device_id":"d"}`,
		{"c1", "drop"}:    `{"command_id":"k11","service":"presence","party":{"user_id":"bob","device_id":"d"},"seen":1}`,
		{"c2", "invite"}:  `{"command_id":"k1","user_id":"eve","call_type":0,"callees":[{"user_id":"bob"}]}`,
		{"c3", "invite"}:  `{"command_id":"k1","user_id":"bob","call_type":0,"callees":[{"user_id":"ann"}]}`,
	}
	for _, v := range events.Verbs() {
		if to := [2]string{"c1", string(v)}; list[to] == "" {
			list[to] = by("k-"+string(v), "bob")
		}
	}
	return list
}

// A coordinator naks a command for a call in a format that it does not read, repeatedly but not in a tight loop, and logs that
// once. No user is notified, no call is written, and reads are refused with the reason.
func TestCommandsOfANewerFormatWaitForANewerWorker(t *testing.T) {
	parallel(t)
	s := natstest.Start(t)
	storeNewer(t, s, "c1")
	log, nc := &logged{}, s.Connect(t)
	js := stream(t, nc)
	apps := store.NewApps(js, logger(), call.DefaultLimits(), 17*time.Hour, nil)
	run(t, apps.Run)
	startWorkers(t, s, 0)
	run(t, coordinator.New(nc, js, zerolog.New(log).Level(zerolog.InfoLevel), coordinator.Config{
		Parallel: 8, Limits: apps.Limits, Version: "v0.9",
	}).Run)

	i := newIntegrator(t, s)
	sub, err := i.nc.SubscribeSync("ringline.demo.*.>")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for to, body := range stuck() {
		i.publish(to[0], to[1], body, "t."+to[1])
	}
	const times = 6
	waitForDeliveries(t, s, times*len(stuck()))
	// The n-th delay is n times 10 ms, so a newer coordinator would receive the command after at most that delay.
	const least, most = 10 * time.Millisecond * times * (times - 1) / 2, time.Minute
	if took := time.Since(began); took < least || took > most {
		t.Errorf("each was delivered %d times within %v, want %v to %v", times, took, least, most)
	}
	i.expectRefusals(sub, len(stuck()))
	if st, err := s.JS.Stream(t.Context(), streams.StreamCalls); err != nil || st.CachedInfo().State.LastSeq != 1 {
		t.Errorf("something was written to the calls: %+v, %v", st.CachedInfo().State, err)
	}
	const want = "call is stored in format 3 and this is version v0.9, which reads up to 2: upgrade this coordinator"
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], want) || !strings.Contains(lines[0], `"call_id":"c1"`) {
		t.Errorf("it logged\n%s\nwant one line with %q", strings.Join(lines, "\n"), want)
	}
}

func waitForDeliveries(t *testing.T, s *natstest.Server, most int) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		c, err := s.JS.Consumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators)
		if err != nil {
			t.Fatal(err)
		}
		n := c.CachedInfo().Delivered.Consumer
		if n >= uint64(most) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d deliveries within %v, want %d", n, within, most)
		}
	}
}

// expectRefusals checks that every read is refused, and that nothing was published except that many commands.
func (i *integrator) expectRefusals(sub *nats.Subscription, commands int) {
	i.t.Helper()
	for method, body := range map[string]string{"get": `{"call_id":"c1"}`, "line": `{"user_id":"bob"}`, "list": `{}`} {
		m, err := i.nc.Request("ringline.demo.api."+method, []byte(body), within)
		if err != nil {
			i.t.Fatal(err)
		}
		const want = "call c1 is stored in format 3, and the coordinator that received the request reads up to 2: upgrade it"
		if e, _ := decode(i.t, m.Data)["error"].(object); e["code"] != "unavailable" || e["message"] != want {
			i.t.Errorf("%s: %s", method, m.Data)
		}
	}
	for {
		m, err := sub.NextMsg(10 * time.Millisecond)
		switch {
		case err != nil && commands == 0:
			return
		case err != nil:
			i.t.Fatalf("%d commands were not received: %v", commands, err)
		case strings.Contains(m.Subject, ".cmd."):
			commands--
		case m.Subject == "ringline.demo.call.c1": // an invite assumes that no call exists; this commit is refused
		case !strings.Contains(m.Subject, ".api."):
			i.t.Errorf("%s %s", m.Subject, m.Data)
		}
	}
}
