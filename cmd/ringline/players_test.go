package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// players make calls through the API concurrently. Each player has its own users.
type players struct {
	t  *testing.T
	nc *nats.Conn

	mu       sync.Mutex
	ends     map[string]string // expected end reason, by call id
	lost     int               // requests without a reply
	turnDown int               // requests that the API turned down, to be retried
	made     chan struct{}     // one message per call
}

// play makes calls concurrently until stop is closed.
func (p *players) play(parallel int, stop <-chan struct{}) *sync.WaitGroup {
	var wg sync.WaitGroup
	for player := range parallel {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					p.call(fmt.Sprintf("%s-%d-%d", p.t.Name(), player, i), i%4)
				}
			}
		})
	}
	return &wg
}

func (p *players) call(id string, kind int) {
	ann, bob := "ann-"+id, "bob-"+id
	end, ring := "completed", 60
	if kind == 3 {
		end, ring = "timed_out", 1
	}
	p.mu.Lock()
	p.ends[id] = end
	p.mu.Unlock()
	p.request("invite", map[string]any{
		"call_id": id, "user_id": ann, "call_type": 0, "ring_timeout_s": ring, "callees": []any{map[string]any{"user_id": bob}},
	})
	if kind != 3 {
		p.request("accept", map[string]any{"call_id": id, "user_id": bob})
		p.request("leave", map[string]any{"call_id": id, "user_id": ann})
	}
	p.made <- struct{}{}
}

// request retries with the same command id if it gets no reply, because the worker may have been killed, or if the API
// is unavailable.
func (p *players) request(verb string, body map[string]any) {
	body["command_id"] = fmt.Sprintf("%s-%v", verb, body["call_id"])
	b, err := json.Marshal(body)
	if err != nil {
		p.t.Error(err)
		return
	}
	for deadline := time.Now().Add(within); ; {
		m, err := p.nc.Request("ringline.demo.api."+verb, b, 4*time.Second)
		reply := ""
		if m != nil {
			reply = string(m.Data)
		}
		unanswered := errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders)
		unavailable := strings.Contains(reply, `"code":"unavailable"`)
		switch {
		case strings.Contains(reply, `"ok":true`):
			return
		case time.Now().After(deadline), !unanswered && !unavailable:
			p.t.Errorf("%s %s: %s %v", verb, b, reply, err)
			return
		}
		p.mu.Lock()
		if unanswered {
			p.lost++
		} else {
			p.turnDown++
		}
		p.mu.Unlock()
	}
}

// wait waits for 40 more calls.
func (p *players) wait() {
	p.t.Helper()
	for range 40 {
		select {
		case <-p.made:
		case <-time.After(within):
			p.t.Fatal("no calls are made any more")
		}
	}
}

// check requires that each call has ended as expected.
func (p *players) check(d *devServer) {
	p.t.Helper()
	for id, end := range p.ends {
		var got string
		poll(p.t, fmt.Sprintf("end %s of %s", end, id), func() bool {
			m, err := p.nc.Request("ringline.demo.api.get", []byte(`{"call_id":"`+id+`"}`), within)
			if err != nil {
				p.t.Fatal(err)
			}
			var a struct {
				Call struct {
					EndReason string `json:"end_reason"`
				} `json:"call"`
			}
			if err := json.Unmarshal(m.Data, &a); err != nil {
				p.t.Fatal(err)
			}
			got = a.Call.EndReason
			return got != ""
		}, &d.stderr)
		if got != end {
			p.t.Errorf("%s ended %s, want %s", id, got, end)
		}
	}
}

// deliveries returns the number of deliveries to a consumer, with and without redeliveries.
func deliveries(t *testing.T, js jetstream.JetStream, stream, consumer string) (all, distinct uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	c, err := js.Consumer(ctx, stream, consumer)
	if err != nil {
		t.Fatal(err)
	}
	info := c.CachedInfo()
	if info.NumAckPending > 0 || info.NumPending > 0 {
		t.Errorf("%s: %d wait for an acknowledgement and %d for delivery", consumer, info.NumAckPending, info.NumPending)
	}
	return info.Delivered.Consumer, info.Delivered.Stream
}
