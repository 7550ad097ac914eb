package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// link logs once when a process begins to wait for NATS, and once when all of its connections are there.
type link struct {
	log   zerolog.Logger // says where NATS is
	until string         // how long it waits, for people; empty for ever

	mu     sync.Mutex
	told   bool                  // that it waits
	absent map[string]bool       // connections, by name
	denied map[*nats.Conn]string // a subscription that NATS refuses
	asked  map[string]*nats.Conn // what JetStream was asked on where NATS refuses that
}

// settle is how long all connections are there before that is told: one may be back before another knows that it was lost.
const settle = 200 * time.Millisecond

// options make a connection that waits for NATS for ever, and says so here.
func (l *link) options() []nats.Option {
	return []nats.Option{
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), // a host that died says nothing
		nats.ConnectHandler(l.there), nats.ReconnectHandler(l.there),
		nats.DisconnectErrHandler(l.gone), nats.ReconnectErrHandler(l.gone),
		nats.ErrorHandler(l.asyncError),
	}
}

func (l *link) gone(nc *nats.Conn, err error) {
	if err == nil { // we closed it
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.absent == nil {
		l.absent = map[string]bool{}
	}
	l.absent[nc.Opts.Name] = true
	if !l.told {
		l.told = true
		l.log.Warn().Err(err).Msg("NATS is not there, waiting for it" + l.until)
	}
}

func (l *link) there(nc *nats.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.denied, nc) // it subscribes anew
	if !l.absent[nc.Opts.Name] {
		return // it was there at once
	}
	delete(l.absent, nc.Opts.Name)
	if len(l.absent) == 0 {
		time.AfterFunc(settle, l.settled)
	}
}

func (l *link) settled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told && len(l.absent) == 0 {
		l.told = false
		l.log.Info().Msg("connected to NATS")
	}
}

func (l *link) asyncError(nc *nats.Conn, _ *nats.Subscription, err error) {
	l.note(nc, err)
	l.noteAsked(nc, err)
	l.log.Error().Str("error", withoutTokens(err.Error())).Str("connection", nc.Opts.Name).Msg("NATS")
}

// note keeps an error if it is the refusal of a subscription that a worker needs. Those that NATS itself uses to describe a
// service are not needed.
func (l *link) note(nc *nats.Conn, err error) {
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

// noteAsked keeps an error if it is the refusal of a request to JetStream. Who has asked gets no answer.
func (l *link) noteAsked(nc *nats.Conn, err error) {
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

// mayNotAsk gives what JetStream was asked on since it was called last, where NATS refuses that, each with the reason for people.
func (l *link) mayNotAsk() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := map[string]string{}
	for subject, nc := range l.asked {
		list[subject] = fmt.Sprintf("the connection %q may not publish %s, see SECURITY.md", nc.Opts.Name, subject)
	}
	l.asked = nil
	return list
}

// refused says which subscription NATS refuses; empty: none.
func (l *link) refused() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, why := range l.denied {
		return why
	}
	return ""
}

// withoutTokens leaves out where answers go: who knows an answer's subject can hear it.
func withoutTokens(message string) string {
	return regexp.MustCompile(`(ringline\.[^. "]*\.answer\.)[^ "]*`).ReplaceAllString(message, "${1}…")
}
