package main

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
)

// states returns the state that setup printed for each part, by name.
func states(t *testing.T, r result) map[string]string {
	t.Helper()
	m := map[string]string{}
	column := -1
	for line := range strings.Lines(r.stdout) {
		f := strings.Fields(line)
		if len(f) < 3 {
			t.Fatalf("line %q of %+v", line, r)
		}
		name, rest := f[1], strings.TrimSpace(line)[strings.Index(line, f[1])+len(f[1]):]
		if f[0] == "consumer" {
			name, rest = strings.Join(f[1:4], " "), strings.TrimSpace(line)[strings.Index(line, f[3])+len(f[3]):]
		}
		m[name] = strings.TrimSpace(rest)
		if at := strings.LastIndex(line, m[name]); column >= 0 && at != column {
			t.Errorf("not aligned: %q begins at %d, others at %d", m[name], at, column)
		} else {
			column = at
		}
	}
	return m
}

// allStates requires the same state for each of the 14 parts.
func allStates(t *testing.T, r result, want string) {
	t.Helper()
	got := states(t, r)
	for name, state := range got {
		if state != want {
			t.Errorf("%s: %q, want %q", name, state, want)
		}
	}
	if len(got) != 14 {
		t.Errorf("%d parts: %v", len(got), got)
	}
}

func TestSetupCreatesAndReportsDifferences(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t)
	r := n.ringline(t, nil, "setup", "--check")
	if r.code != exitFailed || !strings.Contains(r.stderr, "14 of 14 differ from the settings") {
		t.Errorf("--check before setup: %+v", r)
	}
	allStates(t, r, "missing")
	r = n.ringline(t, nil, "setup")
	if r.code != 0 || r.stderr != "" {
		t.Errorf("setup: %+v", r)
	}
	allStates(t, r, "created")
	if r = n.ringline(t, nil, "setup"); r.code != 0 {
		t.Errorf("setup again: %+v", r)
	}
	allStates(t, r, "kept")
	if r = n.ringline(t, nil, "setup", "--check"); r.code != 0 {
		t.Errorf("--check: %+v", r)
	}
	allStates(t, r, "up to date")

	_, js := n.connect(t)
	change(t, js, "RINGLINE_REJECTED", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })
	before := states(t, n.ringline(t, nil, "setup", "--check"))
	r = n.ringline(t, nil, "setup", "--check")
	if got, want := states(t, r)["RINGLINE_REJECTED"], "differs: max_age: want 168h0m0s, got 1h0m0s"; r.code != exitFailed || got != want {
		t.Errorf("--check after a change: %d, %q, want %q", r.code, got, want)
	}
	if got := states(t, r); got["RINGLINE_REJECTED"] != before["RINGLINE_REJECTED"] {
		t.Errorf("--check changed something: %v, before %v", got, before)
	}
	r = n.ringline(t, nil, "setup")
	if got, want := states(t, r)["RINGLINE_REJECTED"], "changed: max_age: want 168h0m0s, got 1h0m0s"; r.code != 0 || got != want {
		t.Errorf("setup after a change: %d, %q, want %q", r.code, got, want)
	}
	if r = n.ringline(t, nil, "setup", "--check"); r.code != 0 {
		t.Errorf("--check after setup: %+v", r)
	}
}

