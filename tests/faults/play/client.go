package play

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// Client sends commands, as a backend would.
type Client struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	rec   *record.Recorder
	token string

	mu      sync.Mutex
	waiting map[int]chan events.Answer // by the number of the message
}

// options returns options of a connection that detects a cut quickly, and reconnects without limit.
func options(name string, more ...nats.Option) []nats.Option {
	return append([]nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond), nats.Timeout(2 * time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(3), nats.RetryOnFailedConnect(true),
		nats.DontRandomize(), // the plan decides who connects to which broker
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // broken on purpose
		func(o *nats.Options) error { o.IgnoreDiscoveredServers = true; return nil },
	}, more...)
}

// Connect returns a connected client.
func Connect(name, urls string, rec *record.Recorder) (*Client, error) {
	nc, err := nats.Connect(urls, options(name)...)
	if err != nil {
		return nil, fmt.Errorf("play: connect %s: %w", name, err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("play: %w", err)
	}
	c := &Client{nc: nc, js: js, rec: rec, token: nuid.Next(), waiting: map[int]chan events.Answer{}}
	if _, err := nc.Subscribe(events.AnswersOf(c.token), c.receive); err != nil {
		return nil, fmt.Errorf("play: subscribe to answers: %w", err)
	}
	return c, nil
}

// Close closes the client.
func (c *Client) Close() { c.nc.Close() }

func (c *Client) receive(m *nats.Msg) {
	n, err := strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	if err != nil {
		return // to no known message
	}
	c.answered(n, m.Data)
}

func (c *Client) answered(n int, body []byte) {
	c.rec.Answer(n, body)
	a, err := events.ReadAnswer(body)
	if err != nil {
		return // already recorded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch, ok := c.waiting[n]; ok {
		delete(c.waiting, n)
		ch <- a
	}
}

// patience is how long a client waits for an answer before it sends the command again.
const patience = 6 * time.Second

// apiPatience is the same for the API. It exceeds the API's default timeout of 8 s, after which the API
// answers that the result is unknown.
const apiPatience = 11 * time.Second

// ask sends the command once and returns its answer, or nil if none arrives.
func (c *Client) ask(ctx context.Context, cmd events.Command, via record.Via) *events.Answer {
	body, err := cmd.Encode()
	if err != nil || ctx.Err() != nil {
		return nil
	}
	most := patience
	if via == record.API {
		most = apiPatience
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	n := c.rec.Send(record.Sent{
		Via: via, App: cmd.App, CallID: cmd.CallID, Verb: string(cmd.Verb), Body: string(body),
	})
	if via == record.API {
		return c.request(ctx, n, cmd)
	}
	answer := make(chan events.Answer, 1)
	c.mu.Lock()
	c.waiting[n] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, n)
		c.mu.Unlock()
	}()
	c.publish(ctx, n, events.CommandSubject(cmd.App, cmd.CallID, cmd.Verb), body)
	select {
	case a := <-answer:
		return &a
	case <-ctx.Done():
		return nil
	}
}

func (c *Client) publish(ctx context.Context, n int, subject string, body []byte) {
	msg := nats.NewMsg(subject)
	msg.Header.Set(events.HeaderAnswer, fmt.Sprintf("%s.%d", c.token, n))
	msg.Data = body
	_, err := c.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
	c.rec.Acked(n, err)
}

func (c *Client) request(ctx context.Context, n int, cmd events.Command) *events.Answer {
	body, err := cmd.EncodeRequest()
	if err != nil {
		return nil
	}
	m, err := c.nc.RequestWithContext(ctx, events.APISubject(cmd.App, string(cmd.Verb)), body)
	if err != nil {
		c.rec.Acked(n, err)
		return nil
	}
	c.rec.Answer(n, m.Data)
	a, err := events.ReadAnswer(m.Data)
	if err != nil {
		return nil // already recorded
	}
	return &a
}

// sendBad publishes a malformed command.
func (c *Client) sendBad(ctx context.Context, app, callID string, verb events.Verb, body string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n := c.rec.Send(record.Sent{
		Via: record.Subject, App: app, CallID: callID, Verb: string(verb), Body: body, Bad: true,
	})
	c.publish(ctx, n, events.CommandSubject(app, callID, verb), []byte(body))
}

// Complete plays a call from its invitation to its end. It returns the latency of the invitation's answer.
func (c *Client) Complete(ctx context.Context, id string) (took time.Duration, ok bool) {
	caller, callee := "a-"+id, "b-"+id
	for _, step := range []struct {
		verb events.Verb
		user string
	}{{events.VerbInvite, caller}, {events.VerbAccept, callee}, {events.VerbEnd, caller}} {
		cmd := events.Command{
			CommandAddress: events.CommandAddress{App: "scale", CallID: id, Verb: step.verb},
			CommandID:      id + "-" + string(step.verb), UserID: step.user,
		}
		if step.verb == events.VerbInvite {
			cmd.Callees = []events.Party{{UserID: callee}}
		}
		begun := time.Now()
		if a := c.ask(ctx, cmd, record.Subject); a == nil || !a.OK {
			return 0, false
		}
		if step.verb == events.VerbInvite {
			took = time.Since(begun)
		}
	}
	return took, true
}
