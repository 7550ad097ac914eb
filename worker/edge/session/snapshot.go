package session

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/gate"
)

// snapshot reads from the leader the calls on the user's line, and those in showing that the user is a party of.
func (e *Edge) snapshot(ctx context.Context, s *session, showing []string) (events.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	leave, err := e.refresher.room(ctx, s.app)
	if err != nil {
		return events.Snapshot{}, err
	}
	defer leave()
	calls, err := e.Lines.CallsOf(ctx, s.app, s.by.UserID)
	if err != nil {
		return events.Snapshot{}, fmt.Errorf("session: read a line: %w", err)
	}
	for _, id := range showing {
		if slices.ContainsFunc(calls, func(c events.Call) bool { return c.CallID == id }) {
			continue
		}
		now, err := e.Calls.LoadFromLeader(ctx, s.app, id)
		if err != nil {
			return events.Snapshot{}, fmt.Errorf("session: read call %s: %w", id, err)
		}
		if now.Seq > 0 && now.Call.Has(s.by.UserID) {
			calls = append(calls, now.Call)
		}
	}
	return events.NewSnapshot(calls, s.by.UserID, s.by.DeviceID, e.Clock.Now()), nil
}

// refresh sends a session a new snapshot, if it has news. If NATS drops messages meanwhile, refresh reads another one.
func (e *Edge) refresh(ctx context.Context, s *session) error {
	for {
		dropped := s.user.dropped()
		showing := s.showing()
		now, err := e.snapshot(ctx, s, showing)
		if err != nil {
			return err
		}
		e.count.Renewed()
		if err := s.renew(now, showing); err != nil {
			return err
		}
		if s.user.dropped() == dropped {
			return nil
		}
	}
}

// refresher renews the snapshots of sessions, with limited concurrency, and retries until it succeeds.
type refresher struct {
	renew  func(context.Context, *session) error
	atOnce int        // concurrent reads of snapshots
	reads  *gate.Gate // a quarter of them for each app, so that an app whose clients all connect at once does not delay the others
	wake   chan struct{}

	mu      sync.Mutex
	waiting map[*session]bool
}

func newRefresher(renew func(context.Context, *session) error, atOnce int) *refresher {
	return &refresher{
		renew: renew, atOnce: atOnce, reads: gate.New(atOnce/4, atOnce), wake: make(chan struct{}, 1), waiting: map[*session]bool{},
	}
}

// room waits until the app may read one more snapshot. Call leave at the end of the read.
func (r *refresher) room(ctx context.Context, app string) (leave func(), err error) {
	if leave, err = r.reads.Enter(ctx, app); err != nil {
		return nil, fmt.Errorf("session: too many snapshots at once: %w", err)
	}
	return leave, nil
}

// soon schedules new snapshots for these sessions.
func (r *refresher) soon(list []*session) {
	r.mu.Lock()
	for _, s := range list {
		r.waiting[s] = true
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *refresher) take() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*session, 0, len(r.waiting))
	for s := range r.waiting {
		list = append(list, s)
	}
	clear(r.waiting)
	return list
}

// run renews until ctx ends. It makes at most half of the concurrent reads and leaves the rest for clients that connect.
func (r *refresher) run(ctx context.Context) {
	const again = time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		failed := r.renewAll(ctx, r.take())
		if len(failed) > 0 {
			time.AfterFunc(again, func() { r.soon(failed) })
		}
	}
}

func (r *refresher) renewAll(ctx context.Context, list []*session) (failed []*session) {
	next := make(chan *session)
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range max(1, min(len(list), r.atOnce/2)) {
		workers.Go(func() {
			for s := range next {
				err := broker.RunAll(func() error { return r.renew(ctx, s) })
				if err != nil && !s.isOver() {
					mu.Lock()
					failed = append(failed, s)
					mu.Unlock()
				}
			}
		})
	}
	for _, s := range list {
		next <- s
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return failed
}
