package coordinator_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/timeouts"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/meter/metertest"
	"ringline.io/ringline/worker/streams"
)

// A few users call each other often, over three coordinators that stall and crash at random steps.
func TestStress(t *testing.T) {
	parallel(t)
	for _, capacity := range []int{1, 2} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			t.Parallel()
			s := newStress(t, capacity)
			s.play(size(40, 120, 3000))
			s.rest()
			s.checkCalls()
			s.checkAnswers()
			s.checkLines()
		})
	}
}

// stress plays calls and records the commands and answers.
type stress struct {
	*testing.T
	capacity int
	server   *natstest.Server
	js       jetstream.JetStream
	rng      *rand.Rand
	users    []string
	meter    *meter.Meter
	crashes  atomic.Int64

	mu       sync.Mutex
	sent     map[string]string          // description by command
	answered map[string]map[string]bool // codes of the answers by command

	last map[string]events.Call     // newest version by call
	in   map[string]map[string]bool // calls by user
}

func newStress(t *testing.T, capacity int) *stress {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := &stress{
		T: t, capacity: capacity, server: natstest.Start(t), rng: rand.New(rand.NewPCG(seed, 0)),
		meter: meter.New("test"), users: strings.Split("a b c d e f g h i j k l m n o p", " "), sent: map[string]string{}, answered: map[string]map[string]bool{},
		last: map[string]events.Call{}, in: map[string]map[string]bool{},
	}
	natstest.Watch(t, s.server, natstest.Answer, natstest.Notification, natstest.Logged)
	limits := call.DefaultLimits()
	limits.Capacity = capacity
	cfg := coordinator.Config{
		Parallel: 16, Limits: func(context.Context, string) (call.Limits, error) { return limits, nil }, OnStep: s.trouble, Meter: s.meter,
	}
	for range 3 {
		nc := s.server.Connect(t)
		run(t, coordinator.New(nc, stream(t, nc), zerolog.Nop(), cfg).Run)
	}
	nc := s.server.Connect(t)
	s.js = stream(t, nc)
	run(t, timeouts.New(s.js, nil, zerolog.Nop(), timeouts.DefaultSweep(), nil).Run)
	if _, err := nc.Subscribe("ringline.demo.answer.stress.*", s.receive); err != nil {
		t.Fatal(err)
	}
	return s
}

// trouble delays one step in four, and crashes at one in 200.
func (s *stress) trouble(meter.Step) {
	if rand.IntN(4) == 0 {
		time.Sleep(time.Duration(rand.IntN(4000)) * time.Microsecond)
	}
	if rand.IntN(200) == 0 {
		s.crashes.Add(1)
		panic("a crash")
	}
}

func (s *stress) receive(m *nats.Msg) {
	a, err := events.ReadAnswer(m.Data)
	if err != nil {
		s.Error(err)
		return
	}
	code := "ok"
	if a.Error != nil {
		code = string(a.Error.Code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	if s.answered[id] == nil {
		s.answered[id] = map[string]bool{}
	}
	s.answered[id][code] = true
}

// send publishes a command with a new id, which precedes the fields.
func (s *stress) send(callID, verb, fields string) {
	s.mu.Lock()
	id := fmt.Sprintf("k%d", len(s.sent))
	s.sent[id] = fmt.Sprintf("%s of %s: %s", verb, callID, fields)
	s.mu.Unlock()
	m := nats.NewMsg("ringline.demo.cmd." + callID + "." + verb)
	m.Header.Set(events.HeaderAnswer, "stress."+id)
	m.Data = fmt.Appendf(nil, `{"command_id":%q,%s}`, id, fields)
	if _, err := s.js.PublishMsg(context.Background(), m); err != nil {
		s.Error(err)
	}
}

// play plays rounds of calls, a few at a time.
func (s *stress) play(rounds int) {
	var wg sync.WaitGroup
	room := make(chan struct{}, 4)
	for n := range rounds {
		p := s.rng.Perm(len(s.users))
		rng := rand.New(rand.NewPCG(s.rng.Uint64(), 0))
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			s.round(rng, fmt.Sprintf("c%d-0", n), fmt.Sprintf("c%d-1", n), s.users[p[0]], s.users[p[1]], s.users[p[2]])
		})
	}
	wg.Wait()
}

// round is one call, perhaps with one that crosses it, and the commands of its users.
func (s *stress) round(rng *rand.Rand, first, second, u, v, w string) {
	pause := func(most int) { time.Sleep(time.Duration(rng.IntN(most)) * time.Millisecond) }
	invite := func(callID, from string, to ...string) {
		callees := fmt.Sprintf(`{"user_id":%q}`, to[0])
		for _, x := range to[1:] {
			callees += fmt.Sprintf(`,{"user_id":%q}`, x)
		}
		s.send(callID, "invite", fmt.Sprintf(`"user_id":%q,"call_type":0,"callees":[%s],"ring_timeout_s":1`, from, callees))
	}
	if rng.IntN(3) == 0 {
		invite(first, u, v, w)
	} else {
		invite(first, u, v)
	}
	if rng.IntN(3) == 0 {
		invite(second, v, u)
	}
	pause(25)
	for range rng.IntN(6) {
		callID := first
		if rng.IntN(5) == 0 {
			callID = second
		}
		who := []string{u, v, w}[rng.IntN(3)]
		switch verb := []string{"accept", "accept", "decline", "cancel", "add", "add", "leave", "ring", "ring"}[rng.IntN(9)]; verb {
		case "add":
			s.send(callID, verb, fmt.Sprintf(`"service":"desk","callees":[{"user_id":%q}],"ring_timeout_s":1`, s.users[rng.IntN(len(s.users))]))
		case "cancel":
			s.send(callID, verb, fmt.Sprintf(`"user_id":%q`, u))
		default:
			s.send(callID, verb, fmt.Sprintf(`"user_id":%q`, who))
		}
		pause(6)
	}
	pause(30)
	if rng.IntN(8) != 0 {
		s.send(first, "end", `"service":"desk"`)
		s.send(second, "end", `"service":"desk"`)
	}
}

