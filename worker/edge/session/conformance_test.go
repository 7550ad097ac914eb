package session_test

import (
	"net/http"
	"path"
	"testing"
	"time"

	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

// Every transport keeps every promise, whatever the local clock says.
func TestConformance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ahead := map[string]time.Duration{session.PathHTTPStream: 70 * time.Second, session.PathSSE: -70 * time.Second}
	for transport, dial := range transports() {
		t.Run(path.Base(transport), func(t *testing.T) {
			t.Parallel()
			edgetest.Run(t, w, edgetest.Adapter{
				Start: func(t *testing.T, l edgetest.Limits) edgetest.Edge {
					t.Helper()
					e := w.start(t, func(c *session.Config) { c.Limits, c.Clock = limits(c.Limits, l), w.Clock(t, ahead[transport]) })
					e.dial = dial
					return e
				},
				// The client can miss the close frame: TCP resets a connection that is closed with unread data.
				TooBig: []int{http.StatusRequestEntityTooLarge, messageTooBig, abnormal},
			})
		})
	}
}

// messageTooBig is the WebSocket close code for a message over the limit.
const messageTooBig = 1009

// limits returns the usual limits, with those that a test sets. Limits that it does not set are wide.
func limits(usual session.Limits, want edgetest.Limits) session.Limits {
	const wide = 100_000
	least := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	rate := func(burst int) session.Rate {
		if burst == 0 {
			return session.Rate{PerSecond: wide, Burst: wide}
		}
		return session.Rate{PerSecond: 1e-6, Burst: burst}
	}
	usual.SessionsPerUser = least(want.SessionsPerUser, usual.SessionsPerUser)
	usual.SessionsPerAddress = least(want.SessionsPerAddress, usual.SessionsPerAddress)
	usual.Commands, usual.UserCommands, usual.Invitations = rate(want.Commands), rate(want.UserCommands), rate(want.Invitations)
	usual.Refusals = rate(0) // refusals are sent at once
	usual.Queue = least(want.Queue, usual.Queue)
	usual.MessageSize = least(want.MessageSize, usual.MessageSize)
	return usual
}
