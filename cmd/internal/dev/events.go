package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

// eventFeed shows a page the messages of the app: every transition from the event log, and every
// notification. A browser cannot connect to NATS.
type eventFeed struct {
	app         string
	inboxPrefix string
	log         zerolog.Logger
	source      atomic.Pointer[feedSource] // nil while dev is not ready
	open        atomic.Int32
}

// feedSource is the NATS connection that the events come from.
type feedSource struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	done <-chan struct{} // closed when dev stops
}

const (
	maxPages   = 16               // at the same time
	pageBuffer = 256              // buffered per page; a page that falls behind is disconnected, reconnects, and misses some
	keepAlive  = 15 * time.Second // between keep-alive comments
)

// pageEvent is one transition or notification. Its message is published JSON, unchanged.
type pageEvent struct {
	Kind    string          `json:"kind"` // transition or notification
	Subject string          `json:"subject"`
	Message json.RawMessage `json:"message"`
}

// run serves events until ctx ends.
func (d *eventFeed) run(ctx context.Context, natsURL string) error {
	conn, err := natsconn.Connect(natsURL, "ringline dev events", nats.MaxReconnects(-1), nats.CustomInboxPrefix(d.inboxPrefix))
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	d.source.Store(&feedSource{nc: conn.Conn, js: conn.JS, done: ctx.Done()})
	<-ctx.Done()
	d.source.Store(nil)
	conn.Close() // no need to drain: no reader waits for the rest
	<-conn.Closed
	return nil
}

// ServeHTTP sends server-sent events until the page disconnects or dev stops.
func (d *eventFeed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source := d.source.Load()
	defer d.open.Add(-1)
	switch pages := d.open.Add(1); {
	case source == nil:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "not ready yet, see /readyz", http.StatusServiceUnavailable)
	case pages > maxPages:
		http.Error(w, fmt.Sprintf("at most %d pages at a time", maxPages), http.StatusTooManyRequests)
	default:
		if err := d.serve(w, r, source); err != nil {
			d.log.Warn().Err(err).Msg("events for a page")
		}
	}
}

// serve sends the events from now on. It returns server-side errors only: a client that disconnects is not an error.
func (d *eventFeed) serve(w http.ResponseWriter, r *http.Request, source *feedSource) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	buffered := make(chan pageEvent, pageBuffer)
	stop, err := d.subscribe(ctx, source, func(e pageEvent) {
		select {
		case buffered <- e:
		default:
			cancel() // the page falls behind
		}
	})
	if err != nil {
		http.Error(w, "can't read events at the moment", http.StatusServiceUnavailable)
		return err
	}
	defer stop()
	stream := newEventStream(w)
	sign := time.NewTicker(keepAlive)
	defer sign.Stop()
	for ok := stream.comment("ready"); ok; {
		select {
		case e := <-buffered:
			ok = stream.event(e)
		case <-sign.C:
			ok = stream.comment("still here")
		case <-ctx.Done():
			ok = false
		case <-source.done:
			ok = false
		}
	}
	return nil
}

// subscribe passes published messages to take. Once it returns, no published message is missed.
func (d *eventFeed) subscribe(ctx context.Context, source *feedSource, take func(pageEvent)) (stop func(), err error) {
	sub, err := source.nc.Subscribe(events.AppNotifications(d.app), func(m *nats.Msg) {
		take(pageEvent{"notification", m.Subject, m.Data})
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to notifications: %w", err)
	}
	unsubscribe := func() { _ = sub.Unsubscribe() } // fails only if the connection is closed
	consuming, err := d.consume(ctx, source, take)
	if err != nil {
		unsubscribe()
		return nil, err
	}
	return func() { consuming.Stop(); unsubscribe() }, nil
}

func (d *eventFeed) consume(ctx context.Context, source *feedSource, take func(pageEvent)) (jetstream.ConsumeContext, error) {
	setup, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	consumer, err := source.js.OrderedConsumer(setup, streams.StreamEvents, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{strings.Replace(events.EventsSubjects, "*", d.app, 1)},
		DeliverPolicy:  jetstream.DeliverNewPolicy,
	})
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", streams.StreamEvents, err)
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) { take(pageEvent{"transition", m.Subject(), m.Data()}) },
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if !errors.Is(err, jetstream.ErrNoHeartbeat) && !errors.Is(err, jetstream.ErrServerShutdown) {
				d.log.Warn().Err(err).Msg("read events for a page")
			}
		}))
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", streams.StreamEvents, err)
	}
	if err := source.nc.FlushTimeout(10 * time.Second); err != nil {
		consuming.Stop()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return consuming, nil
}

// eventStream writes server-sent events.
type eventStream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// newEventStream starts a streaming response.
func newEventStream(w http.ResponseWriter) eventStream {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // a writer without deadlines returns an error, which is harmless
	_ = c.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return eventStream{w, c}
}

// comment sends a line that pages ignore. It reports whether it was sent.
func (s eventStream) comment(text string) bool { return s.write(": " + text) }

// event reports whether it was sent; an event that cannot be encoded is skipped.
func (s eventStream) event(e pageEvent) bool {
	data, err := json.Marshal(e) // messages are compact JSON on one line
	return err != nil || s.write("data: "+string(data))
}

func (s eventStream) write(line string) bool {
	_, err := fmt.Fprintf(s.w, "%s\n\n", line)
	return err == nil && s.c.Flush() == nil
}
