package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

func TestDevPrintsItsAddresses(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d := startDev(t, "--data", data)

	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/healthz": {http.StatusOK, "ok\n"},
		"/livez":   {http.StatusOK, "ok\n"},
		"/readyz":  {http.StatusOK, `{"ready":true}` + "\n"},
		"/nothing": {http.StatusNotFound, "not found: there are /healthz, /livez, /readyz, /metrics; calls are made over NATS\n"},
	} {
		if status, body := d.get(t, path); status != want.status || body != want.body {
			t.Errorf("%s: %d %q, want %d %q", path, status, body, want.status, want.body)
		}
	}
	printed := d.stdout.list()
	last := fmt.Sprintf("Or,   in a second terminal:  %s watch --user bob --nats-url %s", d.cmd.Path, d.nats)
	if got := printed[len(printed)-1]; got != last {
		t.Errorf("the last line is %q, want %q", got, last)
	}
	d.wait(&d.stdout, `^  data +`+data+`$`)
	d.wait(&d.stdout, `power failure may lose .* 2 minutes`)

	d.end(syscall.SIGTERM)
	d.wait(&d.stderr, `"level":"info".*stopping`) // JSON, because stderr is not a terminal
	again := startDev(t, "--data", data)          // the first run leaves nothing that blocks a second one
	again.end(syscall.SIGINT)
}

func TestDevInMemoryLeavesNoFiles(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	cmd := program("ringline", "dev", "--port", "0", "--http", "127.0.0.1:0", "--memory")
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	cmd.Dir = t.TempDir()
	p := start(t, cmd)
	d := &devServer{process: p, nats: p.wait(&p.stdout, `^  NATS +(\S+)$`)[1]}
	p.wait(&p.stdout, `^Next, `)

	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c1", "--timeout", "1s")
	poll(t, "timeout in memory", func() bool { return d.ok(t, "get", "c1")["end_reason"] == "timed_out" })

	p.end(syscall.SIGTERM)
	for _, dir := range []string{temp, cmd.Dir} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", dir, left, err)
		}
	}
}

func TestDevRefusesUsedPorts(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	addr := taken.Addr().String()
	_, port, _ := strings.Cut(addr, ":")

	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"NATS port": {
			[]string{"--port", port, "--http", "127.0.0.1:0"},
			[]string{"another program listens on " + addr + ";", "--port N"},
		},
		"HTTP port": {
			[]string{"--port", "0", "--http", addr},
			[]string{"another program listens on " + addr + ";", "--http ADDR"},
		},
		"impossible port":    {[]string{"--port", "70000", "--http", "127.0.0.1:0"}, []string{"--port 70000: ", "invalid port"}},
		"impossible address": {[]string{"--port", "0", "--http", "nowhere"}, []string{`--http must be host:port such as 127.0.0.1:8081, or off, got "nowhere"`}},
		"no address":         {[]string{"--port", "0", "--http", ""}, []string{`--http must be host:port such as 127.0.0.1:8081, or off, got ""`}},
		"another's address":  {[]string{"--port", "0", "--http", "192.0.2.1:0"}, []string{"--http 192.0.2.1:0: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			r := execute(t, program("ringline", append([]string{"dev", "--data", data}, c.args...)...))
			checkRefused(t, r, c.want)
			if _, err := os.Stat(data); !os.IsNotExist(err) {
				t.Errorf("it half started: %s: %v", data, err)
			}
		})
	}
}

func TestDevRefusesDataFolderInUse(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d := startDev(t, "--data", data)
	r := execute(t, program("ringline", "dev", "--port", "0", "--http", "127.0.0.1:0", "--data", data))
	checkRefused(t, r, []string{
		fmt.Sprintf("another ringline dev (pid %d) uses the data folder %s;", d.cmd.Process.Pid, data), "--data DIR", "--memory",
	})
	d.ok(t, "invite", "bob", "--user", "ann") // the first is not affected
}

