// Package natstest starts a real nats-server for a test, with every stream of Ringline. It can check all messages on
// that server against the types of package events.
package natstest

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/streams"
)

// Server is a nats-server with JetStream in a temporary folder.
type Server struct {
	NC *nats.Conn
	JS jetstream.JetStream

	server *Process
}

// within is the timeout for things that take some milliseconds on an idle machine.
const within = time.Minute

// Start starts a server with every stream, bucket and consumer. The server stops when the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	srv := Run(tb, &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: tb.TempDir(), JetStreamMaxStore: 64 << 30,
	})
	s := &Server{server: srv}
	s.NC = s.Connect(tb)
	var err error
	if s.JS, err = jetstream.New(s.NC, jetstream.WithDefaultTimeout(within)); err != nil {
		tb.Fatalf("natstest: jetstream: %v", err)
	}
	if err := streams.Setup(tb.Context(), s.JS, streams.DefaultSettings()); err != nil {
		tb.Fatalf("natstest: set up: %v", err)
	}
	return s
}

// URL returns the client URL of the server.
func (s *Server) URL() string { return s.server.ClientURL() }

// Stop stops the server before the test ends.
func (s *Server) Stop() { s.server.End() }

// Connect opens a new connection, which is closed when the test ends.
func (s *Server) Connect(tb testing.TB) *nats.Conn {
	tb.Helper()
	nc, err := nats.Connect(s.URL(), nats.Timeout(within))
	if err != nil {
		tb.Fatalf("natstest: connect: %v", err)
	}
	tb.Cleanup(nc.Close)
	return nc
}

// Requests receives the messages that are published on this subject, such as requests to the JetStream API.
func (s *Server) Requests(tb testing.TB, subject string) <-chan *nats.Msg {
	tb.Helper()
	nc, requests := s.Connect(tb), make(chan *nats.Msg, 1000)
	if _, err := nc.ChanSubscribe(subject, requests); err != nil {
		tb.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		tb.Fatal(err)
	}
	return requests
}
