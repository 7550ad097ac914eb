package coordinator_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// api is an API on a machine whose clock is ahead. A test can stall it.
type api struct {
	*integrator

	server *natstest.Server
	meter  *meter.Meter
	still  atomic.Int64
}

func newAPI(t *testing.T, ahead time.Duration) *api {
	t.Helper()
	s := natstest.Start(t)
	a := &api{integrator: newIntegrator(t, s), server: s, meter: meter.New("test")}
	nc := s.Connect(t)
	js := stream(t, nc)
	asker, err := ask.New(nc, js, within/3, a.meter.Publishes(meter.ByAPI))
	if err != nil {
		t.Fatal(err)
	}
	apps := store.NewApps(js, logger(), call.DefaultLimits(), 17*time.Hour, nil)
	run(t, apps.Run)
	run(t, coordinator.New(nc, js, logger(), coordinator.Config{Parallel: 8, Limits: apps.Limits}).Run)
	calls := store.NewCalls(nc, logger(), nil)
	begun := time.Now()
	local := func() time.Time { return begun.Add(time.Duration(a.still.Load())) } // only the test advances this clock
	watch := stall.New(local, []*nats.Conn{nc}, zerolog.Nop(), a.meter)
	run(t, (&coordinator.API{
		NC: nc, Asker: asker, Calls: calls, Lines: store.NewLines(nc, js, calls, logger(), nil), Log: logger(), Parallel: 8,
		InboxPrefix: "_INBOX", Meter: a.meter, Clock: s.Clock(t, ahead), Stall: watch,
	}).Run)
	a.serves()
	return a
}

// invite requests a call with that deadline, and returns the error code and the reply.
func (a *api) invite(callID, deadline string) (code string, reply *nats.Msg) {
	a.t.Helper()
	m := nats.NewMsg("ringline.demo.api.invite")
	if deadline != "" {
		m.Header.Set("Ringline-Deadline", deadline)
	}
	m.Data = []byte(`{"call_id":"` + callID + `","command_id":"k-` + callID + `","user_id":"` + callID + `","call_type":0,"callees":[{"user_id":"to-` + callID + `"}]}`)
	reply, err := a.nc.RequestMsg(m, within)
	if err != nil {
		a.t.Fatal(err)
	}
	e, _ := decode(a.t, reply.Data)["error"].(object)
	code, _ = e["code"].(string)
	return code, reply
}

// stored returns how many commands were ever stored.
func (a *api) stored() uint64 {
	a.t.Helper()
	s, err := a.server.JS.Stream(a.t.Context(), streams.StreamCommands)
	if err != nil {
		a.t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// A deadline is in broker time, whatever the machine's clock says. A request past its deadline stores nothing. Replies contain
// the broker time.
func TestDeadlineOfARequest(t *testing.T) {
	parallel(t)
	for name, ahead := range skews() {
		t.Run(name, func(t *testing.T) {
			parallel(t)
			a := newAPI(t, ahead)
			at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339Nano) }
			if code, _ := a.invite("late", at(-time.Second)); code != "unavailable" {
				t.Errorf("past its deadline it is answered %q", code)
			}
			if code, _ := a.invite("bad", "tomorrow"); code != "invalid_argument" {
				t.Errorf("a deadline that is no time is answered %q", code)
			}
			if n := a.stored(); n != 0 {
				t.Errorf("%d commands are stored", n)
			}
			for callID, deadline := range map[string]string{"none": "", "soon": at(30 * time.Second), "far": at(24 * time.Hour)} {
				code, reply := a.invite(callID, deadline)
				if code != "" {
					t.Errorf("with the deadline %s it is answered %q", deadline, code)
				}
				now, err := time.Parse(time.RFC3339, reply.Header.Get("Ringline-Time"))
				if off := time.Since(now); err != nil || off.Abs() > within {
					t.Errorf("Ringline-Time is off by %v, %v", off, err)
				}
			}
			metertest.Eventually(t, a.meter, map[string]float64{
				`ringline_api_requests_total{method="invite",reply="late"}`:             1,
				`ringline_api_requests_total{method="invite",reply="invalid_argument"}`: 1,
				`ringline_api_requests_total{method="invite",reply="ok"}`:               3,
			}, "ringline_api_requests_total")
		})
	}
}

// Requests that may have arrived during a stall are refused and counted. They store nothing.
func TestStalledAPI(t *testing.T) {
	parallel(t)
	a := newAPI(t, 0)
	a.still.Store(int64(45 * time.Second))
	if code, _ := a.invite("c1", ""); code != "unavailable" {
		t.Errorf("after a stall it is answered %q", code)
	}
	if n := a.stored(); n != 0 {
		t.Errorf("%d commands are stored", n)
	}
	metertest.Eventually(t, a.meter, map[string]float64{`ringline_api_requests_total{method="invite",reply="stalled"}`: 1}, "ringline_api_requests_total")
}

// A request that can't be stored is counted by the cause and by its outcome.
func TestFailedRequestsAreCounted(t *testing.T) {
	parallel(t)
	a := newAPI(t, 0)
	s, err := a.server.JS.Stream(t.Context(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.MaxMsgSize = 10
	if _, err := a.server.JS.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if code, _ := a.invite("c1", ""); code != "unavailable" {
		t.Errorf("a command that is not stored is answered %q", code)
	}
	if err := a.nc.PublishRequest("ringline.demo.api.get", "elsewhere", nil); err != nil {
		t.Fatal(err)
	}
	if code, _ := a.invite("c2", ""); code != "unavailable" { // handled after the request above
		t.Errorf("a command that is not stored is answered %q", code)
	}
	metertest.Eventually(t, a.meter, map[string]float64{
		`ringline_api_requests_total{method="invite",reply="unavailable"}`: 2,
		`ringline_api_requests_total{method="get",reply="no_reply"}`:       1,
		`ringline_publish_failures_total{failure="refused",role="api"}`:    2,
	}, "ringline_api_requests_total", "ringline_publish_failures_total")
}
