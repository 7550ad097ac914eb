package edgetest

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go"
)

// NATS connects a test to the NATS server that the workers use.
type NATS interface {
	// Connect opens a connection that is closed when the test ends.
	Connect(tb testing.TB) *nats.Conn
}

// Adapter is a session transport under test.
type Adapter struct {
	// Start starts an edge that already accepts clients. The edge stops when the test ends.
	Start func(t *testing.T, l Limits) Edge

	// TooBig lists the codes that are allowed for a message over the size limit.
	TooBig []int
}

// Limits are the limits of an edge. A field that is 0 means the edge's default, which no test reaches.
type Limits struct {
	SessionsPerUser    int
	SessionsPerAddress int
	Commands           int // burst of a session; it refills too slowly to matter in a test
	UserCommands       int // burst of a user; it refills as slowly
	Invitations        int // burst of a caller; it refills as slowly
	Queue              int // bytes that may be queued for a client
	MessageSize        int // bytes
}

// Edge is a running edge.
type Edge interface {
	// Dial connects a client. The returned Conn reports a refusal.
	Dial(t *testing.T, c Client) Conn
	// Stop makes the edge stop. Stopped is closed when it has stopped.
	Stop()
	Stopped() <-chan struct{}
}

// Client holds what a client sends to connect.
type Client struct {
	Token string
	Data  string // the connect data; may be empty
	Small bool   // the client's receive buffers are small
}

// Conn is a client's connection. Its channels have room for everything that a test lets the server send.
type Conn interface {
	// Pushes delivers the snapshot, and then the pushes in the order of their arrival. It is closed when the connection
	// ends.
	Pushes() <-chan json.RawMessage
	// Call sends a command. The channel delivers its answer. It is closed without an answer if the connection ends
	// first.
	Call(method, data string) <-chan json.RawMessage
	// Refresh sends a new token. The channel delivers 0 if the token is accepted, otherwise the error code. It is
	// closed without a value if the connection ends first.
	Refresh(token string) <-chan int
	// Code delivers the code that the client was refused or closed with. It is a code of centrifuge, or the HTTP status
	// if the handshake failed before that.
	Code() <-chan int
	// Pause stops the client from delivering messages and from reading. It may still read one frame that it is about to
	// read.
	Pause()
	// Break cuts the connection without a close frame.
	Break()
}
