package natsconn

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

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/settings"
)

// Conn is a NATS connection. Closed is closed when NATS has closed it permanently.
type Conn struct {
	*nats.Conn
	JS          jetstream.JetStream
	Closed      chan struct{}
	Credentials string // where its credentials come from; errors name it
}

// Connect connects to NATS under a name. With the options of a Log it returns before the connection is up.
func Connect(url, name string, options ...nats.Option) (*Conn, error) {
	c := &Conn{Closed: make(chan struct{})}
	options = append(options, nats.Name(name), nats.ClosedHandler(func(*nats.Conn) { close(c.Closed) }))
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return nil, err
	}
	c.Conn = nc
	c.JS, err = jetstream.New(nc)
	return c, err
}

// Await waits until the connection is up. It returns an error if NATS refuses the connection permanently.
func (c *Conn) Await(ctx context.Context) error {
	connected := c.StatusChanged(nats.CONNECTED)
	defer c.RemoveStatusListener(connected)
	for !c.IsConnected() {
		select {
		case <-connected:
		case <-c.Closed:
			return c.Refusal()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Run returns nil when ctx ends, or an error when the connection is closed permanently.
func (c *Conn) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-c.Closed:
		return c.Refusal()
	}
}

// Refusal is the reason why the connection was closed.
func (c *Conn) Refusal() error {
	switch err := c.LastError(); {
	case err != nil && Refused(err):
		return fmt.Errorf("the connection %q was closed: %w; see %s", c.Opts.Name, err, c.Credentials)
	case err != nil:
		return fmt.Errorf("the connection %q was closed: %w", c.Opts.Name, err)
	}
	return fmt.Errorf("the connection %q was closed", c.Opts.Name)
}

// DrainAndWait sends and handles pending messages, and returns once the connection is closed.
func (c *Conn) DrainAndWait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.Drain(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		c.Close() // a reconnecting connection cannot drain
	}
	select {
	case <-c.Closed:
		return nil
	case <-ctx.Done():
		c.Close()
		return fmt.Errorf("drain NATS connection: %w", ctx.Err())
	}
}

// NoServer is the error for a URL at which no server answers, with a hint.
func NoServer(natsURL string, err error) error {
	natsURL = settings.WithoutSecrets(natsURL)
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
	if err != nil || u.Scheme != "nats" || u.Hostname() != settings.DevNATSHost && u.Hostname() != "localhost" {
		return ""
	}
	port := ""
	if u.Port() != "" && u.Port() != fmt.Sprint(settings.DevNATSPort) {
		port = " --port " + u.Port()
	}
	return fmt.Sprintf("; start one with `%s dev%s`", cli.Invocation(), port)
}

// Refused reports whether NATS rejected the credentials. nats.go returns a permanent close as the server's text, in
// which the user or the account may have expired.
func Refused(err error) bool {
	text := strings.ToLower(err.Error())
	return slices.ContainsFunc([]string{nats.AUTHORIZATION_ERR, "authentication expired", "authentication revoked"},
		func(words string) bool { return strings.Contains(text, words) })
}
