package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
)

// floor does on the broker what Ringline does, and nothing else. It is a stage.
type floor struct {
	desk   *desk
	sender *nats.Conn
	nc     *nats.Conn // of its worker
	js     jetstream.JetStream
	plans  map[string]*plan // by the name of the step

	errands  sync.Map // by the number of the answer, or by the call for what comes of its deadline
	requests sync.Map // by the number of the answer: what a request asks for
	last     sync.Map // by subject: the sequence of the last message on it
	turns    sync.Map // by call: whose turn it is
	room     chan struct{}
	hop      *hop // to sessions; nil where there are none
}

// The streams that a command touches, and the consumers.
func copied() []string {
	return []string{
		worker.StreamCommands, worker.StreamCalls, worker.StreamTimers, worker.StreamEvents, "KV_" + worker.BucketLines,
	}
}

// newFloor makes copies of the streams. The worker has a connection of its own.
func newFloor(ctx context.Context, sender, work *nats.Conn, app string, plans map[string]*plan, parallel int) (*floor, error) {
	d, err := newDesk(sender, bare, app)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(work)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	f := &floor{desk: d, sender: sender, nc: work, js: js, plans: plans, room: make(chan struct{}, parallel)}
	if err := f.tearDown(ctx); err != nil { // of a run that was killed
		return nil, err
	}
	for _, name := range copied() {
		if err := f.copyStream(ctx, name); err != nil {
			return nil, errors.Join(err, f.tearDown(ctx))
		}
	}
	return f, nil
}

func asFloor(s string) string { return strings.ReplaceAll(s, ringline.stream, bare.stream) }

func (f *floor) copyStream(ctx context.Context, name string) error {
	s, err := f.js.Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("bench: %s: %w", name, err)
	}
	c := s.CachedInfo().Config
	c.Name, c.Description, c.Metadata = asFloor(c.Name), "the floor of a benchmark; it can be deleted", nil
	for i, subject := range c.Subjects {
		c.Subjects[i] = strings.Join(rename(subject), ".")
	}
	for _, from := range c.Sources {
		from.Name = asFloor(from.Name)
		for i, t := range from.SubjectTransforms {
			from.SubjectTransforms[i].Source = strings.Join(rename(t.Source), ".")
			from.SubjectTransforms[i].Destination = strings.Join(rename(t.Destination), ".")
		}
	}
	c.MaxBytes = -1 // it is not to be refused for room that only the real one needs
	if _, err := f.js.CreateStream(ctx, c); err != nil {
		return fmt.Errorf("bench: copy %s: %w", name, err)
	}
	for _, consumer := range []string{worker.ConsumerCoordinators, worker.ConsumerTimeouts} {
		there, err := s.Consumer(ctx, consumer)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("bench: %s: %w", consumer, err)
		}
		cc := there.CachedInfo().Config
		cc.Metadata, cc.FilterSubject = nil, strings.Join(rename(cc.FilterSubject), ".")
		if _, err := f.js.CreateConsumer(ctx, c.Name, cc); err != nil {
			return fmt.Errorf("bench: copy %s: %w", consumer, err)
		}
	}
	return nil
}

// tearDown deletes the copies.
func (f *floor) tearDown(ctx context.Context) (all error) {
	for _, name := range copied() {
		if err := f.js.DeleteStream(ctx, asFloor(name)); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			all = errors.Join(all, fmt.Errorf("bench: delete the floor's copy of %s: %w", name, err))
		}
	}
	return all
}

// serveAPI replies to requests, as the api does.
func (f *floor) serveAPI(ctx context.Context) error {
	err := subscribe(f.nc, bare.subject+f.desk.app+".api.*", func(m *nats.Msg) {
		go func() {
			if a := f.forward(ctx, m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]); a != nil {
				_ = m.Respond(a) // one that is lost fails its call
			}
		}()
	})
	if err != nil {
		return fmt.Errorf("bench: the floor's api: %w", err)
	}
	return nil
}

