package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/natstest"
)

const loopback = "127.0.0.1"

// natsServer is a nats-server of the test. It keeps its folder and port over a restart.
type natsServer struct {
	options server.Options
	url     string
	srv     *natstest.Process
}

func newNATS(t *testing.T, change ...func(*server.Options)) *natsServer {
	t.Helper()
	port := natstest.FreePort(t)
	n := &natsServer{
		options: server.Options{
			Host: loopback, Port: port, JetStream: true, StoreDir: t.TempDir(),
			JetStreamMaxStore: 64 << 30,
		},
		url: fmt.Sprintf("nats://%s:%d", loopback, port),
	}
	for _, c := range change {
		c(&n.options)
	}
	return n
}

func (n *natsServer) start(t *testing.T) *natsServer {
	t.Helper()
	n.begin(t)
	n.srv.Await(t)
	return n
}

// begin starts the server and does not wait until it is ready.
func (n *natsServer) begin(t *testing.T) {
	t.Helper()
	options := n.options
	n.srv = natstest.Begin(t, &options)
}

func (n *natsServer) stop() {
	if n.srv != nil {
		n.srv.End()
	}
}

// ringline runs a subcommand against the server.
func (n *natsServer) ringline(t *testing.T, env []string, args ...string) result {
	t.Helper()
	cmd := program("ringline", args...)
	cmd.Env = append(append(cmd.Env, "RINGLINE_NATS_URL="+n.url), env...)
	return execute(t, cmd)
}

func (n *natsServer) setUp(t *testing.T) *natsServer {
	t.Helper()
	if r := n.ringline(t, nil, "setup"); r.code != 0 {
		t.Fatalf("setup: %+v", r)
	}
	return n
}

// unlimited lifts the quota of the app, for tests that make as many calls as the machine can: on a fast one they exceed it.
func (n *natsServer) unlimited(t *testing.T) *natsServer {
	t.Helper()
	if r := n.ringline(t, nil, "app", "set", "demo", "--commands-per-s", "1000000", "--bytes-per-s", "1GiB"); r.code != exitOK {
		t.Fatalf("app set: %+v", r)
	}
	return n
}

// connect opens a connection for the test itself.
func (n *natsServer) connect(t *testing.T) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := nats.Connect(n.url, nats.Timeout(within), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

// startWorker starts a worker, and does not wait until it is ready.
func (n *natsServer) startWorker(t *testing.T, kind string, env ...string) *devServer {
	t.Helper()
	return n.startBuild(t, "ringline", kind, env...)
}

// startBuild starts a worker of another build.
func (n *natsServer) startBuild(t *testing.T, build, kind string, env ...string) *devServer {
	t.Helper()
	cmd := program(build, kind)
	cmd.Env = append(append(cmd.Env, "RINGLINE_HTTP=127.0.0.1:0", "RINGLINE_NATS_URL="+n.url), env...)
	p := start(t, cmd)
	return &devServer{process: p, nats: n.url, http: "http://" + p.wait(&p.stderr, `"address":"([^"]+)"`)[1]}
}

func (d *devServer) running(t *testing.T) *devServer {
	t.Helper()
	d.wait(&d.stderr, ` is running"`)
	return d
}

// count counts the log lines that contain text.
func (d *devServer) count(text string) (n int) {
	for _, line := range d.stderr.list() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (d *devServer) readiness(t *testing.T, status int, want string) {
	t.Helper()
	var body string
	poll(t, fmt.Sprintf("/readyz with %d %q of %v", status, want, d.cmd.Args), func() bool {
		var got int
		got, body = d.get(t, "/readyz")
		return got == status && strings.Contains(body, want)
	}, &d.stderr)
}

// TestWorkersWaitAndSurvive starts workers before NATS and before setup. Then NATS stops and restarts, and a consumer
// is deleted.
func TestWorkersWaitAndSurvive(t *testing.T) {
	t.Parallel()
	n := newNATS(t)
	workers := []*devServer{n.startWorker(t, "coordinator"), n.startWorker(t, "timeouts")}
	for _, w := range workers {
		w.wait(&w.stderr, `NATS is unreachable, waiting for it`)
		w.readiness(t, http.StatusServiceUnavailable, "waiting for NATS at "+n.url)
	}
	n.start(t)
	for i, missing := range []string{"RINGLINE_COMMANDS", "RINGLINE_TIMERS"} {
		w := workers[i]
		w.wait(&w.stderr, `connected to NATS`)
		w.wait(&w.stderr, "stream "+missing+" is missing; run `ringline setup`")
		w.readiness(t, http.StatusServiceUnavailable, `"waiting: not set up: stream `+missing)
	}
	n.setUp(t)
	for _, w := range workers {
		w.running(t).readiness(t, http.StatusOK, "true")
		for _, line := range []string{"NATS is unreachable", "connected to NATS", "is running"} {
			if got := w.count(line); got != 1 {
				t.Errorf("%v said %q %d times\n%s", w.cmd.Args, line, got, w.stderr.all())
			}
		}
	}
	works := func(call string) {
		t.Helper()
		workers[0].ok(t, "invite", "bob-"+call, "--user", "ann-"+call, "--call", call, "--timeout", "1s")
		poll(t, "end of "+call, func() bool { return workers[0].ok(t, "get", call)["end_reason"] == "timed_out" },
			&workers[0].stderr, &workers[1].stderr)
	}
	works("c1")

	n.stop()
	for _, w := range workers {
		w.readiness(t, http.StatusServiceUnavailable, "waiting for NATS at ")
	}
	n.start(t)
	for _, w := range workers {
		w.readiness(t, http.StatusOK, "true")
	}
	works("c2")
	for _, w := range workers {
		if got := w.count("NATS is unreachable"); got != 2 {
			t.Errorf("%v logged %d times that NATS is unreachable\n%s", w.cmd.Args, got, w.stderr.all())
		}
	}

	_, js := n.connect(t)
	for stream, consumer := range map[string]string{"RINGLINE_COMMANDS": "coordinators", "RINGLINE_TIMERS": "timeouts"} {
		if err := js.DeleteConsumer(t.Context(), stream, consumer); err != nil {
			t.Fatal(err)
		}
	}
	works("c3")
	for _, w := range workers {
		w.end(syscall.SIGTERM)
		if lines := w.stderr.list(); len(lines) > 30 {
			t.Errorf("%v said too much:\n%s", w.cmd.Args, w.stderr.all())
		}
	}
}

// TestStoppedWhileItWaits stops a worker that has never connected to NATS, and one that lost its connection.
func TestStoppedWhileItWaits(t *testing.T) {
	t.Parallel()
	n := newNATS(t)
	never := n.startWorker(t, "coordinator")
	never.wait(&never.stderr, `NATS is unreachable`)
	never.end(syscall.SIGTERM)
	silent := start(t, program("ringline", "timeouts", "--http", "off", "--nats-url", n.url))
	silent.wait(&silent.stderr, `NATS is unreachable`)
	silent.end(syscall.SIGTERM)
	if strings.Contains(silent.stderr.all(), "HTTP") {
		t.Errorf("it serves HTTP although that is off\n%s", silent.stderr.all())
	}

	n.start(t)
	unset := n.startWorker(t, "timeouts")
	unset.wait(&unset.stderr, `run .ringline setup`)
	unset.end(syscall.SIGINT)

	n.setUp(t)
	lost := []*devServer{n.startWorker(t, "coordinator").running(t), n.startWorker(t, "timeouts").running(t)}
	n.stop()
	for _, w := range lost {
		w.wait(&w.stderr, `NATS is unreachable`)
		w.end(syscall.SIGTERM)
	}
}

// TestSecondSignal ends a worker at once that cannot finish, because NATS hangs.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	dev := startDev(t, "--data", filepath.Join(t.TempDir(), "data"))
	n := &natsServer{url: dev.nats}
	w := n.startWorker(t, "coordinator").running(t)
	if err := dev.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	w.wait(&w.stderr, `stopping`)
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.done:
	case <-time.After(within):
		t.Fatalf("the second signal has not ended it after %v", within)
	}
	if status, ok := w.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("it was not the second signal that ended it: %v\n%s", w.cmd.ProcessState, w.stderr.all())
	}
}