// rest waits until every command is handled and no callee is pending.
func (s *stress) rest() {
	begun := time.Now()
	for deadline := begun.Add(3 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		st, err := s.js.Stream(s.Context(), streams.StreamCommands)
		if err != nil {
			s.Fatal(err)
		}
		if st.CachedInfo().State.Msgs == 0 && s.replay() {
			break
		}
		if time.Now().After(deadline) {
			s.Fatalf("%d commands are left, or a callee is pending: %v", st.CachedInfo().State.Msgs, s.last)
		}
	}
	s.Logf("%d commands, at rest after %v, %d crashes", len(s.sent), time.Since(begun).Round(time.Millisecond), s.crashes.Load())
}

// replay reads the history of all calls, and reports whether no callee is pending.
func (s *stress) replay() bool {
	st, err := s.js.Stream(s.Context(), streams.StreamCalls)
	if err != nil {
		s.Fatal(err)
	}
	cons, err := s.js.OrderedConsumer(s.Context(), streams.StreamCalls, jetstream.OrderedConsumerConfig{})
	if err != nil {
		s.Fatal(err)
	}
	messages, err := cons.Messages()
	if err != nil {
		s.Fatal(err)
	}
	defer messages.Stop()
	clear(s.last)
	clear(s.in)
	for range st.CachedInfo().State.Msgs {
		m, err := messages.Next()
		if err != nil {
			s.Fatal(err)
		}
		app, id, _ := events.ParseTransitionSubject(m.Subject())
		t, _, err := events.ReadTransition(app, id, m.Data())
		if err != nil {
			s.Fatal(err)
		}
		s.follow(id, t)
	}
	for _, c := range s.last {
		for _, x := range c.Callees {
			if x.Pending() && c.State != events.CallStateEnded {
				return false
			}
		}
	}
	return true
}

// follow checks a transition: seq grows by one, nothing follows the end, and no user is in more calls than their line holds.
func (s *stress) follow(id string, t events.Transition) {
	if before, ok := s.last[id]; ok && (t.Seq != before.Seq+1 || before.State == events.CallStateEnded) {
		s.Errorf("%s is at %d (%s), but continues with %d", id, before.Seq, before.State, t.Seq)
	}
	s.last[id] = t.Call
	for _, u := range s.users {
		if s.in[u] == nil {
			s.in[u] = map[string]bool{}
		}
		if delete(s.in[u], id); t.Call.On(u) {
			s.in[u][id] = true
		}
		if len(s.in[u]) > s.capacity {
			s.Errorf("%s is in %v after %s", u, s.in[u], events.TransitionID(id, t.Seq))
		}
	}
}

// checkCalls: every active call has a deadline, and calls ended in several ways.
func (s *stress) checkCalls() {
	timers, err := s.js.Stream(s.Context(), streams.StreamTimers)
	if err != nil {
		s.Fatal(err)
	}
	ends := map[events.EndReason]int{}
	for id, c := range s.last {
		ends[c.EndReason]++
		if c.State != events.CallStateActive {
			continue
		}
		info, err := timers.Info(s.Context(), jetstream.WithSubjectFilter("ringline.demo.timer."+id+".*"))
		if err != nil || len(info.State.Subjects) == 0 {
			s.Errorf("%s is active and has no deadline: %v", id, err)
		}
	}
	s.Logf("calls ended: %v", ends)
	if len(ends) < 4 {
		s.Errorf("calls ended in %d ways only: there was no trouble", len(ends))
	}
}

// checkAnswers: every command has an answer, and none has two different ones. If a worker stalls for 3 s with a command that is
// done, its answer is lost, and that is counted.
func (s *stress) checkAnswers() {
	late := metertest.Values(s.T, s.meter)[`ringline_naks_total{consumer="coordinators",reason="lease_lost"}`]
	s.mu.Lock()
	defer s.mu.Unlock()
	var unanswered []string
	for id, what := range s.sent {
		switch len(s.answered[id]) {
		case 0:
			unanswered = append(unanswered, what)
		case 1:
		default:
			s.Errorf("%s receives %v", what, s.answered[id])
		}
	}
	if float64(len(unanswered)) > late {
		s.Errorf("%d commands have no answer, %.0f were left to others: %v", len(unanswered), late, unanswered)
	}
}

// checkLines: at rest, every line holds the calls of its user, and no claim in flight.
func (s *stress) checkLines() {
	kv, err := s.js.KeyValue(s.Context(), streams.BucketLines)
	if err != nil {
		s.Fatal(err)
	}
	for _, u := range s.users {
		var entries []events.Entry
		if e, err := kv.Get(s.Context(), "demo."+u); err == nil {
			if entries, err = events.ReadLine(e.Value()); err != nil {
				s.Fatal(err)
			}
		}
		holds := map[string]bool{}
		for _, e := range entries {
			switch e.State(u, s.last[e.CallID]) {
			case events.EntryLive:
				holds[e.CallID] = true
			case events.EntryInFlight:
				s.Errorf("line of %s: %+v is in flight", u, e)
			case events.EntryDead: // the next claim takes it over
			}
		}
		if fmt.Sprint(holds) != fmt.Sprint(s.in[u]) {
			s.Errorf("the line of %s holds %v, the user is in %v", u, holds, s.in[u])
		}
	}
}