// Run works until ctx ends.
func (f *floor) Run(ctx context.Context) error {
	return worker.Together(
		func() error {
			return f.consume(ctx, worker.StreamCommands, worker.ConsumerCoordinators, func(m jetstream.Msg) {
				go f.inTurn(ctx, m)
			})
		},
		func() error {
			return f.consume(ctx, worker.StreamTimers, worker.ConsumerTimeouts, func(m jetstream.Msg) { go f.expire(ctx, m) })
		},
	)
}

// consume pulls as worker.Runner does.
func (f *floor) consume(ctx context.Context, stream, name string, take func(jetstream.Msg)) error {
	const atOnce, wait = 256, 250 * time.Millisecond
	c, err := f.js.Consumer(ctx, asFloor(stream), name)
	if err != nil {
		return fmt.Errorf("bench: the floor's consumer: %w", err)
	}
	for ctx.Err() == nil {
		batch, err := c.Fetch(atOnce, jetstream.FetchMaxWait(wait))
		if err != nil {
			return fmt.Errorf("bench: the floor pulls: %w", err)
		}
		for m := range batch.Messages() {
			take(m)
		}
	}
	return nil
}

// expire makes a command of a deadline that came due.
func (f *floor) expire(ctx context.Context, m jetstream.Msg) {
	t := strings.Split(m.Subject(), ".")
	if p := f.plans[stepExpire]; p != nil {
		_, _ = f.js.Publish(ctx, bare.subject+t[1]+".cmd."+t[3]+".expire", p.command) // one that is lost fails its call
	}
	_ = m.Ack()
}

// inTurn carries out the commands of one call one after another, as Ringline does, and so many of all calls at once.
func (f *floor) inTurn(ctx context.Context, m jetstream.Msg) {
	call := strings.Split(m.Subject(), ".")[3]
	turn, _ := f.turns.LoadOrStore(call, &sync.Mutex{})
	if mu, ok := turn.(*sync.Mutex); ok {
		mu.Lock()
		defer mu.Unlock()
	}
	f.room <- struct{}{}
	defer func() { <-f.room }()
	f.handle(ctx, m)
}

// handle carries out one command. What fails shows in its call: it is not answered.
func (f *floor) handle(ctx context.Context, m jetstream.Msg) {
	key := number(&nats.Msg{Header: m.Headers()})
	if key == "" {
		key = strings.Split(m.Subject(), ".")[3]
	}
	found, ok := f.errands.LoadAndDelete(key)
	if !ok {
		_ = m.Ack() // a deadline that nobody waits for
		return
	}
	e, _ := found.(errand)
	p := e.plan
	for level := 0; ; level++ {
		var beside []func() error
		for _, o := range p.ops {
			switch {
			case o.kind == kindAck:
			case !o.waits && o.level == level:
				if err := f.nc.PublishMsg(&nats.Msg{Subject: e.subject(o.subject), Header: e.headers(o, 0), Data: o.body}); err != nil {
					return
				}
			case o.waits && o.level == level+1:
				beside = append(beside, func() error { return f.do(ctx, e, o) })
			}
		}
		if err := together(beside); err != nil {
			return
		}
		if level >= p.waits {
			break
		}
	}
	_ = m.Ack()
}

func together(fs []func() error) error {
	if len(fs) == 1 {
		return fs[0]()
	}
	return worker.Together(fs...)
}

