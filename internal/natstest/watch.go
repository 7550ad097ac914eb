package natstest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
	"ringline.io/ringline/worker/streams"
)

// The kinds of messages.
const (
	Command      = "cmd"      // on core NATS, when it is published
	Transition   = "call"     // the same; includes transitions that lost the commit
	Notification = "user"     // on core NATS
	Answer       = "answer"   // on core NATS
	Rejected     = "rejected" // on core NATS, when it is published
	Logged       = "events"   // in RINGLINE_EVENTS
	Due          = "due"      // in RINGLINE_TIMERS
)

// Watch checks every message on the server strictly against the types of package events. An unknown field is an error,
// and so is an encoding that differs from that of the type. It also checks the messages against the closed schemas:
// they must describe every field that Ringline sends, and they must judge a command as package events does. The test
// fails if one of the kinds in want is never seen.
func Watch(tb testing.TB, s *Server, want ...string) {
	tb.Helper()
	w := &watch{tb: tb, schemas: check.New(check.Closed), drained: make(chan struct{}, 2), seen: map[string]int{}}
	nc := s.Connect(tb)
	subs := []*nats.Subscription{
		w.subscribe(nc, "ringline.>", func(m *nats.Msg) { w.check(m.Subject, m.Header, m.Data) }),
		w.subscribe(nc, nats.InboxPrefix+">", w.reply),
	}
	if err := nc.Flush(); err != nil {
		tb.Fatalf("natstest: watch: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), within)
		defer cancel()
		w.drain(ctx, subs)
		w.caughtUp(ctx, s.JS)
		w.readAll(ctx, s.JS, streams.StreamEvents, ">")
		w.readAll(ctx, s.JS, streams.StreamTimers, events.DueSubjects)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, kind := range want {
			if w.seen[kind] == 0 {
				tb.Errorf("natstest: no %s was seen; seen: %v", kind, w.seen)
			}
		}
	})
}

// mostErrors limits the reported errors, because one defect breaks many messages.
const mostErrors = 20

type watch struct {
	tb      testing.TB
	schemas *check.Checker
	drained chan struct{}

	mu   sync.Mutex
	seen map[string]int
	bad  int
}

// subscribe subscribes without pending limits, because under load checking is slower than publishing.
func (w *watch) subscribe(nc *nats.Conn, subject string, check nats.MsgHandler) *nats.Subscription {
	w.tb.Helper()
	sub, err := nc.Subscribe(subject, check)
	if err == nil {
		err = sub.SetPendingLimits(-1, -1)
	}
	if err != nil {
		w.tb.Fatalf("natstest: watch %s: %v", subject, err)
	}
	sub.SetClosedHandler(func(string) { w.drained <- struct{}{} })
	return sub
}

// drain waits until every received message is checked.
func (w *watch) drain(ctx context.Context, subs []*nats.Subscription) {
	for _, sub := range subs {
		if err := sub.Drain(); err != nil {
			w.tb.Errorf("natstest: watch: %v", err)
			return
		}
	}
	for range subs {
		select {
		case <-w.drained:
		case <-ctx.Done():
			w.tb.Errorf("natstest: not everything is checked: %v", ctx.Err())
			return
		}
	}
}

