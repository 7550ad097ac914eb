//go:build linux

package lost

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/worker/edge/token"
)

// silence is how long a client waits for a ping. Edges send one every 10 s.
const silence = 15 * time.Second

// span is a time in which a device had a session, as far as it knows.
type span struct{ from, to time.Time }

// phone is the device of a user. Each user has one.
type phone struct {
	app  device.App
	user string

	mu    sync.Mutex
	spans []span
	calls []string // in the snapshot of its newest session
	leave func()   // ends its newest session
}

func deviceOf(user string) string { return user + "-phone" }

// mint returns a token that outlives the measurement.
func mint(app device.App, user string) (string, error) {
	return app.Mint(token.Claims{UserID: user, Device: deviceOf(user), Expires: time.Now().Add(6 * time.Hour)})
}

// connect opens a session on this edge. It ends with ctx, with a reset; left is closed when it has ended.
func (p *phone) connect(ctx context.Context, edge string) (left <-chan struct{}, err error) {
	raw, err := mint(p.app, p.user)
	if err != nil {
		return nil, err
	}
	entering, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	from := time.Now()
	d, snapshot, err := device.Connect(entering, device.Hello{Server: edge, Token: raw}, nil)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.calls = nil
	for _, c := range snapshot.Calls {
		p.calls = append(p.calls, c.Call.CallID)
	}
	i := len(p.spans)
	p.spans = append(p.spans, span{from: from, to: time.Now()})
	p.mu.Unlock()
	heard := func() {
		now := time.Now()
		d.Socket.Deadline(now.Add(silence))
		p.mu.Lock()
		defer p.mu.Unlock()
		p.spans[i].to = now
	}
	heard()
	d.Heard = heard
	p.leave = d.Socket.Reset
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, d.Socket.Reset)
	go func() {
		defer close(ended)
		err := d.Run(func([]byte) {})
		stop()
		d.Socket.Reset()
		if !errors.Is(err, os.ErrDeadlineExceeded) { // the edge or this client has ended it now
			p.mu.Lock()
			defer p.mu.Unlock()
			p.spans[i].to = time.Now()
		}
	}()
	return ended, nil
}

// there returns when the device last had a session before that time, as far as it knows.
func (p *phone) there(before time.Time) (last time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.spans {
		switch {
		case s.from.After(before):
		case s.to.After(before):
			return before
		case s.to.After(last):
			last = s.to
		}
	}
	return last
}

// shows reports whether the snapshot of the newest session has the call.
func (p *phone) shows(callID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.calls, callID)
}
