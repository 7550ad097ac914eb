package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
)

// within is the timeout for things that should take milliseconds.
const within = time.Minute

// bin is the folder of the programs under test.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "ringline-test-"); err == nil {
		err = build(bin, "", "ringline.io/ringline/cmd/ringline", "ringline.io/ringline/examples/event-log")
	}
	code := 1
	if err == nil {
		code = natstest.RunParallel(m, 4)
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = os.RemoveAll(bin)
	os.Exit(code)
}

// build builds programs into a folder, with the race detector if the tests have it.
func build(dir, tag string, programs ...string) error {
	args := []string{"build", "-ldflags=-s -w", "-tags", tag, "-o", dir + "/"} // without symbols, linking is a third faster
	if info, ok := debug.ReadBuildInfo(); ok &&
		slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(context.Background(), "go", append(args, programs...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return nil
}

// program prepares a program without the developer's settings. TMPDIR is bin, so that leftovers of a killed program are
// removed. A data race exits with 66, and so fails the test.
func program(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(bin, name), args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "RINGLINE_") })
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0", "TMPDIR="+bin)
	return cmd
}

// result is the output and the exit code of a program.
type result struct {
	stdout, stderr string
	code           int
}

// execute runs a program to its end.
func execute(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(2*within, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// process is a running program.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	done   chan struct{} // closed once it has exited
	stdout lines
	stderr lines
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, done: make(chan struct{})}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var read sync.WaitGroup
	read.Go(func() { p.stdout.read(out) })
	read.Go(func() { p.stderr.read(errs) })
	go func() {
		read.Wait()
		_ = cmd.Wait() // end checks the exit code
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have exited
	<-p.done
}

// end sends the signal and requires exit code 0.
func (p *process) end(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("%v has not ended %v after %v\n%s", p.cmd.Args, within, sig, p.stderr.all())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%v ended with %d\n%s", p.cmd.Args, code, p.stderr.all())
	}
}

// wait waits for a line that matches, and returns its groups.
func (p *process) wait(from *lines, pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var m []string
	ended := false
	poll(p.t, fmt.Sprintf("a line %q of %v", pattern, p.cmd.Args), func() bool {
		select {
		case <-p.done:
			ended = true
		default:
		}
		for _, line := range from.list() {
			if m = re.FindStringSubmatch(line); m != nil {
				return true
			}
		}
		if ended {
			p.t.Fatalf("%v ended with %d without a line %q\n%s%s", p.cmd.Args, p.cmd.ProcessState.ExitCode(), pattern,
				p.stdout.all(), p.stderr.all())
		}
		return false
	}, &p.stdout, &p.stderr)
	return m
}

// lines is the output of a program so far.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) read(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		l.mu.Lock()
		l.text = append(l.text, s.Text())
		l.mu.Unlock()
	}
}

func (l *lines) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.text)
}

func (l *lines) all() string { return strings.Join(l.list(), "\n") + "\n" }

// poll waits until so is true.
func poll(t *testing.T, what string, so func() bool, show ...*lines) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !so() {
		if time.Now().After(deadline) {
			seen := ""
			for _, l := range show {
				seen += l.all()
			}
			t.Fatalf("no %s within %v\n%s", what, within, seen)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// devServer is a running `ringline dev`.
type devServer struct {
	*process

	nats, http string // URLs
	key        string // in the URL of its page
}

// startDev starts dev, on free ports unless args name some, and waits until it is ready.
func startDev(t *testing.T, args ...string) *devServer {
	t.Helper()
	args = append([]string{"dev", "--http", "127.0.0.1:0"}, args...)
	if !slices.Contains(args, "--port") {
		args = append(args, "--port", "0")
	}
	d := &devServer{process: start(t, program("ringline", args...))}
	d.wait(&d.stdout, `^(Next|Or), +in a second terminal:`)
	d.nats = d.wait(&d.stdout, `^  NATS +(nats://127\.0\.0\.1:\d+)$`)[1]
	d.http = d.wait(&d.stdout, `^  HTTP +(http://127\.0\.0\.1:\d+)/healthz`)[1]
	d.key = d.wait(&d.stdout, `^Next, in a browser: +http://127\.0\.0\.1:\d+/\?key=([0-9a-f]{32})$`)[1]
	if status, body := d.get(t, "/readyz"); status != http.StatusOK {
		t.Fatalf("/readyz: %d %s", status, body)
	}
	return d
}

func (d *devServer) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.http+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// run runs a subcommand against the server.
func (d *devServer) run(t *testing.T, args ...string) result {
	t.Helper()
	return execute(t, program("ringline", append(args, "--nats-url", d.nats)...))
}

// ok runs a subcommand with --json that must succeed, and returns the call of its answer.
func (d *devServer) ok(t *testing.T, args ...string) map[string]any {
	t.Helper()
	r := d.run(t, append(args, "--json")...)
	var answer struct {
		OK   bool           `json:"ok"`
		Call map[string]any `json:"call"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &answer); err != nil || r.code != 0 || !answer.OK || r.stderr != "" {
		t.Fatalf("%v: %+v, %v", args, r, err)
	}
	return answer.Call
}
