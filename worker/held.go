package worker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// held is a message in hand.
type held struct {
	jetstream.Msg
	key   string // messages of one key are handled in order
	share string // whose it is: shares take turns

	crowded bool // its share has too much in hand
	asked   asking
	meta    *jetstream.MsgMetadata // read once

	mu    sync.Mutex
	until time.Time // before that the server gives it to nobody else
}

// Metadata reads them once: whoever handles the message asks again and again.
func (m *held) Metadata() (meta *jetstream.MsgMetadata, err error) {
	if m.meta == nil {
		if meta, err = m.Msg.Metadata(); err != nil {
			return nil, err
		}
		m.meta = meta
	}
	return m.meta, nil
}

// asking is when messages were asked for, and on which of the connections that nc has had.
type asking struct {
	nc         *nats.Conn
	at         time.Time
	reconnects uint64
}

func askingNow(nc *nats.Conn) asking { return asking{nc, time.Now(), nc.Stats().Reconnects} }

// hold takes a message in hand that was asked for then, and so can't have been delivered before.
func hold(msg jetstream.Msg, key, share string, asked asking) *held {
	return &held{Msg: msg, key: key, share: share, asked: asked, until: asked.at.Add(ackWait)}
}

// Crowded says whether whoever the message is of has so much in hand here that others would wait for it. It is refused, or
// put back, at once, and keeps to no order.
func Crowded(msg jetstream.Msg) bool {
	m, ok := msg.(*held)
	return ok && m.crowded
}

// Ours says whether the server can't have given the message to anybody else meanwhile. It may have once this worker, the
// server or what is between them stood still for longer than the server waits: then somebody else decides it, or has.
// It may have sooner where it was restarted, as it keeps in whole seconds since when it waits; so nothing is ours that was
// asked for on an earlier connection.
// It knows nothing of a consumer that was deleted, nor of an acknowledgement that a server forgot with its death.
func Ours(msg jetstream.Msg) bool {
	m, ok := msg.(*held)
	if !ok {
		return true // of nobody's hands
	}
	if m.asked.nc.Stats().Reconnects != m.asked.reconnects {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	// By both clocks: the one of durations stands still while a machine is suspended.
	return now.Before(m.until) && now.Round(0).Before(m.until.Round(0))
}

// left is how long the server still waits.
func (m *held) left() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Until(m.until)
}

// extend asks the server to wait longer. It counts only if the server confirms it in time: one that had stopped to wait
// confirms it too.
func (m *held) extend(ctx context.Context, nc *nats.Conn) {
	const progress = "+WPI"
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	from := time.Now()
	if _, err := nc.RequestWithContext(ctx, m.Reply(), []byte(progress)); err != nil {
		return // it may still have come to the server, and harms nobody
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if until := from.Add(ackWait); time.Now().Before(m.until) && until.After(m.until) {
		m.until = until
	}
}
