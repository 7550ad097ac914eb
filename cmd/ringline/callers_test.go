package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// callers make calls over plain subjects. Each command is published once. JetStream must ack it, and the service must
// answer it, even if late.
type callers struct {
	t  *testing.T
	js jetstream.JetStream

	mu      sync.Mutex
	waiting map[string]chan answered // by command id
	stored  map[string]string        // acked commands: command id to call id
	ends    map[string]string        // expected end reason, by call id
	made    chan struct{}            // one message per call
}

// answered is the answer to a command.
type answered struct {
	CommandID string `json:"command_id"`
	OK        bool   `json:"ok"`
	Call      struct {
		EndReason string `json:"end_reason"`
		Callees   []struct {
			State string `json:"state"`
		} `json:"callees"`
	} `json:"call"`
	text string
}

// refusedAnyhow is an answer made up by the test for a command without one.
func refusedAnyhow(format string, args ...any) answered {
	return answered{text: fmt.Sprintf(format, args...)}
}

func newCallers(t *testing.T, nc *nats.Conn, js jetstream.JetStream) *callers {
	t.Helper()
	p := &callers{
		t: t, js: js, waiting: map[string]chan answered{}, stored: map[string]string{}, ends: map[string]string{},
		made: make(chan struct{}, 100_000),
	}
	if _, err := nc.Subscribe("ringline.demo.answer."+t.Name(), p.receive); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *callers) receive(m *nats.Msg) {
	a := answered{text: string(m.Data)}
	if err := json.Unmarshal(m.Data, &a); err != nil {
		p.t.Errorf("%v: %s", err, m.Data)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ch, ok := p.waiting[a.CommandID]; ok { // an answer may arrive twice
		delete(p.waiting, a.CommandID)
		ch <- a
	}
}

// object is a JSON object.
type object = map[string]any

// send publishes a command and returns the channel of its answer. The command id is call-verb.
func (p *callers) send(call, verb string, body object) <-chan answered {
	id := call + "-" + verb
	body["command_id"] = id
	msg := nats.NewMsg("ringline.demo.cmd." + call + "." + verb)
	msg.Header.Set("Ringline-Answer", p.t.Name())
	ch := make(chan answered, 1)
	p.mu.Lock()
	p.waiting[id] = ch
	p.mu.Unlock()
	var err error
	if msg.Data, err = json.Marshal(body); err == nil {
		_, err = p.js.PublishMsg(p.t.Context(), msg)
	}
	if err != nil {
		ch <- refusedAnyhow("%s was not acknowledged: %v", id, err)
		return ch
	}
	p.mu.Lock()
	p.stored[id] = call
	p.mu.Unlock()
	return ch
}

// ok waits for the answer, which must be ok.
func (p *callers) ok(what string, ch <-chan answered) answered {
	p.t.Helper()
	a := refusedAnyhow("no answer within %v", 2*within)
	select {
	case a = <-ch:
	case <-p.t.Context().Done(): // another caller has failed
	case <-time.After(2 * within):
	}
	if !a.OK {
		p.t.Errorf("%s: %s", what, a.text)
	}
	return a
}

func (p *callers) do(call, verb string, body object) answered {
	p.t.Helper()
	return p.ok(verb+" of "+call, p.send(call, verb, body))
}

func (p *callers) invite(call, ann, bob string, seconds int) answered {
	p.t.Helper()
	return p.do(call, "invite", object{
		"user_id": ann, "call_type": 0, "ring_timeout_s": seconds, "callees": []object{{"user_id": bob}},
	})
}

// busy invites a callee who is in a call.
func (p *callers) busy(call, joe, bob string) {
	p.t.Helper()
	p.endsAs(call, "busy")
	if a := p.invite(call, joe, bob, 60); len(a.Call.Callees) != 1 || a.Call.Callees[0].State != "busy" {
		p.t.Errorf("%s is in a call, but %s", bob, a.text)
	}
}

func (p *callers) endsAs(call, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends[call] = reason
}

// open makes a call that both users join.
func (p *callers) open(call, ann, bob string) {
	p.t.Helper()
	p.invite(call, ann, bob, 600)
	p.do(call, "ring", object{"user_id": bob})
	p.do(call, "accept", object{"user_id": bob})
}

// play makes calls concurrently until stop is closed.
func (p *callers) play(name string, parallel int, stop <-chan struct{}) *sync.WaitGroup {
	var wg sync.WaitGroup
	p.t.Cleanup(wg.Wait)
	for player := range parallel {
		wg.Go(func() {
			for i := 0; !p.t.Failed(); i++ {
				select {
				case <-stop:
					return
				default:
					p.call(fmt.Sprintf("%s-%d", name, player), i)
				}
			}
		})
	}
	return &wg
}

// call makes call i of a player. The kinds alternate: answered, declined, answered while a third user calls, not
// answered.
func (p *callers) call(player string, i int) {
	call := fmt.Sprintf("%s-%d", player, i)
	ann, bob, joe := "ann-"+player, "bob-"+player, "joe-"+player
	switch i % 4 {
	case 0:
		p.endsAs(call, "server_ended")
		p.open(call, ann, bob)
		p.do(call, "end", object{"service": "desk"})
	case 1:
		p.endsAs(call, "declined")
		p.invite(call, ann, bob, 60)
		p.do(call, "ring", object{"user_id": bob})
		p.do(call, "decline", object{"user_id": bob})
	case 2:
		p.endsAs(call, "completed")
		p.open(call, ann, bob)
		p.busy(call+"-busy", joe, bob)
		p.do(call, "leave", object{"user_id": ann})
	default: // own users, because the player does not wait for the end of this call
		p.endsAs(call, "timed_out")
		p.invite(call, "ann-"+call, "bob-"+call, 1)
	}
	p.made <- struct{}{}
}

// wait waits for more calls. It fails when no call is made for within.
func (p *callers) wait(calls int) {
	p.t.Helper()
	for deadline := time.Now().Add(within); calls > 0; {
		select {
		case <-p.made:
			calls--
			deadline = time.Now().Add(within)
		case <-time.After(50 * time.Millisecond):
		}
		if p.t.Failed() || time.Now().After(deadline) {
			p.t.Fatalf("%d calls more are not made", calls)
		}
	}
}

// step is a transition in the stream.
type step struct {
	Type        string `json:"type"`
	CausationID string `json:"causationid"`
	Data        struct {
		Seq  int `json:"seq"`
		Call struct {
			State     string `json:"state"`
			EndReason string `json:"end_reason"`
		} `json:"call"`
	} `json:"data"`
}

func (s step) format() string { return s.Type[strings.LastIndexByte(s.Type, '.')+1:] }

// history reads all calls from the stream.
func (p *callers) history() map[string][]step {
	p.t.Helper()
	calls := map[string][]step{}
	cons, err := p.js.OrderedConsumer(p.t.Context(), "RINGLINE_CALLS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		p.t.Fatal(err)
	}
	for left := cons.CachedInfo().NumPending; left > 0; {
		batch, err := cons.Fetch(int(min(left, 500)), jetstream.FetchMaxWait(within))
		if err != nil {
			p.t.Fatal(err)
		}
		for m := range batch.Messages() {
			var s step
			if err := json.Unmarshal(m.Data(), &s); err != nil {
				p.t.Fatalf("%v: %s", err, m.Data())
			}
			call := m.Subject()[strings.LastIndexByte(m.Subject(), '.')+1:]
			calls[call] = append(calls[call], s)
			left--
		}
		if batch.Error() != nil {
			p.t.Fatal(batch.Error())
		}
	}
	return calls
}

// check waits until every call has ended, and returns the number of calls per format. The transitions of a call must be
// contiguous and in one format. Each acked command must have made exactly one transition.
func (p *callers) check(show ...*devServer) map[string]int {
	p.t.Helper()
	var logs []*lines
	for _, d := range show {
		logs = append(logs, &d.stderr)
	}
	calls := map[string][]step{}
	poll(p.t, "end of every call", func() bool {
		calls = p.history()
		for call := range p.ends {
			if steps := calls[call]; len(steps) == 0 || steps[len(steps)-1].Data.Call.State != "ended" {
				return false
			}
		}
		return true
	}, logs...)
	formats, made := map[string]int{}, map[string]int{}
	for call, steps := range calls {
		formats[steps[0].format()]++
		for i, s := range steps {
			if s.Data.Seq != i+1 || s.format() != steps[0].format() {
				p.t.Errorf("transition %d of %s is %d, %s; the first is %s", i+1, call, s.Data.Seq, s.Type, steps[0].Type)
			}
			made[s.CausationID]++
		}
		if got, want := steps[len(steps)-1].Data.Call.EndReason, p.ends[call]; got != want {
			p.t.Errorf("%s ended %q, want %q", call, got, want)
		}
	}
	for id, call := range p.stored {
		if made[id] != 1 {
			p.t.Errorf("command %s made %d transitions of %s", id, made[id], call)
		}
	}
	return formats
}
