package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ringline.io/ringline/worker/edge/session"
)

// Official SDKs never reconnect after a final code, so only these may be final: what reconnecting can't repair.
func TestFinalCodes(t *testing.T) {
	t.Parallel()
	final := map[session.Code]bool{
		session.InvalidToken: true, session.BadRequest: true, session.ForceDisconnect: true, session.Denied: true, session.Replaced: true,
	}
	for _, c := range session.Codes() {
		if is := c >= 3500 && c < 4000 || c >= 4500 && c < 5000; is != final[c] {
			t.Errorf("%d %s: final: %v", c, c, is)
		}
		if c.String() == "unknown" {
			t.Errorf("%d has no text", c)
		}
	}
}

// A client whose connect command does not arrive in time is closed without a code, after which it reconnects.
// centrifuge's own code for this is final.
func TestLateConnectCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Connect, c.Limits.Open = 500*time.Millisecond, time.Minute })
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, e.url+session.PathWebsocket, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	ann := a.open(e, "ann", dialWebsocket, "")
	_, _, err = conn.Read(ctx)
	if code := websocket.CloseStatus(err); err == nil || code != -1 {
		t.Errorf("closed with %d: %v", code, err)
	}
	ann.works() // it sent its command in time, and stays
}