func change(t *testing.T, js jetstream.JetStream, name string, change func(*jetstream.StreamConfig)) {
	t.Helper()
	st, err := js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	c := st.CachedInfo().Config
	change(&c)
	if _, err := js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestSetupAppliesSettings(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t).setUp(t)
	env := []string{
		"RINGLINE_CALLS_MAX_BYTES=2GiB", "RINGLINE_CALLS_MAX_AGE=48h", "RINGLINE_TIMERS_MAX_AGE=30h", "RINGLINE_LINES_TTL=26h",
		"RINGLINE_EVENTS_MAX_AGE=24h",
	}
	r := n.ringline(t, env, "setup")
	var changed []string
	for name, state := range states(t, r) {
		if strings.HasPrefix(state, "changed: ") {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	want := []string{"RINGLINE_CALLS", "RINGLINE_CDRS", "RINGLINE_EVENTS", "RINGLINE_LINES", "RINGLINE_TIMERS"}
	if r.code != 0 || !slices.Equal(changed, want) {
		t.Errorf("changed are %v, want %v: %+v", changed, want, r)
	}
	_, js := n.connect(t)
	st, err := js.Stream(t.Context(), "RINGLINE_CALLS")
	if err != nil {
		t.Fatal(err)
	}
	if c := st.CachedInfo().Config; c.MaxBytes != 2<<30 || c.MaxAge != 48*time.Hour {
		t.Errorf("RINGLINE_CALLS is %+v", c)
	}
	if r := n.ringline(t, env, "setup", "--check"); r.code != 0 {
		t.Errorf("--check with the same settings: %+v", r)
	}
}

// TestThreeNodes sets up a cluster while it starts, and makes a call on it.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	const size = 3
	var routes []*url.URL
	var nodes []*natsServer
	for i := range size {
		port := natstest.FreePort(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: net.JoinHostPort(loopback, strconv.Itoa(port))})
		nodes = append(nodes, newNATS(t, func(o *server.Options) {
			o.ServerName, o.Cluster = fmt.Sprintf("n%d", i), server.ClusterOpts{Name: "ringline-test", Host: loopback, Port: port}
		}))
	}
	var urls []string
	for _, n := range nodes {
		n.options.Routes = routes
		n.begin(t)
		urls = append(urls, n.url)
	}
	all := &natsServer{url: strings.Join(urls, ",")}
	env := []string{"RINGLINE_REPLICAS=3"}
	r := all.ringline(t, env, "setup")
	if r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	allStates(t, r, "created")
	if r = all.ringline(t, env, "setup", "--check"); r.code != 0 {
		t.Errorf("--check: %+v", r)
	}
	forgotten := "RINGLINE_REPLICAS is 1, but stream RINGLINE_COMMANDS has 3; --fewer-replicas removes them"
	checkRefused(t, all.ringline(t, nil, "setup"), []string{forgotten})
	if r = all.ringline(t, nil, "setup", "--check"); r.code != exitFailed || !strings.Contains(r.stderr, forgotten) {
		t.Errorf("--check with fewer replicas: %+v", r)
	}
	if r = all.ringline(t, env, "setup", "--check"); r.code != 0 {
		t.Errorf("--check after the refusal: %+v", r)
	}
	allNodesCountCopies(t, nodes, func(args ...string) result { return all.ringline(t, env, args...) })
	coordinator, timeouts := all.startWorker(t, "coordinator").running(t), all.startWorker(t, "timeouts").running(t)
	nodes[0].stop() // one of three nodes may be down
	poll(t, "invitation on two nodes", func() bool {
		return coordinator.run(t, "invite", "bob", "--user", "ann", "--call", "c1", "--command-id", "k1", "--timeout", "1s").code == 0
	}, &coordinator.stderr)
	poll(t, "timeout on two nodes", func() bool {
		return strings.Contains(coordinator.run(t, "get", "c1", "--json").stdout, `"end_reason":"timed_out"`)
	}, &coordinator.stderr, &timeouts.stderr)
	coordinator.end(syscall.SIGTERM)
	timeouts.end(syscall.SIGTERM)
	nodes[0].start(t)
	if r = all.ringline(t, nil, "setup", "--fewer-replicas"); r.code != 0 || !strings.Contains(r.stdout, "num_replicas: want 1, got 3") {
		t.Errorf("setup --fewer-replicas: %+v", r)
	}
}

// allNodesCountCopies shows that the limit of an account counts every replica, also of other streams. The server
// reports only the reservation on one node.
func allNodesCountCopies(t *testing.T, nodes []*natsServer, ringline func(args ...string) result) {
	t.Helper()
	const gib = 1 << 30
	allow := func(bytes int64) {
		t.Helper()
		for _, n := range nodes {
			n.allow(t, bytes)
		}
	}
	_, js := nodes[0].connect(t)
	add := func(name string) error {
		t.Helper()
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name}, MaxBytes: 2 * gib, Replicas: 3})
		return err
	}
	allow(100 * gib) // ours are 3 × 31.1
	if err := add("OTHER"); err != nil {
		t.Fatal(err)
	}
	info, err := js.AccountInfo(t.Context())
	if err != nil || info.ReservedStore > 34*gib {
		t.Errorf("the account has reserved %d, %v: does the server count each copy now?", info.ReservedStore, err)
	}
	if err := add("ANOTHER"); err == nil || !strings.Contains(err.Error(), "10047") && !strings.Contains(err.Error(), "insufficient storage") {
		t.Errorf("another stream: %v, want a refusal: the limit counts each copy", err)
	}
	if r := ringline("setup"); r.code != 0 {
		t.Errorf("setup within the limit: %+v", r)
	}
	allow(96 * gib)
	checkRefused(t, ringline("setup"), []string{"add up to 31.1GiB on each of 3 nodes, and other streams have reserved 6GiB: that is 3.2GiB more"})
	if err := js.DeleteStream(t.Context(), "OTHER"); err != nil {
		t.Fatal(err)
	}
	allow(-1)
}

func TestSetupRefuses(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t)
	for name, want := range map[string]string{
		"RINGLINE_REPLICAS=2":            "RINGLINE_REPLICAS must be 1, 3 or 5, got 2",
		"RINGLINE_REPLICAS=3":            "; see RINGLINE_REPLICAS",
		"RINGLINE_CALLS_MAX_AGE=17h":     "TTL of lines 18h0m0s must be at most the age of calls, 17h0m0s",
		"RINGLINE_EVENTS_MAX_BYTES=1TiB": "max_file_store of each server must be at least that",
		"RINGLINE_CALLS_MAX_BYTES=32GiB": "RINGLINE_TIMERS_MAX_BYTES must be at least 1/8 of RINGLINE_CALLS_MAX_BYTES, 4GiB, got 2GiB",
	} {
		checkRefused(t, n.ringline(t, []string{name}, "setup"), []string{want})
	}
	nowhere := newNATS(t)
	r := nowhere.ringline(t, nil, "setup", "--wait", "100ms")
	if r.code != exitFailed || !strings.Contains(r.stderr, "no NATS server at "+nowhere.url+" within 100ms") ||
		!regexp.MustCompile(`waiting for it until \d\d:\d\d:\d\d \(--wait 100ms\)"`).MatchString(r.stderr) {
		t.Errorf("without a server: %+v", r)
	}
	r = execute(t, program("ringline", "setup", "--nats-url", n.url, "--check", "--wait", "30s"))
	if r.code != exitFailed || !strings.Contains(r.stderr, "differ from the settings") {
		t.Errorf("the flag names the server: %+v", r)
	}
}

