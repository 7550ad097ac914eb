package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// held is a message in flight.
type held struct {
	jetstream.Msg
	key   string // messages with the same key are handled in order
	share string // shares (apps) take turns

	crowded bool // its share holds too many messages
	asked   asking
	meta    *jetstream.MsgMetadata // parsed once

	mu    sync.Mutex
	until time.Time // the server does not redeliver the message before that
}

// Metadata caches the metadata, because handlers read it repeatedly.
func (m *held) Metadata() (meta *jetstream.MsgMetadata, err error) {
	if m.meta == nil {
		if meta, err = m.Msg.Metadata(); err != nil {
			return nil, err
		}
		m.meta = meta
	}
	return m.meta, nil
}

// asking records when a pull was sent, and on which connection: nc and its number of reconnects.
type asking struct {
	nc         *nats.Conn
	at         time.Time
	reconnects uint64
}

func askingNow(nc *nats.Conn) asking { return asking{nc, time.Now(), nc.Stats().Reconnects} }

// hold wraps a message that the pull asked returned. The server can't have delivered it before asked.at.
func hold(msg jetstream.Msg, key, share string, asked asking) *held {
	return &held{Msg: msg, key: key, share: share, asked: asked, until: asked.at.Add(ackWait)}
}

// Crowded reports whether the share of the message holds so many messages in this worker that others would wait. Such a message
// is refused or nak'ed at once and keeps no order.
func Crowded(msg jetstream.Msg) bool {
	m, ok := msg.(*held)
	return ok && m.crowded
}

// Ours reports whether the server can't have delivered the message to another worker in the meantime. The server may have
// redelivered it if this worker, the server or the network stalled for longer than the ack wait. Then another worker decides on
// the message, or has already decided.
//
// A restarted server may redeliver sooner, because it stores the start of the ack wait in whole seconds. Messages pulled on an
// earlier connection are therefore not ours.
//
// Ours does not detect that the consumer was deleted, or that a server lost an ack in a crash.
func Ours(msg jetstream.Msg) bool {
	m, ok := msg.(*held)
	if !ok {
		return true // not pulled by a Runner
	}
	if m.asked.nc.Stats().Reconnects != m.asked.reconnects {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	// Compare both clocks, because the monotonic clock stops while a machine is suspended.
	return now.Before(m.until) && now.Round(0).Before(m.until.Round(0))
}

// left returns how long the server still waits for the ack.
func (m *held) left() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Until(m.until)
}

// extend asks the server to wait longer. The extension counts only if the confirmation arrives before the ack wait expires,
// because the server also confirms an extension that comes too late.
func (m *held) extend(ctx context.Context, nc *nats.Conn) {
	const progress = "+WPI"
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	from := time.Now()
	if _, err := nc.RequestWithContext(ctx, m.Reply(), []byte(progress)); err != nil {
		return // the server may still have received it, which does no harm
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if until := from.Add(ackWait); time.Now().Before(m.until) && until.After(m.until) {
		m.until = until
	}
}
