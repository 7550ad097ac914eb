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

// stage is what calls are played on: Ringline, or the floor.
type stage interface {
	// send sends a command and waits until it is answered ok.
	send(ctx context.Context, s step) error
	// await waits for what comes of a deadline of the call by itself.
	await(ctx context.Context, s step, event events.Kind) (time.Time, error)
}

// step is one command of a call that is played.
type step struct {
	name string // steps of the same name do the same on the broker
	call *played
	by   int // of the users of the call
	cmd  events.Command
}

// played is a call that is played. The first of its users is the caller.
type played struct {
	id    string
	users []string
	ears  []ear
}

// heard is a notification that came.
type heard struct {
	event events.Kind
	at    time.Time
	body  []byte
}

// ear is where a user hears his notifications.
type ear chan heard

// patience is how long anything is waited for before a call is counted as failed.
const patience = 10 * time.Second

// hear waits for this notification, and passes over others.
func (e ear) hear(ctx context.Context, event events.Kind) (heard, error) {
	for {
		select {
		case h := <-e:
			if h.event == event {
				return h, nil
			}
		case <-ctx.Done():
			return heard{}, fmt.Errorf("bench: no %s came: %w", event, ctx.Err())
		}
	}
}

// ears are those of all users.
type ears struct {
	mu sync.RWMutex
	of map[string]ear
}

func (e *ears) open(user string) ear {
	ear := make(ear, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.of[user] = ear
	return ear
}

// users lists who has ears.
func (e *ears) users() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Sorted(maps.Keys(e.of))
}

// tell takes a notification.
func (e *ears) tell(user string, body []byte) {
	now := time.Now()
	e.mu.RLock()
	ear := e.of[user]
	e.mu.RUnlock()
	if ear == nil {
		return
	}
	select {
	case ear <- heard{eventOf(body), now, body}:
	default: // nobody listens any more
	}
}

// eventOf gives the event of a notification. It stands first, and to read the whole would cost more than what is measured.
func eventOf(body []byte) events.Kind {
	const first = `{"event":"`
	if rest, ok := bytes.CutPrefix(body, []byte(first)); ok {
		if word, _, ok := bytes.Cut(rest, []byte{'"'}); ok {
			return events.Kind(word)
		}
	}
	return ""
}

// desk sends commands to subjects and hears their answers.
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
	if err := subscribe(nc, d.subject+app+".answer."+x.token+".*", x.hear); err != nil {
		return nil, fmt.Errorf("bench: hear answers: %w", err)
	}
	return x, nil
}

func (x *desk) hear(m *nats.Msg) {
	n := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	x.mu.Lock()
	ch := x.waiting[n]
	delete(x.waiting, n)
	x.mu.Unlock()
	if ch != nil {
		ch <- m.Data
	}
}

// ticket makes room for an answer.
func (x *desk) ticket() (n string, answer chan []byte) {
	answer = make(chan []byte, 1)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last++
	n = strconv.FormatUint(x.last, 36)
	x.waiting[n] = answer
	return n, answer
}

// ask publishes a command and gives its answer.
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

// isOK says what an answer is: its beginning tells, and the whole is read only where it is a refusal.
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

// subjects plays on Ringline over NATS subjects.
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
	h, err := x.call.ears[x.by].hear(ctx, event)
	return h.at, err
}

// api plays on Ringline over requests.
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

// listen lets users hear what is published to them.
func listen(nc *nats.Conn, d dialect, app string, e *ears) error {
	err := subscribe(nc, d.subject+app+".user.*", func(m *nats.Msg) {
		e.tell(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], m.Data)
	})
	if err != nil {
		return fmt.Errorf("bench: hear notifications: %w", err)
	}
	return nil
}

// subscribe returns once the server knows of it: what somebody else sends after that is heard.
func subscribe(nc *nats.Conn, subject string, hear nats.MsgHandler) error {
	if _, err := nc.Subscribe(subject, hear); err != nil {
		return err
	}
	return nc.Flush()
}
