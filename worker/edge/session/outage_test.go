package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	links "ringline.io/ringline/internal/wire"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

// An edge without NATS closes its sessions, so that the clients connect to another edge. It accepts clients again once
// NATS answers. A shorter outage closes nothing.
func TestEdgeWithoutNATS(t *testing.T) {
	t.Parallel()
	const shutdown, limit = 3001, 5 * time.Second // a loaded machine may take more than a second to answer a ping
	w := newWorld(t)
	a := w.app(t)
	link, err := links.Listen("edge", strings.TrimPrefix(w.URL(), "nats://"), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	nc, err := nats.Connect(link.Addr(), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1), nats.Timeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	e, other := w.start(t, over(nc), func(c *session.Config) { c.Limits.WithoutNATS = limit }), w.start(t)
	var here []*device
	for _, dial := range transports() {
		here = append(here, a.open(e, "ann", dial, ""))
	}
	there := a.open(other, "ann", dialWebsocket, "")
	gone := nc.StatusChanged(nats.RECONNECTING)
	link.Reset()
	receive(t, "the short outage", gone)
	here[0].works()

	link.Cut(links.Up)
	link.Cut(links.Down)
	for _, d := range here {
		d.closed(t, shutdown)
	}
	dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann")}, "").closed(t, http.StatusServiceUnavailable)
	there.works()

	link.Mend()
	eventually(t, "it accepts clients", func() bool {
		_, ok := receive(t, "a snapshot", dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann")}, "").Pushes())
		return ok
	})
}