// do does an operation and waits for its reply.
func (f *floor) do(ctx context.Context, e errand, o planned) error {
	subject := e.subject(o.subject)
	switch o.kind { //nolint:exhaustive // the others are writes
	case kindRead:
		_, err := f.nc.RequestWithContext(ctx, subject, nil)
		return err
	case kindLead:
		_, err := f.nc.RequestWithContext(ctx, subject, []byte(`{"last_by_subj":"`+e.subject(o.read)+`"}`))
		return err
	}
	var last uint64
	if known, ok := f.last.Load(subject); ok {
		last, _ = known.(uint64)
	}
	seq, err := f.write(ctx, e, o, subject, last)
	if err != nil && o.expects { // the marker of a line goes by itself, and another one comes in its place
		if last, err = f.newest(ctx, subject); err != nil {
			return err
		}
		seq, err = f.write(ctx, e, o, subject, last)
	}
	if err == nil && o.expects {
		f.last.Store(subject, seq)
	}
	return err
}

// newest reads the sequence of the last message on a subject of the lines; 0 if there is none.
func (f *floor) newest(ctx context.Context, subject string) (uint64, error) {
	s, err := f.js.Stream(ctx, asFloor("KV_"+worker.BucketLines))
	if err != nil {
		return 0, err
	}
	m, err := s.GetLastMsgForSubject(ctx, subject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return m.Sequence, nil
}

func (f *floor) write(ctx context.Context, e errand, o planned, subject string, last uint64) (uint64, error) {
	reply, err := f.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Data: o.body, Header: e.headers(o, last)})
	if err != nil {
		return 0, err
	}
	var ack struct {
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(reply.Data, &ack); {
	case err != nil:
		return 0, err
	case ack.Error != nil:
		return 0, ack.Error
	}
	return ack.Sequence, nil
}

func (f *floor) send(ctx context.Context, s step) error {
	p, ok := f.plans[s.name]
	if !ok {
		return fmt.Errorf("bench: the floor does not know the step %s", s.name)
	}
	n, answer := f.desk.ticket()
	f.errands.Store(n, errand{
		plan: p, call: s.call, by: s.by, answer: f.desk.token + "." + n, rings: time.Duration(s.cmd.RingTimeoutS) * time.Second,
	})
	subject := bare.subject + s.cmd.App + ".cmd." + s.call.id + "." + string(s.cmd.Verb)
	var a []byte
	var err error
	switch {
	case f.hop != nil:
		f.requests.Store(n, forwarded{subject, p.command, answer})
		a, err = f.hop.ask(ctx, s.call.users[s.by], n, p.command)
	case p.request != nil:
		f.requests.Store(n, forwarded{subject, p.command, answer})
		a, err = f.request(ctx, s, p, n)
	default:
		a, err = f.desk.ask(ctx, subject, p.command, n, answer)
	}
	if err != nil {
		return err
	}
	return isOK(a)
}

// forwarded is a command that somebody else publishes for its sender.
type forwarded struct {
	subject string
	command []byte
	answer  chan []byte
}

// request sends a request and gives its reply.
func (f *floor) request(ctx context.Context, s step, p *plan, n string) ([]byte, error) {
	reply, err := f.sender.RequestWithContext(ctx, bare.subject+s.cmd.App+".api."+n, p.request)
	if err != nil {
		return nil, fmt.Errorf("bench: request: %w", err)
	}
	return reply.Data, nil
}

// forward publishes the command of this number, as the api or an edge does, and gives its answer; nil where there is none.
func (f *floor) forward(ctx context.Context, n string) []byte {
	found, _ := f.requests.LoadAndDelete(n)
	c, ok := found.(forwarded)
	if !ok {
		return nil
	}
	a, err := f.desk.ask(ctx, c.subject, c.command, n, c.answer)
	if err != nil {
		return nil // which fails its call
	}
	return a
}

func (f *floor) await(ctx context.Context, s step, event events.Kind) (time.Time, error) {
	p, ok := f.plans[s.name]
	if !ok {
		return time.Time{}, fmt.Errorf("bench: the floor does not know the step %s", s.name)
	}
	f.errands.Store(s.call.id, errand{plan: p, call: s.call, by: s.by})
	return subjects{}.await(ctx, s, event)
}

// stepExpire is the step that nobody sends.
const stepExpire = "expire"
