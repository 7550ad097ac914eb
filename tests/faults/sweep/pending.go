//go:build linux

package sweep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/idle"
	"ringline.io/ringline/tests/faults/play"
)

// ringing configures how many calls ring at once, and in which interval their deadlines lie. With 0 the
// interval is as short as possible: within one second, because ring times are whole seconds from the
// invitation.
type ringing struct {
	count int
	over  time.Duration
	seed  uint64 // of the order of the deadlines
}

const pendingApp = "pending"

// pending measures the broker's memory for ringing calls, and how late they end.
func (c Config) pending(ctx context.Context) (Table, error) {
	t := Table{
		Title: "Calls that ring",
		About: fmt.Sprintf("One callee each, without an answer, due in random order.%s Memory is that of the nats-server process, including garbage. Late is from the deadline to "+
			"the caller's notification, in the process that measures.", c.disk()),
		Head: []string{
			"ring at once", "come due within", "server before", "with them", "of each", "invited/s", "early", "late, p50", "p99", "max", "first deadline to last notification",
		},
	}
	minute := pick(c, time.Minute, 3*time.Second)
	s := c.Seed
	steps := []ringing{{1000, minute, s}, {10_000, minute, s}, {100_000, 4 * minute, s}, {10_000, 0, s}}
	if c.Quick {
		steps = []ringing{{100, minute, s}, {300, minute, s}, {1000, minute, s}, {500, 0, s}}
	}
	speed := 300.0 // invitations per second, until the first measurement
	err := each(ctx, steps, func(x ringing) error {
		return c.on(ctx, fmt.Sprintf("pending-%d-%.0f", x.count, x.over.Seconds()), c.plain(), func(s stage) error {
			var err error
			speed, err = s.ring(ctx, x, speed, &t)
			return err
		})
	})
	return t, err
}

// ring makes the calls ring, measures and adds a row. speed is the expected rate of invitations. It returns
// the measured rate.
func (s stage) ring(ctx context.Context, x ringing, speed float64, t *Table) (float64, error) {
	if _, err := s.bench(ctx, "warm", nil, "--no-floor", "--runs", "1", "--duration", "1s"); err != nil {
		return speed, fmt.Errorf("warm up: %w", err)
	}
	nc, err := nats.Connect(s.rig.URLs())
	if err != nil {
		return speed, fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	e := newListener(x.count)
	if _, err := nc.Subscribe(events.AppNotifications(pendingApp), e.receive); err != nil {
		return speed, fmt.Errorf("watch: %w", err)
	}
	before := s.rig.Nodes[0].Memory()
	const spare, settles = 2.0, 2 * time.Second
	begun := time.Now()
	due := begun.Add(5*time.Second + time.Duration(spare*float64(x.count)/speed*float64(time.Second)))
	if err := x.invite(ctx, nc, e, due); err != nil {
		return speed, err
	}
	took := time.Since(begun)
	reached := float64(x.count) / took.Seconds()
	play.Sleep(ctx, settles)
	with := s.rig.Nodes[0].Memory()
	if late := time.Since(due); late > 0 {
		return reached, fmt.Errorf("the first of them came due %v before all of them rang", late)
	}
	s.Say("%s: all ring, after %v; they are due from %v on", s.name, took.Round(time.Millisecond), time.Until(due).Round(time.Second))
	if err := e.ended(ctx, due.Add(x.over+2*time.Minute)); err != nil {
		return reached, err
	}
	early, late, span := e.figures()
	t.add(grouped(x.count), seconds(e.within()), megabytes(before), megabytes(with), kilobytes((with-before)/int64(x.count)), grouped(reached),
		grouped(early), millis(late.At(0.5)), millis(late.At(0.99)), millis(late.At(1)), seconds(span))
	if early > 0 {
		return reached, fmt.Errorf("%d callers were notified before the deadline", early)
	}
	return reached, nil
}

// invite invites as fast as the calls begin to ring, and waits until all of them ring. The deadlines are
// spread over x.over, from due on.
func (x ringing) invite(ctx context.Context, nc *nats.Conn, e *listener, due time.Time) error {
	waiting, cancel := context.WithDeadline(ctx, due)
	defer cancel()
	ctx, stop := context.WithCancelCause(waiting)
	defer stop(nil)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) {
		stop(fmt.Errorf("invite: %w", err))
	}))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// The order is random. In sequence, all calls due in the same second would be invited within some
	// milliseconds. Ring times are whole seconds, so they would also come due within some milliseconds.
	order := rand.New(rand.NewPCG(x.seed, 0)).Perm(x.count)
	for i := range x.count {
		if err := e.enter(ctx); err != nil {
			return fmt.Errorf("%d calls were invited: %w", i, err)
		}
		rings := time.Until(due.Add(x.over * time.Duration(order[i]) / time.Duration(x.count)))
		cmd, err := invitation(i, int((rings+time.Second-1)/time.Second))
		if err != nil {
			return err
		}
		if _, err := js.PublishMsgAsync(cmd, jetstream.WithStallWait(time.Minute)); err != nil {
			return fmt.Errorf("invite: %w", err)
		}
	}
	for range cap(e.room) { // room is empty when all calls ring
		if err := e.enter(ctx); err != nil {
			return fmt.Errorf("not all calls ring: %w", err)
		}
	}
	return nil
}

// invitation returns an invitation that rings for the given number of seconds. All its names contain the
// number of the call.
func invitation(i, seconds int) (*nats.Msg, error) {
	if seconds < events.MinRingTimeoutS || seconds > events.MaxRingTimeoutS {
		return nil, fmt.Errorf("a ring timeout of %d s would be needed, which is not allowed", seconds)
	}
	id := fmt.Sprintf("%d", i)
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: pendingApp, CallID: "r" + id, Verb: events.VerbInvite},
		CommandID:      "k", UserID: callerName + id, Callees: []events.Party{{UserID: "callee-" + id}}, RingTimeoutS: seconds,
	}
	body, err := cmd.Encode()
	if err != nil {
		return nil, err
	}
	return &nats.Msg{Subject: events.CommandSubject(cmd.App, cmd.CallID, cmd.Verb), Data: body}, nil
}

const callerName = "caller-"

// figures returns how many callers were notified before their deadline, and how late each notification was.
// span is the time from the first deadline to the last notification.
func (l *listener) figures() (early int, late idle.Times, span time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, last := l.due[0], l.notified[0]
	for i, due := range l.due {
		if l.notified[i].Before(due) {
			early++
		}
		late = append(late, l.notified[i].Sub(due))
		if due.Before(first) {
			first = due
		}
		if l.notified[i].After(last) {
			last = l.notified[i]
		}
	}
	return early, late, last.Sub(first)
}

// within returns the interval in which all deadlines lie.
func (l *listener) within() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, last := l.due[0], l.due[0]
	for _, due := range l.due {
		if due.Before(first) {
			first = due
		}
		if due.After(last) {
			last = due
		}
	}
	return last.Sub(first)
}
