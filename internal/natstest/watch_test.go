package natstest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/internal/natstest"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB

	failed   []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}
func (r *recorder) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Context() context.Context { return context.Background() }

// watched returns the errors of a test that publishes these messages.
func watched(t *testing.T, s *natstest.Server, want []string, messages ...*nats.Msg) []string {
	t.Helper()
	r := &recorder{TB: t}
	natstest.Watch(r, s, want...)
	for _, m := range messages {
		if err := s.NC.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.NC.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r.failed
}

const (
	by   = `"by":{"kind":"user","user_id":"ann","device_id":"laptop"}`
	call = `{"call_id":"c1","app":"demo","room_id":"c1","call_type":0,"state":"ringing","seq":1,` +
		`"caller":{"user_id":"ann","state":"in","at":"2026-11-24T10:00:00.000Z"},"callees":[],` +
		`"created_at":"2026-11-24T10:00:00.000Z","expires_at":"2026-11-24T22:00:00.000Z"}`
	received = `{"event":"incoming_call_received","id":"c1-1-0","call_id":"c1","seq":1,"user_id":"bob",` + by + `,"call":` + call +
		`,"server_time":"2026-11-24T10:00:00.000Z"`
)

// TestWatch checks that a message that differs from its type or its schema fails the test, and that other messages do
// not.
func TestWatch(t *testing.T) {
	s := natstest.Start(t)
	for _, x := range []struct{ subject, body, says string }{
		{"ringline.demo.user.bob", received + `,"ring_remaining_ms":60000}`, ""},
		{"ringline.demo.user.bob", received + `}`, "ring_remaining_ms"}, // only the schema knows that this kind always has it
		{"ringline.demo.user.bob", received + `,"ring_remaining_ms":60000,"colour":"red"}`, "colour"},
		{"ringline.demo.user.bob", `{"event":"bogus"}`, "bogus"},
		{"ringline.demo.answer.t", `{"command_id":"k","ok":true,"call":` + call + `}`, ""},
		{"ringline.demo.answer.t", `{"command_id":"k","ok":true}`, "call"},
		{"ringline.demo.answer.t", `{"ok":false,"error":{"code":"oops","message":"m"}}`, "oops"},
		{"ringline.demo.cmd.c2.shout", `anything`, ""},
		{"ringline.demo.cmd.c2.ring", `{"command_id":"k"}`, ""},
		{"ringline.demo.api.ring", `{"command_id":"k"}`, ""},
		{"ringline.demo.api.sing", `anything`, ""},
		{"_INBOX.abc", `{"ok":true,"calls":["c1"]}`, ""},
		{"_INBOX.abc", `{"ok":true,"calls":["c 1"]}`, "pattern"},
		{"_INBOX.abc", `{"ok":true}`, "call"},
		{"_INBOX.abc", `{"stream":"RINGLINE_COMMANDS","seq":1}`, ""},
		{"ringline.demo.nothing.c1", `{}`, "no test should see"},
	} {
		m := nats.NewMsg(x.subject)
		m.Data = []byte(x.body)
		failed := strings.Join(watched(t, s, nil, m), "\n")
		if x.says == "" && failed != "" || !strings.Contains(failed, x.says) {
			t.Errorf("%s %s: %q, want %q", x.subject, x.body, failed, x.says)
		}
	}
	if failed := watched(t, s, []string{natstest.Answer}); len(failed) != 1 || !strings.Contains(failed[0], "no answer was seen") {
		t.Errorf("no answer came, and the test fails with %q", failed)
	}
	bad := make([]*nats.Msg, 100)
	for i := range bad {
		bad[i] = nats.NewMsg("ringline.demo.answer.t")
	}
	if failed := watched(t, s, []string{natstest.Answer}, bad...); len(failed) != 20 {
		t.Errorf("%d errors are reported", len(failed))
	}
}
