package coordinator_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/store"
)

// measured is a server with one coordinator, one API and one timeouts worker, and their metrics.
type measured struct {
	*integrator

	server *natstest.Server
	paused func() time.Duration
	meter  *meter.Meter
	onStep atomic.Pointer[func(meter.Step)]
	limits atomic.Pointer[error] // the error of reading limits
}

// newMeasured makes the test parallel.
func newMeasured(t *testing.T, log zerolog.Logger) *measured {
	t.Helper()
	parallel(t)
	s := natstest.Start(t)
	m := &measured{integrator: newIntegrator(t, s), server: s, paused: natstest.Pauses(t), meter: meter.New("test")}
	nc := s.Connect(t)
	js := stream(t, nc)
	apps := store.NewApps(js, m.meter.Log(log, meter.Apps), call.DefaultLimits(), 17*time.Hour, m.meter)
	run(t, apps.Run)
	run(t, coordinator.New(nc, js, m.meter.Log(log, meter.Coordinator), coordinator.Config{
		Parallel: 8, Meter: m.meter,
		OnStep: func(s meter.Step) {
			if f := m.onStep.Load(); f != nil {
				(*f)(s)
			}
		},
		Limits: func(ctx context.Context, app string) (call.Limits, error) {
			if err := m.limits.Swap(nil); err != nil {
				return call.Limits{}, *err
			}
			return apps.Limits(ctx, app)
		},
	}).Run)
	timers := m.meter.Log(log, meter.Timeouts)
	run(t, timeouts.New(js, nil, timers, timeouts.Sweep{Every: time.Second, Overdue: 5 * time.Second}, m.meter).Run)
	asker, err := ask.New(nc, js, within/3, nil)
	if err != nil {
		t.Fatal(err)
	}
	requests := m.meter.Log(log, meter.API)
	calls := store.NewCalls(nc, requests, m.meter)
	run(t, (&coordinator.API{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(nc, js, calls, requests, m.meter), Log: requests,
		Parallel: 8, InboxPrefix: "_INBOX", Meter: m.meter, Secrets: store.NewSecrets(nc, js, requests),
	}).Run)
	m.serves()
	return m
}

func (m *measured) until(what string, so func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("%s: not within %v\n%v", what, within, metertest.Values(m.t, m.meter))
		}
	}
}

// once calls do the next time that the step is done.
func (m *measured) once(step meter.Step, do func()) {
	var done atomic.Bool
	f := func(s meter.Step) {
		if s == step && done.CompareAndSwap(false, true) {
			do()
		}
	}
	m.onStep.Store(&f)
}

// raw publishes a message directly, without a worker.
func (m *measured) raw(subject, body string) {
	m.t.Helper()
	if _, err := m.server.JS.Publish(context.Background(), subject, []byte(body)); err != nil {
		m.t.Error(err)
	}
}

// check compares the final values of these metrics. It retries, because a refusal is counted only after it was answered.
func (m *measured) check(want map[string]float64, names ...string) {
	m.t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if len(metertest.Differences(m.t, m.meter, want, names...)) == 0 {
			return
		}
		if metertest.Values(m.t, m.meter)[`ringline_naks_total{consumer="coordinators",reason="lease_lost"}`] > 0 && m.paused() > time.Second {
			m.t.Skipf("the process was paused for %v, so commands were redelivered: that is counted too", m.paused())
		}
	}
	metertest.Check(m.t, m.meter, want, names...)
}

