package churn

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
)

// driver makes the calls. It times half of its actions for the moment at which a client gets its snapshot.
type driver struct {
	nc    *nats.Conn
	app   string
	comes map[string]chan struct{} // by user
	tally *tally
	made  atomic.Int64 // notifications for the clients' users

	mu       sync.Mutex
	free     []string // the clients' users that are in no call
	received map[Notice]int64
}

// Time limits of the driver.
const (
	patience   = 10 * time.Second // for an answer
	ringS      = 60
	shortRingS = 2
	mostRing   = 1500 * time.Millisecond // from the ring to the next action
	aimed      = 1500 * time.Millisecond // wait for a client that connects
)

// make plays calls until there are wanted notifications. parallel is the number of concurrent calls.
func (d *driver) make(ctx context.Context, parallel int, seed uint64, wanted int) {
	var wg sync.WaitGroup
	for i := range parallel {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // i is small
			for n := 0; ctx.Err() == nil && int(d.made.Load()) < wanted; n++ {
				d.call(ctx, fmt.Sprintf("c%d-%d", i, n), rnd)
			}
		})
	}
	wg.Wait()
}

// call plays one call.
func (d *driver) call(ctx context.Context, id string, rnd *rand.Rand) {
	callees := d.take(1+max(0, rnd.IntN(10)-7), rnd)
	caller := "x" + id
	var callers []string // callers that are clients
	if rnd.IntN(10) < 3 {
		callers = d.take(1, rnd)
	}
	defer func() { d.give(callees); d.give(callers) }()
	if len(callees) == 0 {
		play.Sleep(ctx, 20*time.Millisecond)
		return
	}
	if len(callers) > 0 {
		caller = callers[0]
	}
	unanswered := rnd.IntN(12) == 0
	invite := events.Command{UserID: caller, RingTimeoutS: ringS}
	if unanswered {
		invite.RingTimeoutS = shortRingS
	}
	for _, u := range callees {
		invite.Callees = append(invite.Callees, events.Party{UserID: u})
	}
	d.await(ctx, callees[0], rnd)
	if !d.ask(ctx, id, events.VerbInvite, invite) {
		return
	}
	if unanswered {
		play.Sleep(ctx, shortRingS*time.Second+300*time.Millisecond)
		return
	}
	play.Sleep(ctx, time.Duration(rnd.Int64N(int64(mostRing))))
	d.finish(ctx, id, caller, callees, rnd)
}

// finish answers, declines or cancels a ringing call, and ends it.
func (d *driver) finish(ctx context.Context, id, caller string, callees []string, rnd *rand.Rand) {
	how := rnd.IntN(10)
	for _, u := range callees {
		d.await(ctx, u, rnd)
		switch {
		case how < 4:
			d.ask(ctx, id, events.VerbCancel, events.Command{UserID: caller})
			return
		case how < 7:
			d.ask(ctx, id, events.VerbDecline, events.Command{UserID: u})
		default:
			d.ask(ctx, id, events.VerbAccept, events.Command{UserID: u})
		}
	}
	if how >= 7 {
		play.Sleep(ctx, time.Duration(rnd.Int64N(int64(mostRing))))
		d.await(ctx, callees[0], rnd)
		d.ask(ctx, id, events.VerbEnd, events.Command{UserID: caller})
	}
}

// await waits, in half of the cases, until a device of this user is about to connect.
func (d *driver) await(ctx context.Context, user string, rnd *rand.Rand) {
	if rnd.IntN(2) == 0 {
		return
	}
	comes := d.comes[user]
	select {
	case <-comes: // discard an old signal
	default:
	}
	select {
	case <-comes:
	case <-time.After(aimed):
	case <-ctx.Done():
	}
}

// ask sends a command, and reports whether it was carried out.
func (d *driver) ask(ctx context.Context, id string, verb events.Verb, cmd events.Command) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	cmd.CommandAddress = events.CommandAddress{App: d.app, CallID: id, Verb: verb}
	cmd.CommandID = nuid.Next()
	body, err := cmd.EncodeRequest()
	if err != nil {
		d.tally.add("not a command: " + err.Error())
		return false
	}
	m, err := d.nc.RequestWithContext(ctx, events.APISubject(d.app, string(verb)), body)
	if err != nil {
		d.tally.add("command without an answer: " + why(err))
		return false
	}
	a, err := events.ReadAnswer(m.Data)
	switch {
	case err != nil:
		d.tally.add("answer: " + why(err))
	case !a.OK:
		d.tally.add(fmt.Sprintf("%s refused: %s", verb, a.Error.Code))
	default:
		d.tally.add("commands executed")
	}
	return err == nil && a.OK
}

// take reserves users that are in no call.
func (d *driver) take(n int, rnd *rand.Rand) (users []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for range min(n, len(d.free)) {
		i, last := rnd.IntN(len(d.free)), len(d.free)-1
		users = append(users, d.free[i])
		d.free[i] = d.free[last]
		d.free = d.free[:last]
	}
	return users
}

func (d *driver) give(users []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = append(d.free, users...)
}

// receive records when a notification for one of the clients' users arrives.
func (d *driver) receive(m *nats.Msg) {
	now := record.Now()
	var n struct {
		CallID string `json:"call_id"`
		Seq    int    `json:"seq"`
	}
	_, user, ok := events.ParseUserSubject(m.Subject)
	if !ok || d.comes[user] == nil || json.Unmarshal(m.Data, &n) != nil {
		return
	}
	d.made.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	if notice := (Notice{user, n.CallID, n.Seq}); d.received[notice] == 0 {
		d.received[notice] = now
	}
}
