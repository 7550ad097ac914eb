package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
)

// lostWorld is dev with a second edge, and an app with short grace periods.
type lostWorld struct {
	*testing.T
	nc          *nats.Conn
	app         device.App
	here, there string // addresses of the edges
	other       *process
}

func newLostWorld(t *testing.T) *lostWorld {
	t.Helper()
	t.Parallel()
	d := startDev(t, "--data", filepath.Join(t.TempDir(), "data"))
	cmd := program("ringline", "edge", "--http", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "RINGLINE_NATS_URL="+d.nats)
	w := &lostWorld{T: t, here: strings.TrimPrefix(d.http, "http://"), other: start(t, cmd)}
	w.there = w.other.wait(&w.other.stderr, `"address":"([^"]+)"`)[1]
	w.other.wait(&w.other.stderr, `edge is running`)
	nc, err := nats.Connect(d.nats, nats.Timeout(within))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	w.nc = nc
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	grace := 2
	s := device.Unlimited()
	s.LostRingingS, s.LostActiveS = &grace, &grace
	if w.app, err = device.NewApp(t.Context(), js, "lost", s); err != nil {
		t.Fatal(err)
	}
	for _, edge := range []string{w.here, w.there} {
		if err := w.app.Await(t.Context(), edge); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// phone is a device with its pushes.
type phone struct {
	*device.Device
	w        *lostWorld
	user     string
	snapshot events.Snapshot

	mu    sync.Mutex
	calls map[string]events.Call // the newest version of each call
}

// phone opens the session of a user's phone. Each user has one.
func (w *lostWorld) phone(user, edge string) *phone {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), within)
	defer cancel()
	raw, err := w.app.Token(user, user+"-phone")
	if err != nil {
		w.Fatal(err)
	}
	p := &phone{w: w, user: user, calls: map[string]events.Call{}}
	if p.Device, p.snapshot, err = device.Connect(ctx, device.Hello{Server: edge, Token: raw}, nil); err != nil {
		w.Fatal(err)
	}
	go func() { _ = p.Run(p.received) }() // it ends with the socket
	w.Cleanup(p.Socket.Reset)
	return p
}

func (p *phone) received(push []byte) {
	var n events.Notification
	if json.Unmarshal(push, &n) != nil || n.Call.IsZero() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[n.CallID] = n.Call
}

func (p *phone) call(id string) events.Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id]
}

func (p *phone) says(method, body string) {
	p.w.Helper()
	ctx, cancel := context.WithTimeout(p.w.Context(), within)
	defer cancel()
	if a, err := p.Ask(ctx, method, []byte(body)); err != nil || !a.OK {
		p.w.Fatalf("%s by %s: %+v, %v", method, p.user, a, err)
	}
}

// talk makes an active call between two phones.
func talk(id string, caller, callee *phone) {
	caller.says("invite", fmt.Sprintf(`{"command_id":"i","call_id":%q,"call_type":0,"callees":[{"user_id":%q}]}`, id, callee.user))
	callee.says("accept", fmt.Sprintf(`{"command_id":"a","call_id":%q}`, id))
}

// isLost waits until a phone learns that the caller of a call was lost.
func (p *phone) isLost(id string) events.Call {
	p.w.Helper()
	poll(p.w.T, id+" to end", func() bool { return p.call(id).State == events.CallStateEnded })
	c := p.call(id)
	if c.Caller.Reason != events.ReasonLost || c.EndedBy.Service != events.ServicePresence {
		p.w.Errorf("%s: %+v", id, c)
	}
	return c
}

// A browser is killed during a call, and another one while it calls. Their users leave with reason lost, the other users
// learn it, and their lines are free: all can call again.
func TestKilledBrowsers(t *testing.T) {
	w := newLostWorld(t)
	ann, bob, cid, dan := w.phone("ann", w.there), w.phone("bob", w.here), w.phone("cid", w.here), w.phone("dan", w.there)
	talk("c1", ann, bob)
	cid.says("invite", `{"command_id":"i","call_id":"c2","call_type":0,"callees":[{"user_id":"dan"}]}`)
	gone := time.Now()
	ann.Socket.Reset()
	cid.Socket.Reset()
	if c := bob.isLost("c1"); time.Since(gone) < 2*time.Second-50*time.Millisecond {
		t.Errorf("lost within the grace period: %+v", c)
	}
	dan.isLost("c2")
	talk("c3", w.phone("ann", w.here), bob)
	talk("c4", w.phone("cid", w.there), dan)
}

// An edge is killed. A user who connects to another edge stays in the call. One who does not leaves it.
func TestKilledEdge(t *testing.T) {
	w := newLostWorld(t)
	ann, bob, cid, dan := w.phone("ann", w.there), w.phone("bob", w.here), w.phone("cid", w.there), w.phone("dan", w.here)
	talk("c1", ann, bob)
	talk("c2", cid, dan)
	w.other.kill()
	ann = w.phone("ann", w.here)
	if len(ann.snapshot.Calls) != 1 || ann.snapshot.Calls[0].Call.Caller.DeviceID != "ann-phone" {
		t.Errorf("the snapshot of a user in a call: %+v", ann.snapshot)
	}
	dan.isLost("c2")
	ann.says("leave", `{"command_id":"l","call_id":"c1"}`) // it is in the call
}

// A media server says that a device is in the call, although it has no session. The party stays, while others are lost.
func TestPresentWithoutASession(t *testing.T) {
	w := newLostWorld(t)
	ann, bob, cid, dan, eve, fay := w.phone("ann", w.there), w.phone("bob", w.here), w.phone("cid", w.there), w.phone("dan", w.here),
		w.phone("eve", w.there), w.phone("fay", w.here)
	talk("c1", ann, bob)
	talk("c2", cid, dan)
	talk("c3", eve, fay)
	present := func() {
		t.Helper()
		m, err := w.nc.Request(events.APISubject("lost", "present"), []byte(`{"call_id":"c1","user_id":"ann","device_id":"ann-phone"}`), within)
		if err != nil || !strings.Contains(string(m.Data), `"present_until":`) {
			t.Fatalf("%v, %v", m, err)
		}
	}
	present()
	ann.Socket.Reset()
	cid.Socket.Reset()
	dan.isLost("c2")
	present() // for a minute more, on a slow machine
	eve.Socket.Reset()
	fay.isLost("c3") // ann is without a session for at least two grace periods
	if c := bob.call("c1"); c.State != events.CallStateActive || !c.CallerIn() {
		t.Errorf("c1: %+v", c)
	}
}
