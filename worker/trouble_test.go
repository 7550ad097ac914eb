package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
)

// A consumer that can't be opened is reported once, not at every attempt.
func TestTroubleIsLoggedOnce(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	requests := s.Requests(t, "$JS.API.CONSUMER.INFO.NOWHERE.>")
	logged, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = worker.Runner{
			JS: s.JS, Log: zerolog.New(out), Stream: "NOWHERE", Consumer: "missing", Parallel: 1, Drain: time.Second,
			Key:    func(subject string) string { return subject },
			Handle: func(context.Context, worker.Msg) worker.Exit { return worker.Ack() },
		}.Run(ctx)
		_ = out.Close()
	}()
	go func() {
		for range 3 {
			<-requests
		}
		cancel()
	}()
	n := 0
	for lines := json.NewDecoder(logged); ; n++ {
		var line struct {
			Message string `json:"message"`
		}
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil || line.Message != "can't consume, retrying" {
			t.Fatalf("%+v, %v", line, err)
		}
	}
	if n != 1 {
		t.Errorf("logged %d times", n)
	}
}