// allow sets the storage limit of the account.
func (n *natsServer) allow(t *testing.T, bytes int64) {
	t.Helper()
	limits := server.JetStreamAccountLimits{
		MaxMemory: -1, MaxStore: bytes, MaxStreams: -1, MaxConsumers: -1, MaxAckPending: -1, MemoryMaxStreamBytes: -1, StoreMaxStreamBytes: -1,
	}
	if err := n.srv.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{"": limits}); err != nil {
		t.Fatal(err)
	}
}

// The limits of all streams must fit into the storage of the account, together with reservations of other streams.
func TestSetupAddsUpLimits(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t)
	allow := func(bytes int64) {
		t.Helper()
		n.allow(t, bytes)
	}
	allow(30 << 30)
	for _, args := range [][]string{{"setup"}, {"setup", "--check"}} {
		checkRefused(t, n.ringline(t, nil, args...), []string{"add up to 31.1GiB: that is 1.1GiB more than the account of NATS may store (30GiB)"})
	}
	allow(32 << 30)
	_, js := n.connect(t)
	other := jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other"}, MaxBytes: 2 << 30}
	if _, err := js.CreateStream(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, n.ringline(t, nil, "setup"), []string{"and other streams have reserved 2GiB: that is 1.1GiB more"})
	if r := n.ringline(t, []string{"RINGLINE_EVENTS_MAX_BYTES=6GiB"}, "setup"); r.code != 0 {
		t.Fatalf("with a smaller log: %+v", r)
	}
	if r := n.ringline(t, []string{"RINGLINE_EVENTS_MAX_BYTES=6GiB"}, "setup"); r.code != 0 {
		t.Errorf("again: %+v", r)
	}
	checkRefused(t, n.ringline(t, nil, "setup"), []string{"1.1GiB more"})
	moved := []string{"RINGLINE_CALLS_MAX_BYTES=18GiB", "RINGLINE_TIMERS_MAX_BYTES=2304MiB", "RINGLINE_EVENTS_MAX_BYTES=3GiB"}
	if r := n.ringline(t, moved, "setup"); r.code != 0 {
		t.Errorf("one limit lowered for another: %+v", r)
	}
}

// A limit below the stored size would delete the oldest messages. setup does that to events only with the operator's
// consent, and never to deadlines.
func TestSetupDeletesNothingByDefault(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t).setUp(t)
	_, js := n.connect(t)
	change(t, js, "RINGLINE_REJECTED", func(c *jetstream.StreamConfig) { c.MaxBytes = -1 })
	change(t, js, "RINGLINE_TIMERS", func(c *jetstream.StreamConfig) { c.MaxBytes = -1 })
	fill := func(subject string) {
		t.Helper()
		for i := range 40 {
			if _, err := js.Publish(t.Context(), fmt.Sprintf(subject, i), make([]byte, 60_000)); err != nil {
				t.Fatal(err)
			}
		}
	}
	held := func(name string) uint64 {
		t.Helper()
		st, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return st.CachedInfo().State.Msgs
	}
	fill("ringline.demo.rejected.v%d")
	small := []string{"RINGLINE_REJECTED_MAX_BYTES=1MiB"}
	checkRefused(t, n.ringline(t, small, "setup"), []string{
		"RINGLINE_REJECTED holds 2.3MiB, and its oldest 1.3MiB would be deleted: raise RINGLINE_REJECTED_MAX_BYTES, or allow it with --drop-oldest",
	})
	if got := held("RINGLINE_REJECTED"); got != 40 {
		t.Errorf("%d of 40 refused messages are left", got)
	}
	if r := n.ringline(t, small, "setup", "--drop-oldest"); r.code != 0 || held("RINGLINE_REJECTED") > 20 {
		t.Errorf("--drop-oldest: %+v, %d are left", r, held("RINGLINE_REJECTED"))
	}
	fill("ringline.demo.timer.c%d.1")
	small = []string{"RINGLINE_TIMERS_MAX_BYTES=1MiB", "RINGLINE_CALLS_MAX_BYTES=8MiB", "RINGLINE_REJECTED_MAX_BYTES=1MiB"}
	checkRefused(t, n.ringline(t, small, "setup", "--drop-oldest"), []string{"RINGLINE_TIMERS holds 2.3MiB", "they are deadlines of calls"})
	if got := held("RINGLINE_TIMERS"); got != 40 {
		t.Errorf("%d of 40 deadlines are left", got)
	}
}
