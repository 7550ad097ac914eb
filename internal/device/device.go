package device

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"ringline.io/ringline/events"
)

// Hello is the address of a session and the data of its connect command.
type Hello struct {
	Server  string // host:port
	From    string // local address; empty: any
	Token   string
	Device  string
	Showing []string
}

// Device is a connected session.
type Device struct {
	Socket *Socket
	Heard  func() // called with each message, before Run handles it; may be nil

	mu      sync.Mutex
	last    int // last command id
	waiting map[int]chan reply
	ahead   []byte // messages that arrived together with the answer to connect
}

// reply is a message from the edge: the answer to a command, or a push.
type reply struct {
	ID    int `json:"id"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Connect *struct {
		Data json.RawMessage `json:"data"`
	} `json:"connect"`
	RPC *struct {
		Data json.RawMessage `json:"data"`
	} `json:"rpc"`
	Push *struct {
		Message *struct {
			Data json.RawMessage `json:"data"`
		} `json:"message"`
	} `json:"push"`
}

// ConnectCommand is the first message of a client.
func ConnectCommand(h Hello) []byte {
	body, err := json.Marshal(map[string]any{"id": 1, "connect": map[string]any{
		"token": h.Token, "data": map[string]any{"device": h.Device, "showing": append([]string{}, h.Showing...)},
	}})
	if err != nil {
		panic(err) // strings and slices of strings always encode
	}
	return body
}

// Connect opens a session and returns its snapshot. It calls sent just before it sends the connect command; sent may be
// nil.
func Connect(ctx context.Context, h Hello, sent func()) (*Device, events.Snapshot, error) {
	s, err := Open(ctx, h.Server, h.From)
	if err != nil {
		return nil, events.Snapshot{}, err
	}
	stop := context.AfterFunc(ctx, s.Reset)
	snapshot, ahead, err := s.enter(h, sent)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.Reset()
		return nil, snapshot, err
	}
	return &Device{Socket: s, last: 1, waiting: map[int]chan reply{}, ahead: ahead}, snapshot, nil
}

func (s *Socket) enter(h Hello, sent func()) (snapshot events.Snapshot, ahead []byte, err error) {
	if sent != nil {
		sent()
	}
	if err := s.Send(ConnectCommand(h)); err != nil {
		return snapshot, nil, err
	}
	message, err := s.Receive()
	if err != nil {
		return snapshot, nil, err
	}
	first, ahead, _ := bytes.Cut(message, []byte("\n"))
	snapshot, err = entered(first)
	return snapshot, ahead, err
}

func entered(answer []byte) (snapshot events.Snapshot, err error) {
	var r reply
	if err := json.Unmarshal(answer, &r); err != nil {
		return snapshot, fmt.Errorf("device: the edge's answer: %w", err)
	}
	switch {
	case r.Error != nil:
		return snapshot, &RefusedError{r.Error.Code, r.Error.Message}
	case r.Connect == nil:
		return snapshot, fmt.Errorf("device: no answer to a connect: %s", answer)
	}
	if err := json.Unmarshal(r.Connect.Data, &snapshot); err != nil {
		return snapshot, fmt.Errorf("device: the snapshot: %w", err)
	}
	return snapshot, nil
}

// Run receives messages until the connection ends, and returns the reason.
func (d *Device) Run(push func(data []byte)) error {
	message := d.ahead
	d.ahead = nil
	for {
		for line := range bytes.Lines(message) {
			if err := d.take(bytes.TrimSpace(line), push); err != nil {
				return err
			}
		}
		var err error
		if message, err = d.Socket.Receive(); err != nil {
			return err
		}
		if d.Heard != nil {
			d.Heard()
		}
	}
}

func (d *Device) take(line []byte, push func([]byte)) error {
	if string(line) == "{}" {
		return d.Socket.Send(line) // a ping is echoed
	}
	if data, ok := inside(line, `{"push":{"message":{"data":`, "}}}"); ok {
		push(data)
		return nil
	}
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("device: what the edge sends: %w", err)
	}
	switch {
	case r.Push != nil && r.Push.Message != nil:
		push(r.Push.Message.Data)
	case r.ID > 0:
		d.answered(r)
	}
	return nil
}

// inside returns the bytes between before and after, the form of most pushes. Decoding the JSON takes as long as the
// edge needs to send it, and would distort the measurement.
func inside(line []byte, before, after string) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(before))
	if !ok {
		return nil, false
	}
	return bytes.CutSuffix(rest, []byte(after))
}

func (d *Device) answered(r reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.waiting[r.ID]; ok {
		delete(d.waiting, r.ID)
		c <- r
	}
}

// RPC encodes a command.
func RPC(id int, method string, data []byte) []byte {
	return fmt.Appendf(nil, `{"id":%d,"rpc":{"method":%q,"data":%s}}`, id, method, data)
}

// ErrSilent means that no answer arrived in time.
var ErrSilent = errors.New("device: no answer")

// Ask sends a command and decodes its answer. Run must be running.
func (d *Device) Ask(ctx context.Context, method string, data []byte) (events.Answer, error) {
	answer, err := d.Call(ctx, method, data)
	if err != nil {
		return events.Answer{}, err
	}
	return events.ReadAnswer(answer)
}

// Call sends a command and returns its raw answer. Run must be running.
func (d *Device) Call(ctx context.Context, method string, data []byte) ([]byte, error) {
	answer := make(chan reply, 1)
	d.mu.Lock()
	d.last++
	id := d.last
	d.waiting[id] = answer
	d.mu.Unlock()
	if err := d.Socket.Send(RPC(id, method, data)); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	select {
	case r := <-answer:
		if r.Error != nil {
			return nil, &RefusedError{r.Error.Code, r.Error.Message}
		}
		return r.RPC.Data, nil
	case <-timeout.C:
		return nil, ErrSilent
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
