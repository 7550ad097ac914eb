package coordinator_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
)

// canary is a stand-in for user data. No log may contain it.
const canary = "CANARY"

// journal is a log that a test can read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// check expects this many lines with the text, and the canary in none.
func (j *journal) check(t *testing.T, want int, text string) {
	t.Helper()
	if got := strings.Count(j.text(), text); got != want {
		t.Errorf("%d times %q, want %d", got, text, want)
	}
	for line := range strings.Lines(j.text()) {
		if strings.Contains(line, canary) {
			t.Errorf("private data in the log: %s", line)
		}
	}
}

// The log entry of a panic says where it happened, at every step, and contains no user data.
func TestPanicLogsContainNoPrivateData(t *testing.T) {
	log := &journal{}
	m := newMeasured(t, zerolog.New(log).Level(zerolog.DebugLevel))
	values := []any{canary, errors.New(canary), fmt.Sprintf("%x", canary) + canary, struct{ Said string }{canary}, []byte(canary)}
	for n, step := range meter.Steps() {
		m.once(step, func() { panic(values[n]) })
		callID := fmt.Sprintf("c%d", n)
		m.ok(callID, "invite", fmt.Sprintf(`{"command_id":"k1","user_id":"ann%d","user_name":%q,"call_type":0,"device_id":%q,"custom_data":%q,
			"room_id":%q,"callees":[{"user_id":"bob%d","user_name":%q}]}`, n, canary, canary, canary, canary, n, canary))
		m.handled()
	}
	const defect = `ringline_naks_total{consumer="coordinators",reason="defect"}`
	m.check(map[string]float64{defect: 5}, "ringline_naks_total")
	m.once(meter.StepAnswered, func() { panic(canary) }) // after the ack
	m.refused("c0", "decline", `{"command_id":"d1","user_id":"joe","device_id":"`+canary+`"}`, "permission_denied")
	m.until("it is logged", func() bool { return strings.Contains(log.text(), "what follows the ack failed") })
	log.check(t, 6, "broker: panic: of type ")
	log.check(t, 5, `"nak'ed"`)
}

// A request that hits a defect of the API is answered. The log says where the defect is.
func TestAPIPanicLogsContainNoPrivateData(t *testing.T) {
	log := &journal{}
	m := newMeasured(t, zerolog.Nop())
	count := meter.New("test")
	nc := m.server.Connect(t)
	run(t, (&coordinator.API{ // without Calls, Lines, Asker
		NC: nc, Log: count.Log(zerolog.New(log), meter.API), Parallel: 1, InboxPrefix: "_INBOX", Meter: count,
	}).Run)
	broken := 0
	for deadline := time.Now().Add(within); broken < 3; {
		for method, body := range map[string]string{
			"get": `{"call_id":"` + canary + `"}`, "line": `{"user_id":"` + canary + `"}`,
			"accept": `{"call_id":"c1","user_id":"bob","custom_data":"` + canary + `"}`,
		} {
			e, _ := m.request(method, body)["error"].(object)
			if e["code"] == "internal" { // the other API answers without this error
				broken++
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broken api was asked %d times", broken)
		}
	}
	m.until("all are logged", func() bool { return strings.Count(log.text(), "request failed") == broken })
	log.check(t, broken, "invalid memory address or nil pointer dereference")
	metertest.Eventually(t, count, map[string]float64{`ringline_errors_total{component="api"}`: float64(broken)}, "ringline_errors_total")
}
