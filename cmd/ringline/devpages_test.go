package main

import (
	"net/http"
	"syscall"
	"testing"
)

// An edge does not serve the pages of dev. Both serve client sessions.
func TestPagesOfDevAndEdge(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	d.serves(t, map[string]int{
		"/": http.StatusOK, "/ringline.js": http.StatusOK, "/dev/token?user_id=ann": http.StatusForbidden, "/dev/events": http.StatusForbidden,
		"/dev/token?user_id=ann&key=" + d.key: http.StatusOK,
		"/connection/sse":                     http.StatusMethodNotAllowed, "/connection/websocket": http.StatusBadRequest,
	})
	cmd := program("ringline", "edge", "--http", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "RINGLINE_NATS_URL="+d.nats)
	p := start(t, cmd)
	e := &devServer{process: p, http: "http://" + p.wait(&p.stderr, `"address":"([^"]+)"`)[1]}
	p.wait(&p.stderr, `edge is running`)
	e.serves(t, map[string]int{
		"/": http.StatusNotFound, "/ringline.js": http.StatusNotFound, "/dev/token?user_id=ann": http.StatusNotFound, "/dev/events": http.StatusNotFound,
		"/connection/sse": http.StatusMethodNotAllowed, "/connection/websocket": http.StatusBadRequest, "/readyz": http.StatusOK,
	})
	p.end(syscall.SIGTERM)
}

// serves checks the status of each path, once client sessions are accepted.
func (d *devServer) serves(t *testing.T, want map[string]int) {
	t.Helper()
	poll(t, "sessions", func() bool {
		status, _ := d.get(t, "/connection/sse")
		return status != http.StatusServiceUnavailable
	})
	for path, status := range want {
		if got, _ := d.get(t, path); got != status {
			t.Errorf("%s: %d, want %d", path, got, status)
		}
	}
}
