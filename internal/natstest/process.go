package natstest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Process is a nats-server that runs in this process.
type Process struct {
	*server.Server

	log lines
}

// Run starts a server with these options and waits until it is ready. It stops when the test ends.
func Run(tb testing.TB, o *server.Options) *Process {
	tb.Helper()
	p := Begin(tb, o)
	p.Await(tb)
	return p
}

// Begin is Run without the wait.
func Begin(tb testing.TB, o *server.Options) *Process {
	tb.Helper()
	o.NoLog, o.NoSigs = true, true
	awaitFree(tb, o.Port)
	awaitFree(tb, o.Cluster.Port)
	srv, err := server.NewServer(o)
	if err != nil {
		tb.Fatalf("natstest: new server: %v", err)
	}
	p := &Process{Server: srv}
	srv.SetLogger(&p.log, false, false)
	srv.Start()
	tb.Cleanup(p.End)
	return p
}

// Await waits until the server is ready. If it does not get ready, the test fails with the log of the server and with what
// its goroutines do.
func (p *Process) Await(tb testing.TB) {
	tb.Helper()
	if !p.ReadyForConnections(within) {
		tb.Fatalf("natstest: the server is not ready after %v; its log:\n%s\nand its goroutines:\n%s", within, p.log.text(), serverStacks())
	}
}

// End stops the server.
func (p *Process) End() {
	p.Shutdown()
	p.WaitForShutdown()
}

// serverStacks returns the stacks of the goroutines that run code of servers.
func serverStacks() string {
	all := make([]byte, 8<<20)
	all = all[:runtime.Stack(all, true)]
	stacks := slices.DeleteFunc(strings.Split(string(all), "\n\n"), func(s string) bool { return !strings.Contains(s, "/nats-server/") })
	return strings.Join(stacks, "\n\n")
}

// lines is a log. It implements server.Logger.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(level, format string, v []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, level+" "+fmt.Sprintf(format, v...))
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}

func (l *lines) Noticef(format string, v ...any) { l.add("notice", format, v) }
func (l *lines) Warnf(format string, v ...any)   { l.add("warn", format, v) }
func (l *lines) Errorf(format string, v ...any)  { l.add("error", format, v) }
func (l *lines) Fatalf(format string, v ...any)  { l.add("fatal", format, v) }
func (l *lines) Debugf(string, ...any)           {}
func (l *lines) Tracef(string, ...any)           {}

// given are the ports that FreePort has returned.
var given sync.Map //nolint:gochecknoglobals // of this process, like the ports

// FreePort returns a port of 127.0.0.1 on which nothing listens, another one each time. It is below the ephemeral range, so that the system does
// not assign it to another process meanwhile.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for {
		port := 20000 + rand.IntN(10000) //nolint:gosec // not a secret
		if _, again := given.LoadOrStore(port, true); !again && isFree(tb, port) {
			return port
		}
	}
}

// awaitFree waits until nothing listens on the port. A server that stopped may still do: a program that another test of this
// process is about to start has its sockets for a moment, between fork and exec.
func awaitFree(tb testing.TB, port int) {
	tb.Helper()
	if port <= 0 {
		return
	}
	for until := time.Now().Add(within); !isFree(tb, port); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			tb.Fatalf("natstest: another program listens on port %d", port)
		}
	}
}

// isFree reports whether nothing listens on the port. It does not listen itself, because another process may then get the
// socket, as above.
func isFree(tb testing.TB, port int) bool {
	tb.Helper()
	c, err := new(net.Dialer).DialContext(tb.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