// Commands are counted by verb and outcome. Each of their steps is counted once.
func TestCommandsAreCounted(t *testing.T) {
	m := newMeasured(t, zerolog.New(io.Discard))
	m.ok("c1", "invite", invitation("k1", "ann", "bob", "eve"))
	m.ok("c1", "ring", by("r1", "bob"))
	for range 2 {
		m.ok("c1", "accept", `{"command_id":"a1","user_id":"bob","device_id":"phone"}`)
	}
	m.refused("c1", "accept", `{"command_id":"a2","user_id":"bob","device_id":"tablet"}`, "answered_elsewhere")
	m.refused("c9", "decline", by("d1", "bob"), "not_found")
	m.refused("c2", "invite", invitation("k2", "ann", "joe"), "caller_busy")
	m.refused("c1", "decline", by("d1", "joe"), "permission_denied")
	m.refused("c1", "leave", `{"command_id":`, "invalid_argument")
	m.refused("c1", "leave", `{"command_id":"l1","user_id":"bob","colour":"red"}`, "invalid_argument")
	m.refused("c1", "shout", by("s1", "bob"), "invalid_argument")
	m.refused("c1", "cancel", `{"command_id":"x1","user_id":"ann","callees":["joe"]}`, "invalid_argument")
	if a := m.request("end", `{"call_id":"c1","service":"desk"}`); a["ok"] != true {
		t.Errorf("end: %v", a)
	}
	m.handled()
	const total = "ringline_commands_total"
	m.check(map[string]float64{
		`ringline_api_requests_total{method="end",reply="ok"}`: 1,
		total + `{outcome="ok",verb="invite"}`:                 1,
		total + `{outcome="ok",verb="ring"}`:                   1,
		total + `{outcome="ok",verb="accept"}`:                 2,
		total + `{outcome="ok",verb="end"}`:                    1,
		total + `{outcome="answered_elsewhere",verb="accept"}`: 1,
		total + `{outcome="not_found",verb="decline"}`:         1,
		total + `{outcome="permission_denied",verb="decline"}`: 1,
		total + `{outcome="caller_busy",verb="invite"}`:        1,
		total + `{outcome="invalid_argument",verb="cancel"}`:   1,
		total + `{outcome="rejected",verb="leave"}`:            2,
		total + `{outcome="rejected",verb="unknown"}`:          1,
		`ringline_rejected_total{verb="leave"}`:                2,
		`ringline_rejected_total{verb="unknown"}`:              1,
		`ringline_command_seconds_count{verb="invite"}`:        2,
		`ringline_command_seconds_count{verb="ring"}`:          1,
		`ringline_command_seconds_count{verb="accept"}`:        3,
		`ringline_command_seconds_count{verb="decline"}`:       2,
		`ringline_command_seconds_count{verb="leave"}`:         2,
		`ringline_command_seconds_count{verb="cancel"}`:        1,
		`ringline_command_seconds_count{verb="end"}`:           1,
		`ringline_command_seconds_count{verb="unknown"}`:       1,
		`ringline_step_seconds_count{step="claimed"}`:          3,
		`ringline_step_seconds_count{step="loaded"}`:           14, // two loads where nothing is committed
		`ringline_step_seconds_count{step="committed"}`:        5,
		`ringline_step_seconds_count{step="notified"}`:         5,
		`ringline_step_seconds_count{step="answered"}`:         10,
		`ringline_build_info{version="test"}`:                  1,
	})
}

// A conflicting commit is counted, and the command is decided again. A malformed message on the subject of a call is counted
// too.
func TestConflictsAndMalformedEntriesAreCounted(t *testing.T) {
	m := newMeasured(t, zerolog.New(io.Discard))
	m.once(meter.StepLoaded, func() { m.raw("ringline.demo.call.c1", "{}") })
	m.ok("c1", "invite", invitation("k1", "ann", "bob"))
	m.handled()
	m.check(map[string]float64{
		`ringline_conflicts_total`:                            1,
		`ringline_malformed_entries_total{where="call"}`:      1, // counted by the second read
		`ringline_step_seconds_count{step="loaded"}`:          2,
		`ringline_step_seconds_count{step="claimed"}`:         2,
		`ringline_step_seconds_count{step="committed"}`:       1,
		`ringline_commands_total{outcome="ok",verb="invite"}`: 1,
		`ringline_errors_total{component="coordinator"}`:      1,
	}, "ringline_conflicts_total", "ringline_malformed_entries_total", "ringline_commands_total", "ringline_errors_total",
		"ringline_naks_total", "ringline_redeliveries_total")

	m.raw("$KV.RINGLINE_LINES.demo.joe", "no line")
	m.raw("$KV.RINGLINE_APPS.demo", `{"capacity":"many"}`)
	m.raw("ringline.demo.due.c1.soon", "malformed deadline")
	if a := m.request("line", `{"user_id":"joe"}`); a["ok"] != true {
		t.Errorf("line: %v", a)
	}
	m.until("all garbage is met", func() bool {
		v := metertest.Values(t, m.meter)
		return v[`ringline_malformed_entries_total{where="app"}`] > 0 && v[`ringline_malformed_entries_total{where="due"}`] > 0
	})
	m.check(map[string]float64{
		`ringline_malformed_entries_total{where="call"}`: 1, `ringline_malformed_entries_total{where="line"}`: 1,
		`ringline_malformed_entries_total{where="app"}`: 1, `ringline_malformed_entries_total{where="due"}`: 1,
		`ringline_errors_total{component="coordinator"}`: 1, `ringline_errors_total{component="api"}`: 1,
		`ringline_errors_total{component="apps"}`: 1, `ringline_errors_total{component="timeouts"}`: 1,
	}, "ringline_malformed_entries_total", "ringline_errors_total")
}

