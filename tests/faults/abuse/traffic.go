package abuse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/worker/edge/session"
)

// Sizes of the bursts.
const (
	crowdSize   = 200
	socketsSize = 1200
	manySize    = 100
	floodTick   = 10 * time.Millisecond
	floodAtOnce = 100              // per tick: 10,000 a second
	floodLong   = 10 * time.Second // a session still open after this is a failure
	patience    = time.Minute      // time limit for the edge to close an inactive connection
)

// The outcomes of commands.
const (
	answered = "a command answered"
	limited  = "a command " + string(events.CodeRateLimited)
)

// member connects as an honest user would.
func member(ctx context.Context, t Target, from, user string) (*device.Device, error) {
	raw, err := t.App.Token(user, "")
	if err != nil {
		return nil, err
	}
	d, _, err := device.Connect(ctx, device.Hello{Server: t.Server, From: from, Token: raw}, nil)
	return d, err
}

// sends connects correctly, and then sends the message.
func sends(message []byte) func(context.Context, Target, string, func(string)) {
	return func(ctx context.Context, t Target, from string, out func(string)) {
		d, err := member(ctx, t, from, "mallory")
		if err != nil {
			out("refused: " + outcome(err))
			return
		}
		defer d.Socket.Reset()
		d.Socket.Deadline(time.Now().Add(patience))
		if err := d.Socket.Send(message); err != nil {
			out(outcome(err))
			return
		}
		out(outcome(d.Run(func([]byte) {})))
	}
}

// sendMalformed sends a malformed first message.
func sendMalformed(ctx context.Context, t Target, from string, out func(string)) {
	s, err := device.Open(ctx, t.Server, from)
	if err != nil {
		out("refused: " + outcome(err))
		return
	}
	defer s.Reset()
	s.Deadline(time.Now().Add(patience))
	if err := s.Send([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		out(outcome(err))
		return
	}
	out(outcome(ends(s)))
}

// noFrames sends bytes that are not WebSocket frames.
func noFrames(ctx context.Context, t Target, from string, out func(string)) {
	s, err := device.Open(ctx, t.Server, from)
	if err != nil {
		out("refused: " + outcome(err))
		return
	}
	defer s.Reset()
	s.Deadline(time.Now().Add(patience))
	if err := s.Raw(bytes.Repeat([]byte{0xFF}, 64)); err != nil {
		out(outcome(err))
		return
	}
	out(outcome(ends(s)))
}

// ends reads until the connection ends.
func ends(s *device.Socket) error {
	for {
		if _, err := s.Receive(); err != nil {
			return err
		}
	}
}

// flood sends 10,000 commands a second on one session, until it is closed.
func flood(ctx context.Context, t Target, from string, out func(string)) {
	d, err := member(ctx, t, from, "mallory")
	if err != nil {
		out("refused: " + outcome(err))
		return
	}
	defer d.Socket.Reset()
	d.Socket.Deadline(time.Now().Add(patience))
	go func() {
		for id := 2; ctx.Err() == nil; id += floodAtOnce {
			var batch []byte
			for i := range floodAtOnce {
				batch = append(batch, device.Frame(1, device.RPC(id+i, "line", []byte("{}")))...)
			}
			if d.Socket.Raw(batch) != nil {
				return // it was closed
			}
			time.Sleep(floodTick)
		}
	}()
	stop := time.AfterFunc(floodLong, d.Socket.Reset)
	defer stop.Stop()
	for {
		message, err := d.Socket.Receive()
		if err != nil {
			if !stop.Stop() {
				out("not closed")
			} else {
				out(outcome(err))
			}
			return
		}
		for line := range bytes.Lines(message) {
			out(commandOutcome(line))
		}
	}
}

func commandOutcome(line []byte) string {
	var r struct {
		RPC struct {
			Data events.Answer `json:"data"`
		} `json:"rpc"`
	}
	switch err := json.Unmarshal(line, &r); {
	case err != nil:
		return "unreadable"
	case r.RPC.Data.OK:
		return answered
	case r.RPC.Data.Error != nil:
		return "a command " + string(r.RPC.Data.Error.Code)
	}
	return "a command without an answer"
}

// crowd opens 200 connections of one user. Each attempt uses a new user.
func crowd(ctx context.Context, t Target, from string, out func(string)) {
	user := fmt.Sprintf("crowd%d", time.Now().UnixNano())
	var in burst
	in.run(crowdSize, func() (func(), error) {
		d, err := member(ctx, t, from, user)
		if err != nil {
			return nil, err
		}
		return d.Socket.Reset, nil
	}, out)
	if most := session.DefaultLimits().SessionsPerUser; in.entered > most {
		out(fmt.Sprintf("%d admitted, want %d", in.entered, most))
	}
}

// sockets opens more connections from one address than the limit allows.
func sockets(ctx context.Context, t Target, from string, out func(string)) {
	var in burst
	in.run(socketsSize, func() (func(), error) {
		s, err := device.Open(ctx, t.Server, from)
		if err != nil {
			return nil, err
		}
		return s.Reset, nil
	}, out)
	if most := session.DefaultLimits().SessionsPerAddress; in.entered > most {
		out(fmt.Sprintf("%d admitted, want %d", in.entered, most))
	}
}

// burst opens many connections at once, and closes them when all have their outcome.
type burst struct {
	mu      sync.Mutex
	entered int
}

func (x *burst) run(n int, open func() (closing func(), err error), out func(string)) {
	const parallel = 50
	slots := make(chan struct{}, parallel)
	var all []func()
	var wg sync.WaitGroup
	for range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			closing, err := open()
			out(outcome(err))
			x.mu.Lock()
			defer x.mu.Unlock()
			if err == nil {
				x.entered++
				all = append(all, closing)
			}
		})
	}
	wg.Wait()
	for _, closing := range all {
		closing()
	}
}