// caughtUp waits until the event log has as many messages as RINGLINE_CALLS.
func (w *watch) caughtUp(ctx context.Context, js jetstream.JetStream) {
	count := func(stream string) uint64 {
		st, err := js.Stream(ctx, stream)
		if err != nil {
			w.tb.Errorf("natstest: %s: %v", stream, err)
			return 0
		}
		return st.CachedInfo().State.Msgs
	}
	for count(streams.StreamEvents) < count(streams.StreamCalls) {
		select {
		case <-ctx.Done():
			w.tb.Errorf("natstest: the event log does not catch up: %v", ctx.Err())
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// readAll checks the messages of a stream.
func (w *watch) readAll(ctx context.Context, js jetstream.JetStream, stream, filter string) {
	cons, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{filter}})
	if err != nil {
		w.tb.Errorf("natstest: read %s: %v", stream, err)
		return
	}
	for {
		batch, err := cons.FetchNoWait(500)
		if err != nil {
			w.tb.Errorf("natstest: read %s: %v", stream, err)
			return
		}
		n := 0
		for m := range batch.Messages() {
			n++
			w.check(m.Subject(), m.Headers(), m.Data())
		}
		switch {
		case n > 0:
		case batch.Error() == nil:
			return
		case ctx.Err() != nil:
			w.tb.Errorf("natstest: read %s: %v", stream, batch.Error())
			return
		}
	}
}

func (w *watch) check(subject string, header nats.Header, data []byte) {
	kind := strings.Split(subject, ".")[2]
	w.mu.Lock()
	w.seen[kind]++
	w.mu.Unlock()
	w.report(subject, data, checkMessage(kind, header, data))
	w.report(subject, data, w.checkSchema(kind, subject, header, data))
}

func (w *watch) report(subject string, data []byte, err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	w.bad++
	bad := w.bad
	w.mu.Unlock()
	if bad <= mostErrors {
		w.tb.Errorf("natstest: %s: %v\n%s", subject, err, data)
	}
}

// checkSchema checks a message against its schema. A test may send any command and any api request. For those it checks
// that the schema accepts and rejects the same as package events.
func (w *watch) checkSchema(kind, subject string, header nats.Header, data []byte) error {
	switch kind {
	case Command:
		if a, bad := events.ParseCommandSubject(subject); bad == nil {
			return w.schemas.Command(a, data)
		}
		return nil
	case "api":
		_, method, ok := events.ParseAPISubject(subject)
		if ok && schemas.ForSubject(subject, "") != "" {
			return w.schemas.Request(method, data)
		}
		return nil
	case Rejected:
		return nil
	case "timer":
		if len(data) == 0 { // a removed deadline
			return nil
		}
	}
	return w.schemas.Message(subject, header.Get(events.HeaderEvent), data)
}

// reply checks the replies of the api. Only the api publishes such a message to an inbox.
func (w *watch) reply(m *nats.Msg) {
	var r struct {
		OK *bool `json:"ok"`
	}
	if !bytes.Contains(m.Data, []byte(`"ok":`)) || json.Unmarshal(m.Data, &r) != nil || r.OK == nil {
		return
	}
	var wrong []error
	for _, name := range []string{"answer", "reply/get", "reply/line", "reply/list", "reply/present"} {
		err := w.schemas.Valid(name+"/v1.json", m.Data)
		if err == nil {
			return
		}
		wrong = append(wrong, err)
	}
	w.report(m.Subject, m.Data, errors.Join(wrong...))
}

func checkMessage(kind string, header nats.Header, data []byte) error {
	switch kind {
	case Transition, Logged:
		return checkTransition(header, data)
	case Notification:
		var n events.Notification
		if err := same(data, &n); err != nil {
			return err
		}
		return known(events.Kinds(), n.Event)
	case Answer:
		var a events.Answer
		if err := same(data, &a); err != nil {
			return err
		}
		if a.OK != (a.Error == nil) {
			return errors.New("either ok or an error")
		}
		if a.Error != nil {
			return known(events.Codes(), a.Error.Code)
		}
		return nil
	case Due:
		return same(data, &events.Deadline{})
	case Rejected:
		return known(events.Codes(), events.Code(header.Get(events.HeaderErrorCode)))
	case Command: // a test may send anything
		return nil
	case "api", "timer":
		return nil
	}
	return fmt.Errorf("a subject that no test should see")
}

func checkTransition(header nats.Header, data []byte) error {
	var at struct {
		Subject string `json:"subject"`
		Data    struct {
			Call struct {
				App string `json:"app"`
			} `json:"call"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &at); err != nil {
		return err
	}
	t, when, err := events.ReadTransition(at.Data.Call.App, at.Subject, data)
	if err != nil {
		return err
	}
	if h := header.Get(events.HeaderEvent); h != string(t.Event) {
		return fmt.Errorf("header %s is %q", events.HeaderEvent, h)
	}
	if header.Get(nats.MsgIdHdr) != "" {
		return fmt.Errorf("a transition with %s", nats.MsgIdHdr)
	}
	again, err := t.Encode(when)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return fmt.Errorf("reads back as\n%s", again)
	}
	return known(events.Events(), t.Event)
}

// same reads data into v, and checks that encoding v gives the same bytes.
func same(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	again, err := events.Encode(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return fmt.Errorf("reads back as\n%s", again)
	}
	return nil
}

func known[T ~string](set []T, word T) error {
	if !slices.Contains(set, word) {
		return fmt.Errorf("%q is none of %v", word, set)
	}
	return nil
}
