package serve

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/streams"
)

// promptly is the time in which a worker must stop, whatever has failed.
const promptly = 20 * time.Second

func (w *working) stopPromptly(t *testing.T) {
	t.Helper()
	begun := time.Now()
	w.stop()
	if took := time.Since(begun); took > promptly {
		t.Errorf("it took %v to stop", took)
	}
}

// says reports whether one of the reasons contains text.
func says(reasons []health.Reason, text string) bool {
	for _, r := range reasons {
		if strings.Contains(r.String(), text) {
			return true
		}
	}
	return false
}

// ringsOut invites a user who does not answer, and waits until the call times out.
func ringsOut(t *testing.T, s *natstest.Server, call string) {
	t.Helper()
	rings(t, s, call)
	poll(t, "end of "+call, func() bool {
		m, err := s.NC.Request(events.APISubject("demo", "get"), []byte(`{"call_id":"`+call+`"}`), within)
		return err == nil && strings.Contains(string(m.Data), `"timed_out"`)
	})
}

// rings invites a user.
func rings(t *testing.T, s *natstest.Server, call string) {
	t.Helper()
	poll(t, "invitation to "+call, func() bool {
		m, err := s.NC.Request(events.APISubject("demo", "invite"),
			[]byte(`{"call_id":"`+call+`","command_id":"`+call+`","user_id":"ann-`+call+`","callees":[{"user_id":"bob-`+call+`"}],"call_type":0,"ring_timeout_s":1}`), within)
		if err != nil {
			t.Log(err)
			return false
		}
		a, err := events.ReadAnswer(m.Data)
		if err != nil || !a.OK {
			t.Logf("%s: %s", call, m.Data)
		}
		return err == nil && a.OK
	})
}

// /readyz names a stream, bucket or consumer that is deleted or altered while workers run. Coordinators and timeouts
// workers are not ready without what they need; an edge is degraded. After setup the same workers recover.
func TestSetupRepairsWhileWorkersRun(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	back := started(t, s.URL(), &LazyHandler{}, CoordinatorRole(), TimeoutsRole())
	edge := started(t, s.URL(), &LazyHandler{}, EdgeRole())
	ringsOut(t, s, "c1")
	for _, x := range []struct {
		name   string
		damage func() error
		wrong  string
		needed bool
		edge   bool
		series string
		timers bool // may lose deadlines
	}{
		{
			"the timers are deleted", func() error { return s.JS.DeleteStream(t.Context(), streams.StreamTimers) },
			"setup: stream RINGLINE_TIMERS is missing", true, false, `ringline_setup_problem{part="RINGLINE_TIMERS",problem="missing"}`, true,
		},
		{
			"the lines are deleted", func() error { return s.JS.DeleteKeyValue(t.Context(), streams.BucketLines) },
			"setup: bucket RINGLINE_LINES is missing", true, true, `ringline_setup_problem{part="RINGLINE_LINES",problem="missing"}`, false,
		},
		{
			"the commands take less", func() error {
				st, err := s.JS.Stream(t.Context(), streams.StreamCommands)
				if err != nil {
					return err
				}
				c := st.CachedInfo().Config
				c.MaxMsgs = 99
				_, err = s.JS.UpdateStream(t.Context(), c)
				return err
			},
			"setup: stream RINGLINE_COMMANDS was altered: max_msgs: want 1000000, got 99", true, true,
			`ringline_setup_problem{part="RINGLINE_COMMANDS",problem="altered"}`, false,
		},
		{
			"the consumer is paused", func() error {
				_, err := s.JS.PauseConsumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators, time.Now().Add(time.Hour))
				return err
			},
			"setup: consumer coordinators of RINGLINE_COMMANDS was altered: pause_until", true, false,
			`ringline_setup_problem{part="RINGLINE_COMMANDS.coordinators",problem="altered"}`, false,
		},
		{
			"commands and calls are deleted", func() error {
				if err := s.JS.DeleteStream(t.Context(), streams.StreamCalls); err != nil {
					return err
				}
				return s.JS.DeleteStream(t.Context(), streams.StreamCommands)
			},
			"setup: stream RINGLINE_CALLS is missing", true, true, `ringline_setup_problem{part="RINGLINE_CALLS",problem="missing"}`, true,
		},
		{
			"the log's consumer is deleted", func() error {
				return s.JS.DeleteConsumer(t.Context(), streams.StreamEvents, streams.ConsumerAnalytics)
			},
			"setup: consumer analytics of RINGLINE_EVENTS is missing", false, false,
			`ringline_setup_problem{part="RINGLINE_EVENTS.analytics",problem="missing"}`, false,
		},
	} {
		if err := x.damage(); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		poll(t, x.name, func() bool {
			st := back.health.State()
			if x.needed {
				return !st.Ready() && says(st.Failing, x.wrong)
			}
			return st.Ready() && says(st.Degraded, x.wrong)
		})
		if got := metertest.Values(t, back.meter)[x.series]; got != 1 {
			t.Errorf("%s: %s is %v", x.name, x.series, got)
		}
		if x.edge {
			poll(t, x.name+", on the edge", func() bool { return says(edge.health.State().Degraded, x.wrong) })
		}
		if st := edge.health.State(); !st.Ready() {
			t.Errorf("%s: the edge is not ready: %+v", x.name, st)
		}
		if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		poll(t, "repair after: "+x.name, func() bool {
			st, at := back.health.State(), edge.health.State()
			return st.Ready() && len(st.Degraded)+len(at.Degraded) == 0
		})
		call := "c-" + strings.ReplaceAll(strings.ReplaceAll(x.name, " ", "-"), "'", "")
		if x.timers {
			ringsOut(t, s, call)
		} else { // faster
			rings(t, s, call)
		}
		if values := metertest.Values(t, back.meter); values[x.series] != 0 || values["ringline_ready"] != 1 {
			t.Errorf("after the repair of: %s: %v", x.name, values)
		}
	}
	edge.stopPromptly(t)
	back.stopPromptly(t)
}