// many runs once on many connections at the same time.
func many(once func(ctx context.Context, t Target, from string) error) func(context.Context, Target, string, func(string)) {
	return func(ctx context.Context, t Target, from string, out func(string)) {
		var wg sync.WaitGroup
		for range manySize {
			wg.Go(func() { out(outcome(once(ctx, t, from))) })
		}
		wg.Wait()
	}
}

// begins opens a TCP connection, sends text, and waits until the connection is closed.
func begins(ctx context.Context, t Target, from, text string) error {
	conn, err := device.Dial(ctx, t.Server, from)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience)) // fails only if it is closed
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	return errors.Join(&device.RefusedError{Code: resp.StatusCode, Reason: http.StatusText(resp.StatusCode)}, resp.Body.Close())
}

func noHTTP(ctx context.Context, t Target, from string) error { return begins(ctx, t, from, "") }

func halfHeaders(ctx context.Context, t Target, from string) error {
	return begins(ctx, t, from, "GET "+session.PathWebsocket+" HTTP/1.1\r\nHost: "+t.Server+"\r\nX-A: ")
}

func halfBody(ctx context.Context, t Target, from string) error {
	return begins(ctx, t, from, "POST "+session.PathHTTPStream+" HTTP/1.1\r\nHost: "+t.Server+"\r\nContent-Length: 1000\r\n\r\n{")
}

// noConnect opens a WebSocket and sends nothing.
func noConnect(ctx context.Context, t Target, from string) error {
	s, err := device.Open(ctx, t.Server, from)
	if err != nil {
		return err
	}
	defer s.Reset()
	s.Deadline(time.Now().Add(patience))
	return ends(s)
}

// noPong connects and answers no ping.
func noPong(ctx context.Context, t Target, from string) error {
	d, err := member(ctx, t, from, fmt.Sprintf("silent%d", time.Now().UnixNano()))
	if err != nil {
		return err
	}
	defer d.Socket.Reset()
	d.Socket.Deadline(time.Now().Add(patience))
	return ends(d.Socket)
}
