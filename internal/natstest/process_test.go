package natstest_test

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ringline.io/ringline/internal/natstest"
)

// A server waits for its port. A program that another test starts has the socket of the previous server for a moment.
func TestRunWaitsForThePort(t *testing.T) {
	t.Parallel()
	port := natstest.FreePort(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(200*time.Millisecond, func() { _ = l.Close() })
	natstest.Run(t, &server.Options{Host: "127.0.0.1", Port: port})
}
