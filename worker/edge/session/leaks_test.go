package session_test

import (
	"runtime"
	"strings"
	"testing"

	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

// A user has one subscription, however many sessions they have, and none without a session.
func TestOneSubscriptionOfAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t)
	none := e.nc.NumSubscriptions()
	counted := func(what string, users, sessions int) {
		t.Helper()
		eventually(t, what, func() bool { return e.nc.NumSubscriptions() == none+users && e.Sessions() == sessions })
	}
	var ann []*device
	for _, dial := range transports() {
		ann = append(ann, a.open(e, "ann", dial, ""), a.open(e, "ann", dial, ""))
	}
	counted("six sessions of one user", 1, 6)
	bob := a.open(e, "bob", dialWebsocket, "")
	counted("two users", 2, 7)
	for _, d := range ann[1:] {
		d.Break()
	}
	counted("all but one are gone", 2, 2)
	ann[0].works()
	a.nothingMore("ann", ann[0])
	ann[0].Break()
	bob.Break()
	counted("all are gone", 0, 0)
	a.nothingMore("ann", a.open(e, "ann", dialWebsocket, ""))
}

// A client may vanish at any moment while it connects. It leaves neither a subscription nor a taken slot.
func TestVanishedClients(t *testing.T) {
	t.Parallel()
	const rounds, slots = 20, 4
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.SessionsPerAddress = slots })
	none := e.nc.NumSubscriptions()
	for range rounds {
		for _, dial := range transports() {
			dial(t, e.url, edgetest.Client{Token: a.token("ann")}, "").Break()
		}
	}
	eventually(t, "none is left", func() bool { return e.Sessions() == 0 && e.nc.NumSubscriptions() == none })
	open := 0
	eventually(t, "every slot is free again", func() bool {
		if _, ok := receive(t, "a snapshot", dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann")}, "").Pushes()); ok {
			open++
		}
		return open == slots
	})
}

// An edge that has stopped leaves no goroutine. This test does not run in parallel with others.
func TestNoGoroutineLeaks(t *testing.T) { //nolint:paralleltest // it counts what there is
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t)
	for _, dial := range transports() {
		for range 3 {
			a.open(e, "ann", dial, "").works()
		}
	}
	if len(edgeGoroutines()) == 0 {
		t.Fatal("an edge that runs has no goroutine")
	}
	e.Stop()
	receive(t, "the end", e.Stopped())
	var left []string
	defer func() {
		if t.Failed() {
			t.Log(strings.Join(left, "\n\n"))
		}
	}()
	eventually(t, "no goroutine is left", func() bool { left = edgeGoroutines(); return len(left) == 0 })
}

// edgeGoroutines lists the goroutines that belong to an edge.
func edgeGoroutines() (list []string) {
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for g := range strings.SplitSeq(string(stacks), "\n\n") {
		test := strings.Contains(g, "testing.tRunner(")
		if !test && (strings.Contains(g, "worker/edge/session.") || strings.Contains(g, "centrifugal/centrifuge")) {
			list = append(list, g)
		}
	}
	return list
}
