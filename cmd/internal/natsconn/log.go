package natsconn

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/settings"
)

// Log logs once when a process starts to wait for NATS, and once when all of its connections are up.
type Log struct {
	log   zerolog.Logger // has the URL of NATS
	until string         // text for humans: how long it waits; empty: forever

	mu     sync.Mutex
	logged bool                  // the wait is logged
	absent map[string]bool       // connections that are down, by name
	denied map[*nats.Conn]string // the subscription that NATS refuses
	asked  map[string]*nats.Conn // JetStream API subjects to which NATS refuses to publish
}

// NewLog creates a Log of connections to these servers. until says how long they are tried; empty means forever.
func NewLog(log zerolog.Logger, natsURL, until string) *Log {
	return &Log{log: log.With().Str("url", settings.WithoutSecrets(natsURL)).Logger(), until: until}
}

// settle is how long all connections must be up before the Log logs it. One connection may reconnect before another
// notices the loss.
const settle = 200 * time.Millisecond

// Options returns the options of a connection that retries forever and reports to this log.
func (l *Log) Options() []nats.Option {
	return []nats.Option{
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), // detects a dead host
		nats.ConnectHandler(l.there), nats.ReconnectHandler(l.there),
		nats.DisconnectErrHandler(l.gone), nats.ReconnectErrHandler(l.gone),
		nats.ErrorHandler(l.asyncError),
	}
}

func (l *Log) gone(nc *nats.Conn, err error) {
	if err == nil { // closed by this process
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.absent == nil {
		l.absent = map[string]bool{}
	}
	l.absent[nc.Opts.Name] = true
	if !l.logged {
		l.logged = true
		l.log.Warn().Err(err).Msg("NATS is unreachable, waiting for it" + l.until)
	}
}

func (l *Log) there(nc *nats.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.denied, nc) // the connection subscribes again
	if !l.absent[nc.Opts.Name] {
		return // connected at the first try
	}
	delete(l.absent, nc.Opts.Name)
	if len(l.absent) == 0 {
		time.AfterFunc(settle, l.settled)
	}
}

func (l *Log) settled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.logged && len(l.absent) == 0 {
		l.logged = false
		l.log.Info().Msg("connected to NATS")
	}
}

func (l *Log) asyncError(nc *nats.Conn, _ *nats.Subscription, err error) {
	l.Note(nc, err)
	l.noteAsked(nc, err)
	l.log.Error().Str("error", withoutTokens(err.Error())).Str("connection", nc.Opts.Name).Msg("NATS")
}

// Note records the error if it refuses a subscription that a worker needs. It ignores the $SRV subjects, which only
// describe the service.
func (l *Log) Note(nc *nats.Conn, err error) {
	const subscription, service = "Subscription to ", `"$SRV.`
	switch {
	case errors.Is(err, nats.ErrMaxSubscriptionsExceeded):
	case !errors.Is(err, nats.ErrPermissionViolation), !strings.Contains(err.Error(), subscription), strings.Contains(err.Error(), service):
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.denied == nil {
		l.denied = map[*nats.Conn]string{}
	}
	l.denied[nc] = fmt.Sprintf("NATS refuses a subscription of the connection %q: %s", nc.Opts.Name, withoutTokens(err.Error()))
}

// noteAsked records the error if it refuses a JetStream API request. The requester gets no answer to such a request.
func (l *Log) noteAsked(nc *nats.Conn, err error) {
	found := regexp.MustCompile(`Publish to "(\$JS\.API\.[^"]+)"`).FindStringSubmatch(err.Error())
	if found == nil || !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked == nil {
		l.asked = map[string]*nats.Conn{}
	}
	l.asked[found[1]] = nc
}

// MayNotAsk returns the JetStream API subjects that NATS has refused since the last call, each with the reason for
// humans.
func (l *Log) MayNotAsk() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := map[string]string{}
	for subject, nc := range l.asked {
		list[subject] = fmt.Sprintf("the connection %q may not publish %s, see SECURITY.md", nc.Opts.Name, subject)
	}
	l.asked = nil
	return list
}

// Refused returns the reason for a refused subscription, or an empty string if there is none.
func (l *Log) Refused() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, why := range l.denied {
		return why
	}
	return ""
}

// withoutTokens removes the last part of answer subjects: a client that knows the subject can read the answer.
func withoutTokens(message string) string {
	return regexp.MustCompile(`(ringline\.[^. "]*\.answer\.)[^ "]*`).ReplaceAllString(message, "${1}…")
}
