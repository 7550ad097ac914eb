package play

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// Watcher receives the notifications of every user, as one device of each user would. Core NATS does not
// report missed messages. So the watcher also subscribes to a pulse that passes through each broker. If a
// pulse is missing, notifications may be missing too.
type Watcher struct {
	index int
	nc    *nats.Conn
	rec   *record.Recorder

	mu     sync.Mutex
	pulses map[string]beat
}

type beat struct {
	n    int
	sent int64
}

const (
	pulseSubject = "pulse"
	pulseEvery   = 100 * time.Millisecond
	// Before and after a disconnect, notifications may be lost unnoticed for this time.
	around = 500 * time.Millisecond
)

// Watch starts to watch the apps.
func Watch(index int, urls string, apps []string, rec *record.Recorder) (*Watcher, error) {
	w := &Watcher{index: index, rec: rec, pulses: map[string]beat{}}
	var gone int64
	nc, err := nats.Connect(urls, options(fmt.Sprintf("watcher-%d", index+1),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { gone = record.Now() }),
		nats.ReconnectHandler(func(*nats.Conn) { w.gap(gone, record.Now()) }))...)
	if err != nil {
		return nil, fmt.Errorf("play: connect watcher %d: %w", index+1, err)
	}
	w.nc = nc
	handlers := map[string]nats.MsgHandler{pulseSubject + ".*": w.beat}
	for _, app := range apps {
		handlers[events.AppNotifications(app)] = w.receive
	}
	for subject, handler := range handlers {
		sub, err := nc.Subscribe(subject, handler)
		if err == nil {
			err = sub.SetPendingLimits(-1, -1)
		}
		if err != nil {
			return nil, fmt.Errorf("play: watch %s: %w", subject, err)
		}
	}
	return w, nc.Flush()
}

// Close closes the watcher, and first records gaps at its end.
func (w *Watcher) Close() {
	w.nc.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.pulses {
		if now := record.Now(); now-b.sent > 3*int64(pulseEvery) {
			w.gap(b.sent, now)
		}
	}
}

func (w *Watcher) gap(from, to int64) {
	w.rec.Gap(record.Gap{Watcher: w.index, From: min(from, to) - int64(around), To: max(from, to) + int64(around)})
}

func (w *Watcher) beat(m *nats.Msg) {
	n, err := strconv.Atoi(string(m.Data))
	sent, err2 := strconv.ParseInt(m.Header.Get("Sent"), 10, 64)
	if err != nil || err2 != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, known := w.pulses[m.Subject]
	if known && n != last.n+1 {
		w.gap(last.sent, sent)
	}
	w.pulses[m.Subject] = beat{n, sent}
}

// frameTimes decodes the time fields by CONTRACT, independent of package events.
type frameTimes struct {
	ServerTime time.Time       `json:"server_time"`
	Remaining  *int64          `json:"ring_remaining_ms"`
	Call       json.RawMessage `json:"call"`
}

func (w *Watcher) receive(m *nats.Msg) {
	var n events.Notification
	app, to, _ := events.ParseUserSubject(m.Subject)
	if err := json.Unmarshal(m.Data, &n); err != nil {
		n.Event = events.Kind("garbage: " + err.Error())
	}
	var times frameTimes
	_ = json.Unmarshal(m.Data, &times) // garbage is already reported above
	w.rec.Notified(record.Notification{
		Watcher: w.index, App: app, To: to, ID: n.ID, Event: string(n.Event), CallID: n.CallID, Seq: n.Seq, UserID: n.UserID,
		Reason: n.Reason, Sum: record.Sum(n), Server: times.ServerTime.UnixNano(), Remaining: times.Remaining, Bare: times.Call == nil,
	})
}

// Pulse publishes a pulse through the broker at this URL until stop is closed.
func Pulse(name, url string, stop <-chan struct{}) error {
	nc, err := nats.Connect(url, options(name, nats.ReconnectBufSize(-1))...)
	if err != nil {
		return fmt.Errorf("play: connect %s: %w", name, err)
	}
	go func() {
		defer nc.Close()
		tick := time.NewTicker(pulseEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			msg := nats.NewMsg(pulseSubject + "." + strings.ReplaceAll(name, ".", "-"))
			msg.Header.Set("Sent", strconv.FormatInt(record.Now(), 10))
			msg.Data = []byte(strconv.Itoa(n))
			_ = nc.PublishMsg(msg) // a missing pulse is the signal
		}
	}()
	return nil
}
