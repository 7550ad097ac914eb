// Command event-log reads Ringline's event log as an analytics pipeline would: through the ready-made durable
// consumer "analytics" of the stream RINGLINE_EVENTS. It prints every transition once, however often it is
// stopped and started, and ends with Ctrl-C.
//
//	go run ./examples/event-log
//
// $NATS_URL says where NATS is; without it that is nats://127.0.0.1:4222.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "event-log:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	url := os.Getenv("NATS_URL")
	if url == "" {
		url = nats.DefaultURL
	}
	nc, err := nats.Connect(url, nats.Name("event-log example"))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", url, err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	// It exists already. To read in addition to others, create your own durable consumer.
	log, err := js.Consumer(ctx, "RINGLINE_EVENTS", "analytics")
	if err != nil {
		return fmt.Errorf("open the event log: %w", err)
	}
	for ctx.Err() == nil {
		if err := readBatch(ctx, log, out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// readBatch takes up to 100 transitions, and waits for the first of them for up to 5 s.
func readBatch(ctx context.Context, log jetstream.Consumer, out io.Writer) error {
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	batch, err := log.Fetch(100, jetstream.FetchContext(wait))
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	for msg := range batch.Messages() {
		if err := handle(msg, out); err != nil {
			return err
		}
	}
	if err := batch.Error(); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrTimeout) {
		return fmt.Errorf("fetch: %w", err)
	}
	return nil
}

// handle prints a transition and acknowledges it. What is not acknowledged comes again: a pipeline writes first,
// with the event's id as the key, and acknowledges then.
func handle(msg jetstream.Msg, out io.Writer) error {
	var event struct { // a CloudEvent
		ID   string            `json:"id"`
		Time time.Time         `json:"time"`
		Data events.Transition `json:"data"`
	}
	if err := json.Unmarshal(msg.Data(), &event); err != nil {
		fmt.Fprintf(os.Stderr, "given up, as it can't be read: %v\n", err)
		return msg.TermWithReason("malformed transition")
	}
	line := fmt.Sprintf("%s  %s  %s", event.Time.Local().Format(time.DateTime), event.ID, event.Data.Event)
	if reason := event.Data.Call.EndReason; reason != "" {
		line += "  ended: " + string(reason)
	}
	if _, err := fmt.Fprintln(out, line); err != nil {
		return err
	}
	return msg.Ack()
}
