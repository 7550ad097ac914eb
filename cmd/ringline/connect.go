package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connection is a NATS connection. Its channel closed is closed when NATS has closed it permanently.
type connection struct {
	*nats.Conn
	js     jetstream.JetStream
	closed chan struct{}
	shown  string // its credentials, by the name of the setting
}

func connect(url, name string, options ...nats.Option) (*connection, error) {
	c := &connection{closed: make(chan struct{})}
	options = append(options, nats.Name(name), nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }))
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return nil, err
	}
	c.Conn = nc
	c.js, err = jetstream.New(nc)
	return c, err
}

// await waits until the connection is up. It returns an error if NATS refuses the connection permanently.
func (c *connection) await(ctx context.Context) error {
	connected := c.StatusChanged(nats.CONNECTED)
	defer c.RemoveStatusListener(connected)
	for !c.IsConnected() {
		select {
		case <-connected:
		case <-c.closed:
			return c.refusal()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Run returns nil when ctx ends, or an error when the connection is closed permanently.
func (c *connection) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-c.closed:
		return c.refusal()
	}
}

func (c *connection) refusal() error {
	switch err := c.LastError(); {
	case err != nil && refused(err):
		return fmt.Errorf("the connection %q was closed: %w; see %s", c.Opts.Name, err, c.shown)
	case err != nil:
		return fmt.Errorf("the connection %q was closed: %w", c.Opts.Name, err)
	}
	return fmt.Errorf("the connection %q was closed", c.Opts.Name)
}

// drain sends and handles pending messages, and returns once the connection is closed.
func (c *connection) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.Drain(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		c.Close() // a reconnecting connection cannot drain
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		c.Close()
		return fmt.Errorf("drain NATS connection: %w", ctx.Err())
	}
}

// noServer is the error for a URL at which no server answers, with a hint.
func noServer(natsURL string, err error) error {
	natsURL = withoutSecrets(natsURL)
	if errors.Is(err, nats.ErrNoServers) {
		return fmt.Errorf("no NATS server at %s%s", natsURL, startHint(natsURL))
	}
	return fmt.Errorf("connect to NATS at %s: %w", natsURL, err)
}

// startHint suggests how to start a server at that URL. It is empty if dev cannot listen there: dev listens on loopback
// only.
func startHint(natsURL string) string {
	if !strings.Contains(natsURL, "://") {
		natsURL = "nats://" + natsURL
	}
	u, err := url.Parse(natsURL)
	if err != nil || u.Scheme != "nats" || u.Hostname() != devNATSHost && u.Hostname() != "localhost" {
		return ""
	}
	port := ""
	if u.Port() != "" && u.Port() != fmt.Sprint(devNATSPort) {
		port = " --port " + u.Port()
	}
	return fmt.Sprintf("; start one with `%s dev%s`", invocation(), port)
}

// refused reports whether NATS rejected the credentials. nats.go returns a permanent close as the server's text, in
// which the user or the account may have expired.
func refused(err error) bool {
	text := strings.ToLower(err.Error())
	return slices.ContainsFunc([]string{nats.AUTHORIZATION_ERR, "authentication expired", "authentication revoked"},
		func(words string) bool { return strings.Contains(text, words) })
}