// Workers stop promptly even if their streams and buckets are deleted, or if NATS is down.
func TestStopsPromptly(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(s *natstest.Server){
		"all is deleted": func(s *natstest.Server) {
			for _, name := range []string{streams.StreamCommands, streams.StreamCalls, streams.StreamTimers, "KV_" + streams.BucketApps, "KV_" + streams.BucketLines} {
				if err := s.JS.DeleteStream(t.Context(), name); err != nil {
					t.Error(err)
				}
			}
		},
		"NATS is away": func(s *natstest.Server) { s.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := natstest.Start(t)
			w := started(t, s.URL(), &LazyHandler{}, CoordinatorRole(), TimeoutsRole(), EdgeRole())
			damage(s)
			poll(t, name, func() bool { return !w.health.State().Ready() })
			w.stopPromptly(t)
		})
	}
}

// A process detects that its connections reach servers of different clusters, at the start and after a reconnect.
func TestConnectionsToDifferentClusters(t *testing.T) {
	t.Parallel()
	one, other := natstest.Start(t), natstest.Start(t)
	url := one.URL() + "," + other.URL()
	const why = "RINGLINE_NATS_URL names servers that are not one cluster"
	whole, apart := false, false
	for n := 0; n < 60 && (!whole || !apart); n++ {
		w := work(t, url, &LazyHandler{}, CoordinatorRole())
		startedOr := func() bool {
			select {
			case <-w.ready:
				return true
			default:
				return strings.Contains(w.health.State().Phase, why)
			}
		}
		poll(t, "start or a reason", startedOr)
		split := w.conns[0].ConnectedUrl() != w.conns[1].ConnectedUrl()
		if st := w.health.State(); st.Ready() == split {
			t.Errorf("split %v: %+v", split, st)
		}
		if !split && !whole { // the API moves to the other server
			if err := w.conns[1].ForceReconnect(); err != nil {
				t.Fatal(err)
			}
			poll(t, "split after a reconnect", func() bool { return says(w.health.State().Failing, why) })
			if err := w.conns[1].ForceReconnect(); err != nil {
				t.Fatal(err)
			}
			poll(t, "both on one server again", func() bool { return w.health.State().Ready() })
		}
		whole, apart = whole || !split, apart || split
		w.stopPromptly(t)
	}
	if !whole || !apart {
		t.Errorf("seen: all on one server %v, split %v", whole, apart)
	}
}

// apart compares the streams that the connections reach now.
func TestServersOfDifferentClusters(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 9, 0, 0, 5, time.UTC)
	a := reached{"a", "nats://h1", at}
	for _, x := range []struct {
		list []reached
		want string
	}{
		{[]reached{a}, ""},
		{[]reached{a, {"b", "nats://h2", at}, {"c", "nats://h3", at.In(time.FixedZone("", 3600))}}, ""},
		{[]reached{{"a", "nats://h1", time.Time{}}, {"b", "nats://h2", time.Time{}}}, ""},
		{
			[]reached{a, {"b", "nats://h2", at}, {"c", "nats://h3", at.Add(1)}},
			`RINGLINE_NATS_URL names servers that are not one cluster: they have different streams RINGLINE_COMMANDS: "a" reaches nats://h1, where it is from ` +
				`2026-11-30T09:00:00.000000005Z, "c" reaches nats://h3, where it is from 2026-11-30T09:00:00.000000006Z`,
		},
		{
			[]reached{a, {"b", "nats://h2", time.Time{}}},
			`RINGLINE_NATS_URL names servers that are not one cluster: they have different streams RINGLINE_COMMANDS: "a" reaches nats://h1, where it is from ` +
				`2026-11-30T09:00:00.000000005Z, "b" reaches nats://h2 without it`,
		},
	} {
		if got := apart(x.list); got != x.want {
			t.Errorf("%v: %s, want %s", x.list, got, x.want)
		}
	}
}

