//go:build linux

package lost

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
)

// The bounds: how much longer than the grace period a line may be taken. An edge notices only after a ping that a silent
// client does not answer that it is gone.
const (
	ofKilled = 15 * time.Second
	ofSilent = ofKilled + 15*time.Second
)

// Program is the process of a client.
type Program interface {
	Kill()  // its sockets are reset
	Pause() // its sockets stay open, and nothing answers
}

// Clients measures how long the line of a killed client is taken.
type Clients struct {
	Times int           // for each kind
	Every time.Duration // between two clients; the drop guard must not see many at once
	Start func(name, edge, token string) (Program, error)
}

// Hold keeps a session until its process is killed. It prints a line when it has one.
func Hold(ctx context.Context, w io.Writer, edge, token string) error {
	d, _, err := device.Connect(ctx, device.Hello{Server: edge, Token: token}, nil)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, "connected"); err != nil {
		return err
	}
	return d.Run(func([]byte) {})
}

// Row is the result of one kind.
type Row struct {
	Kind  string
	Grace time.Duration
	Bound time.Duration   // the maximum of Took
	Took  []time.Duration // from the kill to the free line, sorted
}

// Max returns the longest time.
func (r Row) Max() time.Duration { return r.Took[len(r.Took)-1] }

// Median returns the median.
func (r Row) Median() time.Duration { return r.Took[len(r.Took)/2] }

// clientKinds are the kinds: how the client ends, and whether its call is active.
func clientKinds() []Row {
	const ringing, active = events.DefaultLostRingingS * time.Second, events.DefaultLostActiveS * time.Second
	return []Row{
		{Kind: "killed, while it rings", Grace: ringing, Bound: ringing + ofKilled},
		{Kind: "silent, while it rings", Grace: ringing, Bound: ringing + ofSilent},
		{Kind: "killed, in an active call", Grace: active, Bound: active + ofKilled},
		{Kind: "silent, in an active call", Grace: active, Bound: active + ofSilent},
	}
}

// Run starts the clients, kills them, and waits until their lines are free.
func (x Clients) Run(ctx context.Context, t *Town) ([]Row, error) {
	rows := clientKinds()
	var mu sync.Mutex
	var errs []error
	var waiting sync.WaitGroup
	for n := range x.Times {
		for k := range rows {
			name := fmt.Sprintf("k%d-%d", k, n)
			began := time.Now()
			p, err := x.start(ctx, t, name, n+k, k >= 2)
			if err != nil {
				return nil, err
			}
			if k%2 == 0 {
				p.Kill()
			} else {
				p.Pause()
			}
			gone := time.Now()
			waiting.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
				defer cancel()
				free, err := t.free(ctx, name)
				p.Kill()
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					errs = append(errs, err)
					return
				}
				rows[k].Took = append(rows[k].Took, free.Sub(gone))
			})
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Until(began.Add(x.Every))):
			}
		}
	}
	waiting.Wait()
	for _, r := range rows {
		slices.Sort(r.Took)
	}
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return rows, nil
}

// start starts the client of a user, and puts the user in a call.
func (x Clients) start(ctx context.Context, t *Town, user string, at int, active bool) (Program, error) {
	raw, err := mint(t.app, user)
	if err != nil {
		return nil, err
	}
	callee := user + "-callee"
	if _, err := t.phone(callee).connect(ctx, t.edge(at+1)); err != nil {
		return nil, err
	}
	sessions, err := t.sessions(user)
	if err != nil {
		return nil, err
	}
	defer sessions.end()
	p, err := x.Start(user, t.edge(at), raw)
	if err != nil {
		return nil, err
	}
	if err := sessions.connected(ctx); err != nil {
		return nil, err
	}
	if active {
		return p, t.talk(ctx, user, user, callee)
	}
	return p, t.ring(ctx, user, user, callee)
}
