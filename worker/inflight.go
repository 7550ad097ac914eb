package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/streams"
)

// Msg is a message that a Runner pulled. Outside of tests only a Runner makes one, so every message that a handler receives has
// a lease that can be checked.
type Msg interface {
	jetstream.Msg

	// Leased reports whether this worker still has the message to itself: the server can't have delivered it to another worker
	// in the meantime. The server may have redelivered it if this worker, the server or the network stalled for longer than the
	// ack wait. Then another worker decides on the message, or has already decided.
	//
	// A restarted server may redeliver sooner, because it stores the start of the ack wait in whole seconds. So the lease of a
	// message ends with the connection on which it was pulled.
	//
	// Leased does not detect that the consumer was deleted, or that a server lost an ack in a crash.
	Leased() bool

	// Crowded reports whether the share of the message has so many messages in flight in this worker that others would wait.
	// Such a message is refused or nak'ed at once and keeps no order.
	Crowded() bool
}

// inFlightMsg is a message in flight.
type inFlightMsg struct {
	jetstream.Msg
	key   string // messages with the same key are handled in order
	share string // shares (apps) take turns

	crowded bool // its share has too many messages in flight
	pulled  pull
	meta    *jetstream.MsgMetadata // parsed once

	mu    sync.Mutex
	until time.Time // end of the lease: the server does not redeliver the message before that
}

// Metadata caches the metadata, because handlers read it repeatedly.
func (m *inFlightMsg) Metadata() (meta *jetstream.MsgMetadata, err error) {
	if m.meta == nil {
		if meta, err = m.Msg.Metadata(); err != nil {
			return nil, err
		}
		m.meta = meta
	}
	return m.meta, nil
}

// pull records when a pull was sent, and on which connection: nc and its number of reconnects.
type pull struct {
	nc         *nats.Conn
	at         time.Time
	reconnects uint64
}

func pullNow(nc *nats.Conn) pull { return pull{nc, time.Now(), nc.Stats().Reconnects} }

// lease wraps a message that this pull returned. The server can't have delivered it before the pull was sent.
func lease(msg jetstream.Msg, key, share string, p pull) *inFlightMsg {
	return &inFlightMsg{Msg: msg, key: key, share: share, pulled: p, until: p.at.Add(streams.AckWait)}
}

// Crowded implements Msg.
func (m *inFlightMsg) Crowded() bool { return m.crowded }

// Leased implements Msg.
func (m *inFlightMsg) Leased() bool {
	if m.pulled.nc.Stats().Reconnects != m.pulled.reconnects {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	// Compare both clocks, because the monotonic clock stops while a machine is suspended.
	return now.Before(m.until) && now.Round(0).Before(m.until.Round(0))
}

// left returns how long the server still waits for the ack.
func (m *inFlightMsg) left() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Until(m.until)
}

// extend asks the server to wait longer. The extension counts only if the confirmation arrives before the ack wait expires,
// because the server also confirms an extension that comes too late.
func (m *inFlightMsg) extend(ctx context.Context, nc *nats.Conn) {
	const progress = "+WPI"
	ctx, cancel := context.WithTimeout(ctx, streams.AckWait)
	defer cancel()
	from := time.Now()
	if _, err := nc.RequestWithContext(ctx, m.Reply(), []byte(progress)); err != nil {
		return // the server may still have received it, which does no harm
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if until := from.Add(streams.AckWait); time.Now().Before(m.until) && until.After(m.until) {
		m.until = until
	}
}
