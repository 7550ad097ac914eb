package idle

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
)

// Memory is the memory of a process, in bytes.
type Memory struct {
	RSS    int64
	Heap   int64 // in use, right after a garbage collection
	Stacks int64
}

func (m Memory) minus(o Memory) Memory {
	return Memory{m.RSS - o.RSS, m.Heap - o.Heap, m.Stacks - o.Stacks}
}

// Each divides the memory by n.
func (m Memory) Each(n int) Memory {
	return Memory{m.RSS / int64(n), m.Heap / int64(n), m.Stacks / int64(n)}
}

func (m Memory) String() string {
	kb := func(b int64) string { return fmt.Sprintf("%.1f KB", float64(b)/1000) }
	return fmt.Sprintf("RSS %s, heap %s, stacks %s", kb(m.RSS), kb(m.Heap), kb(m.Stacks))
}

// heap reads the heap profile of a Go process after a garbage collection.
func heap(ctx context.Context, server string) (m Memory, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+server+"/debug/pprof/heap?gc=1&debug=1", nil)
	if err != nil {
		return m, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return m, fmt.Errorf("idle: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // already read, or not needed
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for name, to := range map[string]*int64{"# HeapAlloc = ": &m.Heap, "# Stack = ": &m.Stacks} {
			if text, ok := strings.CutPrefix(lines.Text(), name); ok {
				first, _, _ := strings.Cut(text, " ")
				if *to, err = strconv.ParseInt(first, 10, 64); err != nil {
					return m, fmt.Errorf("idle: a heap profile: %w", err)
				}
			}
		}
	}
	if m.Heap == 0 || m.Stacks == 0 {
		return m, fmt.Errorf("idle: no heap profile, status %d: %w", resp.StatusCode, lines.Err())
	}
	return m, nil
}

// Times are the latencies of pushes.
type Times []time.Duration

// At returns a quantile.
func (t Times) At(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(t))
	return s[int(q*float64(len(s)-1))]
}

func (t Times) String() string {
	return fmt.Sprintf("p50 %v, p99 %v", t.At(0.5).Round(time.Microsecond), t.At(0.99).Round(time.Microsecond))
}

// push publishes a notification to a user. It returns the latency to the user's session, and to a plain
// subscriber on NATS.
func (s *sessions) push(ctx context.Context, nc *nats.Conn, direct chan *nats.Msg, user, id string) (session, bare time.Duration, err error) {
	body, err := events.Encode(events.Notification{
		Event: events.IncomingCallReceived, ID: id + "-1-0", CallID: id, Seq: 1, ServerTime: events.TimeOf(time.Now()),
		By: events.By{Kind: events.ByUser, UserID: "ann"},
		Call: events.Call{
			CallID: id, App: app, RoomID: id, State: events.CallStateRinging, Seq: 1, Caller: events.Caller{UserID: "ann", State: events.StateIn},
			Callees: []events.Callee{{UserID: user, Attempt: 1, InvitedBy: "ann", State: events.StateInvited}},
		},
	})
	if err != nil {
		return 0, 0, err
	}
	came := make(chan time.Time, 1)
	s.mu.Lock()
	s.came[id] = came
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.came, id)
		s.mu.Unlock()
	}()
	begun := time.Now()
	if err := nc.Publish(events.UserSubject(app, user), body); err != nil {
		return 0, 0, fmt.Errorf("idle: %w", err)
	}
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	for session == 0 || bare == 0 {
		select {
		case at := <-came:
			session = at.Sub(begun)
		case <-direct:
			bare = time.Since(begun)
		case <-timeout.C:
			return 0, 0, fmt.Errorf("idle: a push to %s did not arrive", user)
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	return session, bare, nil
}

// pushes measures n pushes to sessions drawn by pick.
func (s *sessions) pushes(ctx context.Context, nc *nats.Conn, n int, pick func() int) (session, bare Times, err error) {
	direct := make(chan *nats.Msg, 10)
	sub, err := nc.ChanSubscribe(events.AppNotifications(app), direct)
	if err != nil {
		return nil, nil, fmt.Errorf("idle: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	for i := range n {
		a, b, err := s.push(ctx, nc, direct, user(pick()), fmt.Sprintf("push-%d", i))
		if err != nil {
			return nil, nil, err
		}
		session, bare = append(session, a), append(bare, b)
		play.Sleep(ctx, 5*time.Millisecond)
	}
	return session, bare, nil
}