// two starts two workers of each kind, and prepares the players.
func two(t *testing.T) (js jetstream.JetStream, coordinators, timers []*devServer, p *players) {
	t.Helper()
	n := newNATS(t).start(t).setUp(t).unlimited(t)
	nc, js := n.connect(t)
	for range 2 {
		coordinators, timers = append(coordinators, n.startWorker(t, "coordinator")), append(timers, n.startWorker(t, "timeouts"))
	}
	for i := range coordinators {
		coordinators[i].running(t)
		timers[i].running(t)
	}
	return js, coordinators, timers, &players{t: t, nc: nc, ends: map[string]string{}, made: make(chan struct{}, 100_000)}
}

// TestScaledWorkers stops workers under a continuous load of calls.
func TestScaledWorkers(t *testing.T) {
	t.Parallel()
	js, coordinators, timers, p := two(t)
	stop := make(chan struct{})
	playing := p.play(8, stop)
	p.wait()
	timers[0].end(syscall.SIGTERM)
	coordinators[0].end(syscall.SIGTERM)
	p.wait()
	close(stop)
	playing.Wait()
	p.check(coordinators[1])
	if p.lost > 0 || p.turnDown > 0 {
		t.Errorf("%d requests got no reply, %d were turned down by an api that stopped", p.lost, p.turnDown)
	}
	if all, distinct := deliveries(t, js, "RINGLINE_COMMANDS", "coordinators"); all != distinct || all < 100 {
		t.Errorf("%d commands were delivered %d times", distinct, all)
	}
	st, err := js.Stream(t.Context(), "RINGLINE_TIMERS")
	if err != nil {
		t.Fatal(err)
	}
	info, err := st.Info(t.Context(), jetstream.WithSubjectFilter("ringline.*.due.>")) // each subject has one message
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := deliveries(t, js, "RINGLINE_TIMERS", "timeouts"); all != uint64(len(info.State.Subjects)) || all == 0 {
		t.Errorf("%d deadlines that came due were delivered %d times", len(info.State.Subjects), all)
	}
}

// TestKilledWorkers kills one of two workers of each kind under a continuous load of calls.
func TestKilledWorkers(t *testing.T) {
	t.Parallel()
	_, coordinators, timers, p := two(t)
	stop := make(chan struct{})
	playing := p.play(8, stop)
	p.wait()
	coordinators[0].kill()
	timers[0].kill()
	p.wait()
	close(stop)
	playing.Wait()
	p.check(coordinators[1])
}