// natsFor starts a server for these users, with every stream. as returns its URL for a user.
func natsFor(t *testing.T, users ...*server.User) (as func(user string) string) {
	t.Helper()
	srv := natstest.Run(t, &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 64 << 30,
		Users: append(users, &server.User{Username: "all", Password: "x"}),
	})
	as = func(user string) string { return strings.Replace(srv.ClientURL(), "://", "://"+user+":x@", 1) }
	nc, err := nats.Connect(as("all"), nats.Timeout(within))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err == nil {
		err = streams.Setup(t.Context(), js, streams.DefaultSettings())
	}
	if err != nil {
		t.Fatal(err)
	}
	return as
}

// A refused subscription keeps a worker from starting, unless it only describes the service.
func TestRefusedSubscription(t *testing.T) {
	t.Parallel()
	denies := func(name string, subjects ...string) *server.User {
		return &server.User{Username: name, Password: "x", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{">"}}, Subscribe: &server.SubjectPermission{Deny: subjects},
		}}
	}
	as := natsFor(t, denies("noapi", "ringline.*.api.*"), denies("noservice", "$SRV.>"))
	refused := work(t, as("noapi"), &LazyHandler{}, CoordinatorRole())
	poll(t, "reason", func() bool {
		return strings.Contains(refused.health.State().Phase, `NATS refuses a subscription of the connection "ringline api"`)
	})
	started(t, as("noservice"), &LazyHandler{}, CoordinatorRole())
	select {
	case <-refused.ready:
		t.Error("a worker that receives no requests says that it has started")
	default:
	}
}

// NATS does not answer a refused JetStream request; it only reports a violation. The worker reports the violation, not
// a JetStream that does not answer.
func TestRequestsWithoutPermission(t *testing.T) {
	t.Parallel()
	const commands, analytics = "$JS.API.STREAM.INFO." + streams.StreamCommands, "$JS.API.CONSUMER.INFO." + streams.StreamEvents + "." + streams.ConsumerAnalytics
	denies := func(name, subject string) *server.User {
		return &server.User{Username: name, Password: "x", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{">"}, Deny: []string{subject}},
		}}
	}
	as := natsFor(t, denies("commands", commands), denies("analytics", analytics))
	waits, runs := work(t, as("commands"), &LazyHandler{}, EdgeRole()), started(t, as("analytics"), &LazyHandler{}, CoordinatorRole())
	poll(t, "reason to wait", func() bool {
		return waits.health.State().Phase == `waiting for JetStream: the connection "ringline edge" may not publish `+commands+", see SECURITY.md"
	})
	poll(t, "reason not to watch", func() bool {
		return says(runs.health.State().Degraded, "setup: consumer analytics of RINGLINE_EVENTS is not watched: "+
			`the connection "ringline coordinator" may not publish `+analytics)
	})
	if st := runs.health.State(); !st.Ready() || says(st.Degraded, "does not answer") {
		t.Errorf("%+v", st)
	}
}

// One inspection may catch a temporary state, for example while setup recreates the commands stream. A problem is
// reported when the next inspection confirms it.
func TestOneFailedCheckIsNotShown(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	set, err := settings.Read()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	h := health.New(func() time.Time { return now })
	c := NewProcess(set, zerolog.Nop(), nil, h, &LazyHandler{}, s.URL(), nil)
	defer func() { _ = c.drain(context.WithoutCancel(t.Context())) }()
	for _, name := range []string{"one", "other"} {
		if _, c.needs.js, err = c.open(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	c.needs.must = []string{streamPart(streams.StreamCommands)}
	i := c.inspector()
	h.Running(phaseStarting)
	remove := func() {
		t.Helper()
		if err := s.JS.DeleteStream(t.Context(), streams.StreamCommands); err != nil {
			t.Fatal(err)
		}
	}
	look := func(want ...string) {
		t.Helper()
		i.look(t.Context())
		now = now.Add(setupHold)
		st := h.State()
		if got := texts(slices.Concat(st.Failing, st.Degraded)); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	look()
	remove()
	look()
	if err := streams.Setup(t.Context(), s.JS, streams.DefaultSettings()); err != nil {
		t.Fatal(err)
	}
	look()
	remove()
	look()
	look("setup: stream RINGLINE_COMMANDS is missing; run `ringline setup`")
}
