package main

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringline.io/ringline/worker/meter"
)

// scrape returns all ringline_ series of a process.
func (d *devServer) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	status, body := d.get(t, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, body)
	}
	series := map[string]float64{}
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "ringline_") {
			continue
		}
		line = strings.TrimSpace(line)
		space := strings.LastIndexByte(line, ' ') // a label may contain spaces
		name, value := line[:space], line[space+1:]
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		series[name] = v
	}
	if !strings.Contains(body, "\ngo_goroutines ") || !strings.Contains(body, "\nprocess_") {
		t.Errorf("Go and the process are missing:\n%s", body)
	}
	return series
}

// shows polls until the process shows these values.
func (d *devServer) shows(t *testing.T, want map[string]float64) {
	t.Helper()
	got := map[string]float64{}
	poll(t, "metrics as wanted", func() bool {
		all := d.scrape(t)
		for name := range want {
			got[name] = all[name]
		}
		return maps.Equal(got, want)
	})
}

// names lists the metrics that a process shows, and checks their labels against their declarations.
func (d *devServer) names(t *testing.T) []string {
	t.Helper()
	declared := map[string]meter.Metric{}
	for _, m := range meter.Metrics() {
		declared[m.Name] = m
	}
	seen := map[string]bool{}
	label := regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
	for series := range d.scrape(t) {
		name, labels, _ := strings.Cut(series, "{")
		if _, there := declared[name]; !there {
			name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		}
		seen[name] = true
		for _, l := range label.FindAllStringSubmatch(labels, -1) {
			i := slices.IndexFunc(declared[name].Labels, func(x meter.Label) bool { return x.Name == l[1] })
			bucket := l[1] == "le" && len(declared[name].Buckets) > 0
			if !bucket && (i < 0 || l[1] != "version" && !slices.Contains(declared[name].Labels[i].Values, l[2])) {
				t.Errorf("%s: the label %s=%q is not declared", series, l[1], l[2])
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// declaredOf lists the declared metrics of workers in these roles.
func declaredOf(roles ...meter.Role) (names []string) {
	for _, m := range meter.Metrics() {
		if slices.Contains(append(roles, meter.OfEach), m.Of) {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}

func checkNames(t *testing.T, d *devServer, roles ...meter.Role) {
	t.Helper()
	if got, want := d.names(t), declaredOf(roles...); !slices.Equal(got, want) {
		t.Errorf("%v shows\n%q, want\n%q", d.cmd.Args, got, want)
	}
}

const idle = "ringline_backlog_messages"

// TestDevShowsMetrics plays a call and checks the counters.
func TestDevShowsMetrics(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c1")
	d.ok(t, "accept", "c1", "--user", "bob")
	d.ok(t, "leave", "c1", "--user", "ann")
	if r := d.run(t, "accept", "c2", "--user", "bob"); r.code != exitFailed {
		t.Errorf("accept of no call: %+v", r)
	}
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c3", "--timeout", "1s")
	d.shows(t, map[string]float64{
		`ringline_commands_total{outcome="ok",verb="invite"}`:        2,
		`ringline_commands_total{outcome="ok",verb="accept"}`:        1,
		`ringline_commands_total{outcome="not_found",verb="accept"}`: 1,
		`ringline_commands_total{outcome="ok",verb="leave"}`:         1,
		`ringline_commands_total{outcome="ok",verb="expire"}`:        1,
		`ringline_command_seconds_count{verb="invite"}`:              2,
		`ringline_timer_lateness_seconds_count`:                      1,
		`ringline_sweep_overdue_total`:                               0,
		`ringline_errors_total{component="nats_server"}`:             0,
		`ringline_storage_limit_bytes`:                               64 << 30,
		idle + `{consumer="coordinators"}`:                           0,
		idle + `{consumer="timeouts"}`:                               0,
	})
	checkNames(t, d, meter.OfCoordinator, meter.OfTimeouts, meter.OfEdge)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap"} {
		if status, _ := d.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s without the setting: %d", path, status)
		}
	}
}

// TestMetricsWhileNATSIsDown scrapes before NATS starts, while it runs, after it stops, and while it hangs. The backlog
// is present only if NATS reports it.
func TestMetricsWhileNATSIsDown(t *testing.T) {
	t.Parallel()
	n := newNATS(t)
	c, w := n.startWorker(t, "coordinator"), n.startWorker(t, "timeouts")
	for _, d := range []*devServer{c, w} {
		d.wait(&d.stderr, `NATS is unreachable`)
		if v := d.scrape(t)[`ringline_errors_total{component="nats"}`]; v != 0 {
			t.Errorf("to wait for NATS is %v errors", v)
		}
	}
	n.start(t).setUp(t)
	backlog := func(d *devServer, consumer string, there bool) {
		t.Helper()
		poll(t, "backlog as wanted", func() bool {
			_, ok := d.scrape(t)[idle+`{consumer="`+consumer+`"}`]
			return ok == there
		}, &d.stderr)
	}
	backlog(c, "coordinators", true)
	backlog(w, "timeouts", true)
	checkNames(t, c.running(t), meter.OfCoordinator)
	checkNames(t, w.running(t), meter.OfTimeouts)
	c.ok(t, "invite", "bob", "--user", "ann", "--call", "c1")

	n.stop()
	backlog(c, "coordinators", false)
	backlog(w, "timeouts", false)
	if got := c.scrape(t)[`ringline_commands_total{outcome="ok",verb="invite"}`]; got != 1 {
		t.Errorf("%v invitations", got)
	}
	n.start(t)
	backlog(c, "coordinators", true)
	backlog(w, "timeouts", true)
}

// TestMetricsWhileNATSHangs: the connection is up, but NATS does not answer.
func TestMetricsWhileNATSHangs(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	n := &natsServer{url: d.nats}
	w := n.startWorker(t, "timeouts").running(t)
	there := func() bool { _, ok := w.scrape(t)[idle+`{consumer="timeouts"}`]; return ok }
	poll(t, "backlog", there)
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	poll(t, "metrics without a backlog", func() bool { return !there() })
	if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	poll(t, "backlog again", there)
}

// TestSweepSettings: the sweep finds a missed deadline after the configured time, and not earlier.
func TestSweepSettings(t *testing.T) {
	t.Parallel()
	n := newNATS(t).start(t).setUp(t)
	_, js := n.connect(t)
	for call, ago := range map[string]time.Duration{"old": 2 * time.Hour, "young": 30 * time.Minute} {
		body := fmt.Sprintf(`{"call_id":%q,"seq":1,"deadline":%q}`, call, time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05.000Z"))
		if _, err := js.Publish(t.Context(), "ringline.demo.timer."+call+".1", []byte(body)); err != nil { // without a schedule
			t.Fatal(err)
		}
	}
	w := n.startWorker(t, "timeouts", "RINGLINE_SWEEP_EVERY=1s", "RINGLINE_SWEEP_OVERDUE=1h").running(t)
	w.wait(&w.stderr, `"count":1,.*found missed deadlines`)
	w.shows(t, map[string]float64{`ringline_sweep_overdue_total`: 1, `ringline_timer_lateness_seconds_count`: 1})
	later := n.startWorker(t, "timeouts", "RINGLINE_SWEEP_EVERY=1s").running(t)
	later.wait(&later.stderr, `"count":1,.*found missed deadlines`)
	w.shows(t, map[string]float64{`ringline_sweep_overdue_total`: 1})
}

// TestProfiles: the setting enables profiles, but never the command line, which may contain a password.
func TestProfiles(t *testing.T) {
	t.Parallel()
	w := newNATS(t).startWorker(t, "timeouts", "RINGLINE_PPROF=true")
	for path, want := range map[string]int{
		"/debug/pprof/": http.StatusOK, "/debug/pprof/heap": http.StatusOK, "/debug/pprof/profile?seconds=1": http.StatusOK,
		"/debug/pprof/trace?seconds=0.1": http.StatusOK, "/debug/pprof/symbol": http.StatusOK,
		"/debug/pprof/cmdline": http.StatusNotFound, "/metrics": http.StatusOK, "/metric": http.StatusNotFound,
	} {
		if status, body := w.get(t, path); status != want || body == "" {
			t.Errorf("%s: %d %.200q, want %d", path, status, body, want)
		}
	}
}

// TestGCSettings: coordinators and timeouts workers run with GOGC 400, an edge with its sessions with 100. The
// variable GOGC overrides both.
func TestGCSettings(t *testing.T) {
	t.Parallel()
	n := newNATS(t)
	for _, x := range []struct{ kind, env, want string }{
		{"coordinator", "GOGC=", "400"}, {"timeouts", "GOGC=", "400"}, {"edge", "GOGC=", "100"}, {"coordinator", "GOGC=150", "150"},
	} {
		_, body := n.startWorker(t, x.kind, x.env).get(t, "/metrics")
		if !strings.Contains(body, "\ngo_gc_gogc_percent "+x.want+"\n") {
			t.Errorf("%s with %s has not %s %%", x.kind, x.env, x.want)
		}
	}
}
