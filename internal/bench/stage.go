package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
)

// stage is the system that plays calls: Ringline or the floor.
type stage interface {
	// send sends a command and waits until it is answered ok.
	send(ctx context.Context, s step) error
	// await waits for the event of a deadline of the call.
	await(ctx context.Context, s step, event events.Kind) (time.Time, error)
}

// step is one command of a call.
type step struct {
	name string // steps of the same name do the same on the broker
	call *played
	by   int // index of the sender in the users of the call
	cmd  events.Command
}

// played is a call of the benchmark. Its first user is the caller.
type played struct {
	id      string
	users   []string
	inboxes []inbox
}

// received is a received notification.
type received struct {
	event events.Kind
	at    time.Time
	body  []byte
}

// inbox receives the notifications of one user.
type inbox chan received

// patience is the timeout of every wait of a call.
const patience = 30 * time.Second

// await waits for a notification of this event and ignores others.
func (e inbox) await(ctx context.Context, event events.Kind) (received, error) {
	for {
		select {
		case h := <-e:
			if h.event == event {
				return h, nil
			}
		case <-ctx.Done():
			return received{}, fmt.Errorf("bench: no %s arrived: %w", event, ctx.Err())
		}
	}
}

// inboxes holds the inboxes of all users.
type inboxes struct {
	mu sync.RWMutex
	of map[string]inbox
}

func (b *inboxes) open(user string) inbox {
	inbox := make(inbox, 64)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of[user] = inbox
	return inbox
}

// users lists the users that have an inbox.
func (b *inboxes) users() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Sorted(maps.Keys(b.of))
}

// deliver delivers a notification.
func (b *inboxes) deliver(user string, body []byte) {
	now := time.Now()
	b.mu.RLock()
	inbox := b.of[user]
	b.mu.RUnlock()
	if inbox == nil {
		return
	}
	select {
	case inbox <- received{eventOf(body), now, body}:
	default: // full: no call reads it any more
	}
}

// eventOf returns the event of a notification, which is its first field. Decoding all of it would cost more than the
// measured operation.
func eventOf(body []byte) events.Kind {
	const first = `{"event":"`
	if rest, ok := bytes.CutPrefix(body, []byte(first)); ok {
		if word, _, ok := bytes.Cut(rest, []byte{'"'}); ok {
			return events.Kind(word)
		}
	}
	return ""
}

// desk sends commands to subjects and receives their answers.
type desk struct {
	js    jetstream.JetStream
	token string
	app   string

	mu      sync.Mutex
	last    uint64
	waiting map[string]chan []byte
}

func newDesk(nc *nats.Conn, d dialect, app string) (*desk, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	x := &desk{js: js, token: nuid.Next(), app: app, waiting: map[string]chan []byte{}}
	if err := subscribe(nc, d.subject+app+".answer."+x.token+".*", x.receive); err != nil {
		return nil, fmt.Errorf("bench: subscribe to answers: %w", err)
	}
	return x, nil
}

func (x *desk) receive(m *nats.Msg) {
	n := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	x.mu.Lock()
	ch := x.waiting[n]
	delete(x.waiting, n)
	x.mu.Unlock()
	if ch != nil {
		ch <- m.Data
	}
}

// ticket allocates the number and the channel of an answer.
func (x *desk) ticket() (n string, answer chan []byte) {
	answer = make(chan []byte, 1)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last++
	n = strconv.FormatUint(x.last, 36)
	x.waiting[n] = answer
	return n, answer
}

// ask publishes a command and returns its answer.
func (x *desk) ask(ctx context.Context, subject string, body []byte, n string, answer chan []byte) ([]byte, error) {
	defer func() {
		x.mu.Lock()
		delete(x.waiting, n)
		x.mu.Unlock()
	}()
	msg := nats.NewMsg(subject)
	msg.Header.Set(events.HeaderAnswer, x.token+"."+n)
	msg.Data = body
	if _, err := x.js.PublishMsg(ctx, msg); err != nil {
		return nil, fmt.Errorf("bench: publish: %w", err)
	}
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("bench: no answer: %w", ctx.Err())
	}
}

// isOK returns nil or the error of an answer. It decodes the answer only if its beginning does not say ok.
func isOK(answer []byte) error {
	if bytes.Contains(answer[:min(len(answer), 200)], []byte(`"ok":true`)) {
		return nil
	}
	var a events.Answer
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("bench: an answer: %w", err)
	}
	if a.Error == nil {
		return errors.New("bench: an answer without an error that is not ok")
	}
	return a.Error
}

// subjects is a stage: Ringline over NATS subjects.
type subjects struct{ desk *desk }

func (s subjects) send(ctx context.Context, x step) error {
	body, err := x.cmd.Encode()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	n, answer := s.desk.ticket()
	a, err := s.desk.ask(ctx, events.CommandSubject(x.cmd.App, x.cmd.CallID, x.cmd.Verb), body, n, answer)
	if err != nil {
		return err
	}
	return isOK(a)
}

func (s subjects) await(ctx context.Context, x step, event events.Kind) (time.Time, error) {
	h, err := x.call.inboxes[x.by].await(ctx, event)
	return h.at, err
}

// api is a stage: Ringline over requests.
type api struct{ nc *nats.Conn }

func (s api) send(ctx context.Context, x step) error {
	body, err := x.cmd.EncodeRequest()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	m, err := s.nc.RequestWithContext(ctx, events.APISubject(x.cmd.App, string(x.cmd.Verb)), body)
	if err != nil {
		return fmt.Errorf("bench: request: %w", err)
	}
	return isOK(m.Data)
}

func (s api) await(ctx context.Context, x step, event events.Kind) (time.Time, error) {
	return subjects{}.await(ctx, x, event)
}

// listen delivers published notifications to the users.
func listen(nc *nats.Conn, d dialect, app string, e *inboxes) error {
	err := subscribe(nc, d.subject+app+".user.*", func(m *nats.Msg) {
		e.deliver(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], m.Data)
	})
	if err != nil {
		return fmt.Errorf("bench: subscribe to notifications: %w", err)
	}
	return nil
}

// subscribe returns once the server has the subscription, so that no later message is missed.
func subscribe(nc *nats.Conn, subject string, handler nats.MsgHandler) error {
	if _, err := nc.Subscribe(subject, handler); err != nil {
		return err
	}
	return nc.Flush()
}
