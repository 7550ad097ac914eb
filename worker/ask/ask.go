// Package ask publishes a command and waits for its answer: for the api, for edges and for the command line.
//
// What it promises:
//
//  1. Ask always gives an answer. Where none came in time its code is unavailable, and its message says whether
//     the command may still be carried out.
//  2. An Asker hears all of its answers on one subscription, of a token of its own.
//  3. Commands of one app wait for those of another for a moment only, however many there are.
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

// storedAtOnce is how many commands of an app are sent to the broker at once by one process. The broker stores them one after
// another, so that those of other apps wait for no more than these. It keeps a broker busy that is many times slower than a disk.
const storedAtOnce = 16

// storedIn is how long a command keeps others of its app from being sent: the acknowledgement of one that was lost with a
// connection never comes.
const storedIn = time.Second

// DefaultTimeout is how long an answer is waited for.
const DefaultTimeout = 8 * time.Second

// Asker publishes commands and hears their answers.
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

// New makes an asker that waits this long for each answer. It counts what it could not store, failed may be nil. Close ends it.
func New(nc *nats.Conn, js jetstream.JetStream, timeout time.Duration, failed *meter.Publishes) (*Asker, error) {
	a := &Asker{js: js, token: nuid.Next(), storing: gate.New(storedAtOnce, 0), timeout: timeout, failed: failed, waiting: map[string]chan events.Answer{}}
	sub, err := nc.Subscribe(events.AnswersOf(a.token), a.hear)
	if err != nil {
		return nil, err
	}
	a.sub = sub
	return a, nil
}

// Close stops hearing answers.
func (a *Asker) Close() error { return a.sub.Unsubscribe() }

func (a *Asker) hear(msg *nats.Msg) {
	part := msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:]
	answer, err := events.ReadAnswer(msg.Data)
	if err != nil {
		answer = events.Refusal("", events.Errorf(events.CodeInternal, "the answer can't be read: %v", err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ch, ok := a.waiting[part]; ok {
		delete(a.waiting, part) // an answer may come twice
		ch <- answer
	}
}

// store sends the command to the broker, or has waited for others of its app for too long.
func (a *Asker) store(ctx context.Context, app string, msg *nats.Msg) (notAcked error, waited bool) {
	leave, err := a.storing.Enter(ctx, app)
	if err != nil {
		return err, true
	}
	late := time.AfterFunc(storedIn, leave)
	_, notAcked = a.js.PublishMsg(ctx, msg)
	if late.Stop() {
		leave()
	}
	a.failed.Failed(notAcked)
	return notAcked, false
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
	notAcked, waited := a.store(ctx, cmd.App, msg)
	if waited {
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
			"the command waited for others of its app until its time was over; it was not stored and will not be carried out"))
	}
	if _, refused := errors.AsType[*jetstream.APIError](notAcked); refused {
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
			"the command was not stored and will not be carried out: %v", notAcked))
	}
	select { // also where the acknowledgement was lost: the answer may be there
	case got := <-answer:
		return got
	case <-ctx.Done():
		if notAcked != nil {
			return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
				"the command may not have been stored: %v; it may still be carried out", notAcked))
		}
		return events.Refusal(cmd.CommandID, events.Errorf(events.CodeUnavailable,
			"the command is stored, but no answer came within %v; it may still be carried out", a.timeout))
	}
}
