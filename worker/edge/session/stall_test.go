package session_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/stall"
)

// A command that a client may have sent during a stall is not carried out, because its user may have given up long ago.
func TestStalledEdge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	var still atomic.Int64
	begun := time.Now()
	local := func() time.Time { return begun.Add(time.Duration(still.Load())) } // the test moves the time
	watch := stall.New(local, []*nats.Conn{w.NC}, zerolog.Nop(), nil)
	e := w.start(t, func(c *session.Config) { c.Stall = watch })
	ann := a.open(e, "ann", dialWebsocket, "")
	still.Store(int64(45 * time.Second))
	answer, _ := receive(t, "an answer", ann.Call("invite", `{"call_id":"c1","command_id":"k1","call_type":0,"callees":[{"user_id":"bob"}]}`))
	if !strings.Contains(string(answer), "unavailable") || !strings.Contains(string(answer), "paused") {
		t.Errorf("it is answered %s", answer)
	}
	run(t, watch.Run)
	eventually(t, "the stall is over", func() bool { return !watch.Stalled() })
	answer, _ = receive(t, "an answer", ann.Call("invite", `{"call_id":"c1","command_id":"k2","call_type":0,"callees":[{"user_id":"bob"}]}`))
	if !strings.Contains(string(answer), `"ok":true`) || !strings.Contains(string(answer), "c1") {
		t.Errorf("after that it is answered %s", answer)
	}
}
