package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/streams"
)

// floor performs Ringline's broker operations and nothing else. It is a stage.
type floor struct {
	desk   *desk
	sender *nats.Conn
	nc     *nats.Conn // the worker's
	js     jetstream.JetStream
	plans  map[string]*plan // by step name

	errands  sync.Map // by answer number; by call id for a deadline
	requests sync.Map // by answer number: the forwarded command of a request
	last     sync.Map // by subject: the last message
	turns    sync.Map // by call id: the turn
	parallel int
	hop      *hop // to sessions; nil if there are none
}

// The streams that a command uses, which the floor copies.
func copied() []string {
	return []string{
		streams.StreamCommands, streams.StreamCalls, streams.StreamTimers, streams.StreamEvents, "KV_" + streams.BucketLines,
	}
}

// newFloor copies the streams. The worker has its own connection.
func newFloor(ctx context.Context, sender, work *nats.Conn, app string, plans map[string]*plan, parallel int) (*floor, error) {
	d, err := newDesk(sender, bare, app)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(work)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	f := &floor{desk: d, sender: sender, nc: work, js: js, plans: plans, parallel: parallel}
	if err := f.tearDown(ctx); err != nil { // leftovers of a killed run
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
	c.MaxBytes = -1 // no limit: only the original needs the space
	if _, err := f.js.CreateStream(ctx, c); err != nil {
		return fmt.Errorf("bench: copy %s: %w", name, err)
	}
	for _, consumer := range []string{streams.ConsumerCoordinators, streams.ConsumerTimeouts} {
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

// serveAPI replies to requests, as the API does.
func (f *floor) serveAPI(ctx context.Context) error {
	err := subscribe(f.nc, bare.subject+f.desk.app+".api.*", func(m *nats.Msg) {
		go func() {
			if a := f.forward(ctx, m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]); a != nil {
				_ = m.Respond(a) // a lost reply fails its call
			}
		}()
	})
	if err != nil {
		return fmt.Errorf("bench: the floor's api: %w", err)
	}
	return nil
}

// Run works until ctx ends. A fixed set of goroutines handles the commands, as in Ringline.
func (f *floor) Run(ctx context.Context) error {
	commands := make(chan jetstream.Msg, 1<<14)
	defer close(commands)
	for range f.parallel {
		go func() {
			for m := range commands {
				f.inTurn(ctx, m)
			}
		}()
	}
	return broker.RunAll(
		func() error {
			return f.consume(ctx, streams.StreamCommands, streams.ConsumerCoordinators, func(m jetstream.Msg) { commands <- m })
		},
		func() error {
			return f.consume(ctx, streams.StreamTimers, streams.ConsumerTimeouts, func(m jetstream.Msg) { go f.expire(ctx, m) })
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

// expire publishes the command of a due deadline.
func (f *floor) expire(ctx context.Context, m jetstream.Msg) {
	t := strings.Split(m.Subject(), ".")
	if p := f.plans[stepExpire]; p != nil {
		_, _ = f.js.Publish(ctx, bare.subject+t[1]+".cmd."+t[3]+".expire", p.command) // a lost command fails its call
	}
	_ = m.Ack()
}

// turn serializes the commands of one call. users counts those that run or wait.
type turn struct {
	sync.Mutex

	users atomic.Int32
}

// inTurn handles the commands of one call sequentially, as Ringline does.
func (f *floor) inTurn(ctx context.Context, m jetstream.Msg) {
	call := strings.Split(m.Subject(), ".")[3]
	found, _ := f.turns.LoadOrStore(call, &turn{})
	if t, ok := found.(*turn); ok {
		t.users.Add(1)
		t.Lock()
		defer func() {
			if t.users.Add(-1) == 0 {
				f.turns.Delete(call)
			}
			t.Unlock()
		}()
	}
	f.handle(ctx, m)
}

// handle performs one command. An error becomes its answer, which fails the call.
func (f *floor) handle(ctx context.Context, m jetstream.Msg) {
	key := number(&nats.Msg{Header: m.Headers()})
	if key == "" {
		key = strings.Split(m.Subject(), ".")[3]
	}
	found, ok := f.errands.LoadAndDelete(key)
	if !ok {
		_ = m.Ack() // a deadline that no call waits for
		return
	}
	e, _ := found.(errand)
	if err := f.perform(ctx, e); err != nil && e.answer != "" {
		refusal := events.Refusal("", events.Errorf(events.CodeUnavailable, "the floor failed: %v", err))
		_ = f.nc.Publish(bare.subject+f.desk.app+".answer."+e.answer, refusal.Append(nil)) // a lost answer fails the call too
	}
	_ = m.Ack()
}

// perform performs the operations of a command, those of a level in parallel.
func (f *floor) perform(ctx context.Context, e errand) error {
	p := e.plan
	for level := 0; ; level++ {
		var parallel []func() error
		for _, o := range p.ops {
			switch {
			case o.kind == kindAck:
			case !o.waits && o.level == level:
				if err := f.nc.PublishMsg(&nats.Msg{Subject: e.subject(o.subject), Header: e.headers(o, 0), Data: o.body}); err != nil {
					return err
				}
			case o.waits && o.level == level+1:
				parallel = append(parallel, func() error { return f.do(ctx, e, o) })
			}
		}
		if err := broker.RunAll(parallel...); err != nil {
			return err
		}
		if level >= p.waits {
			return nil
		}
	}
}

// do performs an operation and waits for its reply.
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
	last, err := f.expected(ctx, subject)
	if err != nil {
		return err
	}
	msg := &nats.Msg{Subject: subject, Data: o.body, Header: e.headers(o, last)}
	seq, err := broker.Write(ctx, f.nc, msg)
	// The server's delete marker came earlier or later than expected, another call wrote to the same line, or the ack of
	// this write was late.
	for o.expects && broker.IsConflict(err) {
		if last, err = f.newest(ctx, subject); err != nil {
			return err
		}
		msg.Header = e.headers(o, last)
		seq, err = broker.Write(ctx, f.nc, msg)
	}
	if err == nil && o.expects {
		f.last.Store(subject, left{seq, len(o.body) == 0, time.Now()})
	}
	return err
}

// left describes the last message on a subject.
type left struct {
	seq    uint64
	marker bool
	at     time.Time
}

// expected returns the expected last sequence of a subject. A delete marker expires after 60 s, and the server replaces
// it with its own marker for the same time. In that interval the sequence must be read, as Ringline does.
func (f *floor) expected(ctx context.Context, subject string) (uint64, error) {
	const markerAge, gone = 60 * time.Second, 125 * time.Second
	known, _ := f.last.Load(subject)
	x, ok := known.(left)
	age := time.Since(x.at)
	switch {
	case !ok || x.marker && age > gone:
		return 0, nil
	case x.marker && age > markerAge:
		return f.newest(ctx, subject)
	}
	return x.seq, nil
}

// newest reads the last sequence of a subject of the lines or the calls from the stream leader. It returns 0 if there is
// no message.
func (f *floor) newest(ctx context.Context, subject string) (uint64, error) {
	stream := streams.StreamCalls
	if strings.HasPrefix(subject, "$KV.") {
		stream = "KV_" + streams.BucketLines
	}
	reply, err := f.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+asFloor(stream), []byte(`{"last_by_subj":"`+subject+`"}`))
	if err != nil {
		return 0, err
	}
	var got struct {
		Message struct {
			Sequence uint64 `json:"seq"`
		} `json:"message"`
	}
	return got.Message.Sequence, json.Unmarshal(reply.Data, &got)
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

// forwarded is a command that the API or an edge publishes for its sender.
type forwarded struct {
	subject string
	command []byte
	answer  chan []byte
}

// request sends a request and returns the reply.
func (f *floor) request(ctx context.Context, s step, p *plan, n string) ([]byte, error) {
	reply, err := f.sender.RequestWithContext(ctx, bare.subject+s.cmd.App+".api."+n, p.request)
	if err != nil {
		return nil, fmt.Errorf("bench: request: %w", err)
	}
	return reply.Data, nil
}

// forward publishes the command with this number, as the API or an edge does, and returns its answer; nil if there is
// none.
func (f *floor) forward(ctx context.Context, n string) []byte {
	found, _ := f.requests.LoadAndDelete(n)
	c, ok := found.(forwarded)
	if !ok {
		return nil
	}
	a, err := f.desk.ask(ctx, c.subject, c.command, n, c.answer)
	if err != nil {
		return nil // fails the call
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

// stepExpire is the step of a deadline, which no client sends.
const stepExpire = "expire"