// Each nak is counted by its reason, and causes one redelivery.
func TestNaksAreCounted(t *testing.T) {
	m := newMeasured(t, zerolog.New(io.Discard))
	const naks = `ringline_naks_total{consumer="coordinators",reason=`
	redeliveries := `ringline_redeliveries_total{consumer="coordinators"}`
	m.once(meter.StepCommitted, func() { panic("a crash") })
	m.ok("c1", "invite", invitation("k1", "ann", "bob"))
	failed := errors.New("not known")
	m.limits.Store(&failed)
	m.ok("c1", "ring", by("r1", "bob"))
	m.handled()
	m.check(map[string]float64{naks + `"defect"}`: 1, naks + `"store"}`: 1, redeliveries: 2},
		"ringline_naks_total", "ringline_redeliveries_total")

	m.publish("c2", "cancel", by("x1", "joe"), "") // overtakes its invitation
	m.until("it waits", func() bool { return metertest.Values(t, m.meter)[naks+`"no_call_yet"}`] > 0 })
	m.ok("c2", "invite", invitation("k1", "joe", "jim"))
	m.handled()
	v := metertest.Values(t, m.meter)
	if waited := v[naks+`"no_call_yet"}`]; v[redeliveries] != 2+waited {
		t.Errorf("%v redeliveries, want %v: %v", v[redeliveries], 2+waited, v)
	}
	m.check(map[string]float64{`ringline_commands_total{outcome="ok",verb="cancel"}`: 1, `ringline_errors_total{component="coordinator"}`: 2},
		"ringline_errors_total", "ringline_conflicts_total")
}

// An invitation waits for a claim that may still be committed, and takes over a stale one. Both are counted.
func TestClaimsAreCounted(t *testing.T) {
	m := newMeasured(t, zerolog.New(io.Discard))
	claim := func(user, callID string, ago time.Duration) {
		at := time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05.000Z")
		m.raw("$KV.RINGLINE_LINES.demo."+user, `[{"call_id":"`+callID+`","seq":0,"at":"`+at+`"}]`)
	}
	claim("bob", "never", time.Minute)
	m.ok("c1", "invite", invitation("k1", "ann", "bob"))
	m.handled()
	m.check(map[string]float64{`ringline_takeovers_total`: 1}, "ringline_takeovers_total", "ringline_naks_total")

	const waits, redeliveries = `ringline_naks_total{consumer="coordinators",reason="claim_in_flight"}`, `ringline_redeliveries_total{consumer="coordinators"}`
	claim("jim", "c3", 0)
	m.publish("c2", "invite", invitation("k2", "eve", "jim"), "")
	m.until("it waits", func() bool { return metertest.Values(t, m.meter)[waits] > 0 })
	m.ok("c3", "invite", invitation("k3", "joe", "jim")) // the call of that claim
	m.handled()
	v := metertest.Values(t, m.meter)
	m.check(map[string]float64{`ringline_takeovers_total`: 1, waits: v[waits], redeliveries: v[waits]},
		"ringline_takeovers_total", "ringline_naks_total", "ringline_redeliveries_total")
}

// A due deadline is counted with its lateness, and so is one that the sweep found. A request without a reply is counted too.
func TestDeadlinesAndRequestsAreCounted(t *testing.T) {
	m := newMeasured(t, zerolog.New(io.Discard))
	body := `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":3}`
	m.ok("c1", "invite", body)
	expired := `ringline_commands_total{outcome="ok",verb="expire"}`
	m.until("it is expired", func() bool { return metertest.Values(t, m.meter)[expired] == 1 })
	m.check(map[string]float64{`ringline_timer_lateness_seconds_count`: 1},
		"ringline_timer_lateness_seconds", "ringline_sweep_overdue_total")

	long := time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	m.raw("ringline.demo.timer.c2.1", `{"call_id":"c2","seq":1,"deadline":"`+long+`"}`) // without a schedule
	m.until("it is found", func() bool { return metertest.Values(t, m.meter)["ringline_sweep_overdue_total"] == 1 })
	m.handled()
	m.check(map[string]float64{
		`ringline_timer_lateness_seconds_count`: 2, `ringline_sweep_overdue_total`: 1, expired: 1,
		`ringline_commands_total{outcome="not_found",verb="expire"}`: 1,
	}, "ringline_timer_lateness_seconds", "ringline_sweep_overdue_total")

	if err := m.nc.PublishRequest("ringline.demo.api.get", "ringline.demo.user.victim", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	m.until("it is dropped", func() bool {
		return metertest.Values(t, m.meter)[`ringline_api_requests_total{method="get",reply="no_reply"}`] == 1
	})
}
