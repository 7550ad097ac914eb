// Package ask publishes a command and waits for its answer. The api, the edges and the command line use it.
//
// What it promises:
//
//  1. Ask always returns an answer. If none arrives in time, the code is unavailable, and the message says whether the
//     command may still be carried out.
//  2. An Asker receives all its answers on one subscription, with a token of its own.
//  3. Commands of one app wait only briefly for those of another app, however many there are.
package ask

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/gate"
	"ringline.io/ringline/worker/meter"
)

// storedAtOnce is how many commands of one app this process may have in flight to the broker. The broker stores
// messages one after another, so other apps wait for at most that many. The number keeps even a slow broker busy.
const storedAtOnce = 16

// storedIn is how long a command holds its place. The ack of a command may never arrive, if the connection was lost.
const storedIn = time.Second

// DefaultTimeout is how long Ask waits for an answer.
const DefaultTimeout = 8 * time.Second

// Asker publishes commands and receives their answers.
type Asker struct {
	js      jetstream.JetStream
	sub     *nats.Subscription
	token   string
	storing *gate.Gate
	timeout time.Duration
	failed  *meter.Publishes
	count   atomic.Uint64

	mu      sync.Mutex
	waiting map[string]chan events.Answer // by the second part of the token
}

// New makes an asker that waits this long for each answer. It counts failed publishes in failed, which may be nil.
// Close stops it.
func New(nc *nats.Conn, js jetstream.JetStream, timeout time.Duration, failed *meter.Publishes) (*Asker, error) {
	a := &Asker{js: js, token: nuid.Next(), storing: gate.New(storedAtOnce, 0), timeout: timeout, failed: failed, waiting: map[string]chan events.Answer{}}
	sub, err := nc.Subscribe(events.AnswersOf(a.token), a.received)
	if err != nil {
		return nil, err
	}
	a.sub = sub
	return a, nil
}

// Close unsubscribes from the answers.
func (a *Asker) Close() error { return a.sub.Unsubscribe() }

func (a *Asker) received(msg *nats.Msg) {
	part := msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:]
	answer, err := events.ReadAnswer(msg.Data)
	if err != nil {
		answer = events.Refusal("", events.Errorf(events.CodeInternal, "the answer is malformed: %v", err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ch, ok := a.waiting[part]; ok {
		delete(a.waiting, part) // a second copy of an answer is dropped
		ch <- answer
	}
}

// errWaited means that a command waited too long for others of its app, and was not sent.
var errWaited = errors.New("ask: timed out behind other commands of the app")

// store sends the command to the broker. With errWaited it was not sent.
func (a *Asker) store(ctx context.Context, app string, msg *nats.Msg) error {
	leave, err := a.storing.Enter(ctx, app)
	if err != nil {
		return errWaited
	}
	late := time.AfterFunc(storedIn, leave)
	_, err = a.js.PublishMsg(ctx, msg)
	if late.Stop() {
		leave()
	}
	a.failed.Failed(err)
	return err
}

// Ask publishes the command and waits for its answer.
func (a *Asker) Ask(ctx context.Context, cmd events.Command) events.Answer {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	body, err := cmd.Encode()
	if err != nil {
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeInternal, "%v", err))
	}
	part := strconv.FormatUint(a.count.Add(1), 36)
	answer := make(chan events.Answer, 1)
	a.mu.Lock()
	a.waiting[part] = answer
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.waiting, part)
		a.mu.Unlock()
	}()

	msg := nats.NewMsg(events.CommandSubject(cmd.App, cmd.CallID, cmd.Verb))
	msg.Header.Set(events.HeaderAnswer, a.token+"."+part)
	msg.Data = body
	notAcked := a.store(ctx, cmd.App, msg)
	if errors.Is(notAcked, errWaited) {
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
			"the command timed out behind other commands of its app; it was not stored and will not be executed"))
	}
	if _, refused := errors.AsType[*jetstream.APIError](notAcked); refused {
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
			"the command was not stored and will not be executed: %v", notAcked))
	}
	select { // even without an ack, because an answer can arrive if only the ack was lost
	case got := <-answer:
		return got
	case <-ctx.Done():
		if notAcked != nil {
			return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
				"the command may not have been stored: %v; it may still be executed", notAcked))
		}
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
			"the command is stored, but no answer arrived within %v; it may still be executed", a.timeout))
	}
}
