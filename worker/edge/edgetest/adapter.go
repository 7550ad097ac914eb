package edgetest

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go"
)

// NATS is where the workers run.
type NATS interface {
	// Connect makes a connection that ends with the test.
	Connect(tb testing.TB) *nats.Conn
}

// Adapter is one way for clients to have sessions.
type Adapter struct {
	// Start starts an edge that ends with the test, and takes clients by now.
	Start func(t *testing.T, l Limits) Edge

	// TooBig are the codes of a message over the limit.
	TooBig []int
}

// Limits are those of an edge. Where it is 0, it is as usual and no test comes near it.
type Limits struct {
	SessionsPerUser    int
	SessionsPerAddress int
	Commands           int // of a session, at once; next to none come back
	UserCommands       int // the same of a user
	Invitations        int // the same of a caller
	Queue              int // bytes that wait for a client
	MessageSize        int // bytes
}

// Edge is a running edge.
type Edge interface {
	// Dial connects a client. That it is refused is told by its Conn.
	Dial(t *testing.T, c Client) Conn
	// Stop has the edge stop; Stopped is closed once it has.
	Stop()
	Stopped() <-chan struct{}
}

// Client is how a client connects.
type Client struct {
	Token string
	Data  string // the connect data; empty: none
	Small bool   // there is room for little on its way to the client
}

// Conn is the connection of a client. Its channels have room for all that a test lets come.
type Conn interface {
	// Told gives what the client is told unasked, in the order in which it comes: the snapshot, and then pushes. It is
	// closed when the connection has ended.
	Told() <-chan json.RawMessage
	// Call sends a command. The channel gives its answer, and is closed without one where the connection ended before.
	Call(method, data string) <-chan json.RawMessage
	// Refresh sends a new token. The channel gives 0 where it was taken, else the error, and is closed without one where the
	// connection ended before.
	Refresh(token string) <-chan int
	// Code gives with what the client was refused, or its connection closed, once that is so: a code of centrifuge's, or the
	// status of HTTP where it came no further.
	Code() <-chan int
	// Pause has it tell nothing any more, and read nothing but one frame that it may be about to read.
	Pause()
	// Break cuts the connection without a goodbye.
	Break()
}