// checkRefused requires one line on stderr that contains all of want, and no other output.
func checkRefused(t *testing.T, r result, want []string) {
	t.Helper()
	if r.code != exitFailed || r.stdout != "" || !strings.HasPrefix(r.stderr, "ringline: ") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("want one line and exit code 1, got %+v", r)
	}
	for _, w := range want {
		if !strings.Contains(r.stderr, w) {
			t.Errorf("%q is missing in %q", w, r.stderr)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ variable, want string }{
		{"RINGLINE_RING_TIMOUT=30s", "RINGLINE_RING_TIMOUT is not a setting; did you mean RINGLINE_RING_TIMEOUT?"},
		{"RINGLINE_FROBNICATE=1", "RINGLINE_FROBNICATE is not a setting; the settings are: RINGLINE_NATS_URL, RINGLINE_APP,"},
		{"RINGLINE_RING_TIMEOUT=", "RINGLINE_RING_TIMEOUT is empty: set a value or unset it"},
		{"RINGLINE_RING_TIMEOUT=60", `RINGLINE_RING_TIMEOUT must be a duration such as 90s, 15m or 12h, got "60"`},
		{"RINGLINE_RING_TIMEOUT=601s", "RINGLINE_RING_TIMEOUT must be whole seconds from 1s to 600s, got 10m1s"},
		{"RINGLINE_RING_TIMEOUT=1500ms", "RINGLINE_RING_TIMEOUT must be whole seconds from 1s to 600s, got 1.5s"},
		{"RINGLINE_MAX_CALLEES=0", "RINGLINE_MAX_CALLEES must be from 1 to 50, got 0"},
		{"RINGLINE_MAX_CALLEES=many", `RINGLINE_MAX_CALLEES must be an integer, got "many"`},
		{"RINGLINE_MAX_DURATION=18h", "maximum duration 18h0m0s + 1h must be at most the TTL of lines, 18h0m0s"},
		{"RINGLINE_PARALLEL=0", "RINGLINE_PARALLEL must be at least 1, got 0"},
		{"RINGLINE_API_TIMEOUT=0s", "RINGLINE_API_TIMEOUT must be above 0, got 0s"},
		{"RINGLINE_SWEEP_EVERY=999ms", "RINGLINE_SWEEP_EVERY must be at least 1s, got 999ms"},
		{"RINGLINE_SWEEP_OVERDUE=-5s", "RINGLINE_SWEEP_OVERDUE must be at least 1s, got -5s"},
		{"RINGLINE_SWEEP_EVERY=often", `RINGLINE_SWEEP_EVERY must be a duration such as 90s, 15m or 12h, got "often"`},
		{"RINGLINE_PPROF=yes", `RINGLINE_PPROF must be true or false, got "yes"`},
		{"RINGLINE_HTTP=8080", `RINGLINE_HTTP must be host:port such as 127.0.0.1:8081, or off, got "8080"`},
		{"RINGLINE_HTTP=localhost:99999", `RINGLINE_HTTP must be host:port such as 127.0.0.1:8081, or off, got "localhost:99999"`},
		{"RINGLINE_NATS_URL=http://x:1", "RINGLINE_NATS_URL must be URLs such as nats://host:4222 (or tls, ws, wss), with commas between them"},
		{"RINGLINE_INBOX_PREFIX=a.>", "RINGLINE_INBOX_PREFIX must be a subject without wildcards"},
		{"RINGLINE_LOG_LEVEL=loud", `RINGLINE_LOG_LEVEL must be debug, info, warn or error, got "loud"`},
		{"RINGLINE_REPLICAS=3", "RINGLINE_REPLICAS is 3, but dev has only one node"},
		{"RINGLINE_NATS_URL=nats://me:hush@h:port", "RINGLINE_NATS_URL must be URLs such as nats://host:4222 (or tls, ws, wss),"},
		{"RINGLINE_EDGE_PING_EVERY=2500ms", "RINGLINE_EDGE_PING_EVERY must be whole seconds from 2s to 1m0s, got 2.5s"},
		{"RINGLINE_EDGE_PONG_WITHIN=10s", "RINGLINE_EDGE_PONG_WITHIN must be at least 1s and less than RINGLINE_EDGE_PING_EVERY, got 10s"},
		{"RINGLINE_APP=a.b", "RINGLINE_APP: must be 1 to 64 characters"},
	} {
		t.Run(c.variable, func(t *testing.T) {
			t.Parallel()
			cmd := program("ringline", "dev", "--port", "0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
			cmd.Env = append(cmd.Env, c.variable)
			checkRefused(t, execute(t, cmd), []string{c.want})
		})
	}
}

func TestSettingsTakeEffect(t *testing.T) {
	t.Parallel()
	cmd := program("ringline", "dev", "--port", "0", "--http", "127.0.0.1:0", "--memory")
	cmd.Env = append(cmd.Env, "RINGLINE_RING_TIMEOUT=7s", "RINGLINE_MAX_CALLEES=2", "RINGLINE_INBOX_PREFIX=_REPLIES", "PORT=1", "HTTP=x")
	p := start(t, cmd)
	url := p.wait(&p.stdout, `^  NATS +(\S+)$`)[1]
	p.wait(&p.stdout, `^Next, `)

	client := func(args ...string) result {
		cmd := program("ringline", args...)
		cmd.Env = append(cmd.Env, "RINGLINE_NATS_URL="+url, "RINGLINE_INBOX_PREFIX=_REPLIES", "RINGLINE_APP=other")
		return execute(t, cmd)
	}
	r := client("invite", "bob", "--user", "ann", "--call", "c1")
	if r.code != 0 || !strings.Contains(r.stdout, "rings 7s") {
		t.Errorf("ring timeout of 7s: %+v", r)
	}
	if r := client("get", "c1", "--json"); !strings.Contains(r.stdout, `"app":"other"`) {
		t.Errorf("app other: %+v", r)
	}
	if r := client("get", "c1", "--app", "demo"); r.code != exitFailed || !strings.Contains(r.stderr, "not_found") {
		t.Errorf("the flag overrides the environment: %+v", r)
	}
	if r := client("invite", "a", "b", "c", "--user", "joe"); r.code != exitFailed || !strings.Contains(r.stderr, "at most 2") {
		t.Errorf("at most 2 callees: %+v", r)
	}
}

// dev moves streams from the default account of NATS, where earlier versions stored them, to its own account. If both
// accounts have streams, it refuses.
func TestDevMovesTheStoredAccount(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	n := newNATS(t, func(o *server.Options) { o.StoreDir = data }).start(t).setUp(t)
	w := n.startWorker(t, "coordinator").running(t)
	w.ok(t, "invite", "bob", "--user", "ann", "--call", "long", "--timeout", "600s")
	w.end(syscall.SIGTERM)
	n.stop()

	d := startDev(t, "--data", data)
	d.wait(&d.stderr, `"from":"jetstream/\$G","to":"jetstream/RINGLINE"`)
	if c := d.ok(t, "get", "long"); c["state"] != "ringing" {
		t.Errorf("the call is %v", c)
	}
	d.ok(t, "accept", "long", "--user", "bob")
	d.end(syscall.SIGTERM)
	again := startDev(t, "--data", data)
	if c := again.ok(t, "get", "long"); c["state"] != "active" {
		t.Errorf("after a restart the call is %v", c)
	}
	again.end(syscall.SIGTERM)

	if err := os.MkdirAll(filepath.Join(data, "jetstream", "$G", "streams", "RINGLINE_CALLS"), 0o750); err != nil {
		t.Fatal(err)
	}
	r := execute(t, program("ringline", "dev", "--http", "127.0.0.1:0", "--port", "0", "--data", data))
	if r.code == 0 || !strings.Contains(r.stderr, "there are two accounts with streams") {
		t.Errorf("with both: %+v", r)
	}
}
