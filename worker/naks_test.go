package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/streams"
)

// logged stores the log lines.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(b))
	return len(b), nil
}

// with returns the lines that contain all of these parts.
func (l *logged) with(parts ...string) (list []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			list = append(list, line)
		}
	}
	return list
}

// Every nak is counted by its reason, and its message is redelivered. A failure is one log line at level error. The line of a
// panic says where it happened and contains no user data.
func TestNaksAreCounted(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	const secret = "CANARY"
	first := map[string]func(m worker.Msg) worker.Exit{
		"wait":    func(worker.Msg) worker.Exit { return worker.Nak(time.Millisecond, meter.NoCallYet) },
		"nothing": func(worker.Msg) worker.Exit { return worker.Exit{} },
		"failed": func(worker.Msg) worker.Exit {
			return worker.Failed(1, meter.Store, errors.New("the store is full"))
		},
		"ends":    func(worker.Msg) worker.Exit { return worker.Failed(1, meter.Store, context.Canceled) },
		"panic":   func(m worker.Msg) worker.Exit { panic(secret + string(m.Data())) },
		"runtime": func(worker.Msg) worker.Exit { return []worker.Exit{}[len(secret)] },
		"parallel": func(worker.Msg) worker.Exit {
			return worker.Failed(1, meter.Store, broker.RunAll(func() error { panic(errors.New(secret)) }, func() error { return nil }))
		},
		"after": func(worker.Msg) worker.Exit { return worker.AckThen(func() { panic(secret) }) }, // the message is acked nevertheless
	}
	m, log := meter.New("test"), &logged{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- worker.Runner{
			JS: s.JS, Log: m.Log(zerolog.New(log).Level(zerolog.DebugLevel), meter.Coordinator), Meter: m,
			Stream: streams.StreamCommands, Consumer: streams.ConsumerCoordinators, Parallel: 4, Drain: time.Second,
			Key: func(subject string) string { return subject },
			Handle: func(_ context.Context, msg worker.Msg) worker.Exit {
				if f := first[string(msg.Data())]; f != nil && worker.Delivered(msg) == 1 {
					return f(msg)
				}
				return worker.Ack()
			},
		}.Run(ctx)
	}()
	for name := range first {
		publish(t, s, name, name)
	}
	publish(t, s, "well", "well")
	eventually(t, "all are done", func() bool { return left(t, s) == 0 })
	eventually(t, "what follows is logged", func() bool { return len(log.with("what follows the ack failed")) == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	const naks = `ringline_naks_total{consumer="coordinators",reason=`
	metertest.Eventually(t, m, map[string]float64{
		naks + `"no_call_yet"}`: 1, naks + `"store"}`: 1, naks + `"worker_ends"}`: 1, naks + `"defect"}`: 4,
		`ringline_redeliveries_total{consumer="coordinators"}`: 7,
		`ringline_errors_total{component="coordinator"}`:       5,
		`ringline_build_info{version="test"}`:                  1,
	})
	for _, l := range log.with(secret) {
		t.Errorf("private data in the log: %s", l)
	}
	checkLine(t, log, "failed", "error", "the store is full", "store")
	checkLine(t, log, "wait", "debug", "", "no_call_yet")
	checkLine(t, log, "nothing", "debug", "", "defect")
	checkLine(t, log, "ends", "debug", "", "worker_ends")
	checkLine(t, log, "panic", "error", "broker: panic: of type string\n", "defect")
	checkLine(t, log, "runtime", "error", "index out of range [6] with length 0", "defect")
	checkLine(t, log, "parallel", "error", "of type *errors.errorString\n", "defect")
	if n := len(log.lines); n != 8 {
		t.Errorf("%d lines:\n%s", n, strings.Join(log.lines, ""))
	}
}

// checkLine expects one line about the message. The line of a panic must contain the place.
func checkLine(t *testing.T, log *logged, call, level, text, reason string) {
	t.Helper()
	lines := log.with(`"subject":"ringline.demo.cmd.` + call + `.ring"`)
	if len(lines) != 1 {
		t.Errorf("%s: %d lines: %q", call, len(lines), lines)
		return
	}
	var line struct {
		Level   string `json:"level"`
		Error   string `json:"error"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Level != level || !strings.Contains(line.Error, text) || line.Reason != reason || line.Message != "nak'ed" {
		t.Errorf("%s: %+v", call, line)
	}
	if strings.Contains(line.Error, "panic") && !strings.Contains(line.Error, "naks_test.go") {
		t.Errorf("%s: it does not say where: %s", call, line.Error)
	}
}
