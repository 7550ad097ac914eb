//go:build linux

package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
)

// ears hear what the users of calls are told that ring, by the number of the call.
type ears struct {
	room chan struct{} // has one in it for each call that is invited and does not ring yet
	over chan struct{} // gets one for each call of which the caller is told that it is over

	mu   sync.Mutex
	due  []time.Time
	told []time.Time
}

func newEars(calls int) *ears {
	const beside = 256
	return &ears{
		room: make(chan struct{}, beside), over: make(chan struct{}, calls), due: make([]time.Time, calls), told: make([]time.Time, calls),
	}
}

// enter waits until there is room for one more call that does not ring yet.
func (e *ears) enter(ctx context.Context) error {
	select {
	case e.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *ears) hear(m *nats.Msg) {
	now := time.Now()
	switch eventOf(m.Data) { //nolint:exhaustive // the others are of no interest here
	case events.IncomingCallReceived:
		var n events.Notification
		if json.Unmarshal(m.Data, &n) != nil || len(n.Call.Callees) != 1 {
			return
		}
		if i, ok := e.number(n.Call.Caller.UserID); ok && e.set(e.due, i, n.Call.Callees[0].RingDeadline.Time()) {
			<-e.room
		}
	case events.OutgoingCallTimeout:
		_, user, _ := events.ParseUserSubject(m.Subject)
		if i, ok := e.number(user); ok && e.set(e.told, i, now) {
			e.over <- struct{}{}
		}
	}
}

// number gives that of a caller's call.
func (e *ears) number(caller string) (int, bool) {
	digits, ours := strings.CutPrefix(caller, callerName)
	i, err := strconv.Atoi(digits)
	return i, ours && err == nil && i >= 0 && i < len(e.due)
}

// set is false where it was set before.
func (e *ears) set(times []time.Time, i int, at time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !times[i].IsZero() {
		return false
	}
	times[i] = at
	return true
}

// ended waits until every caller was told.
func (e *ears) ended(ctx context.Context, most time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, most)
	defer cancel()
	for n := range cap(e.over) {
		select {
		case <-e.over:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d calls did not end: %w", cap(e.over)-n, cap(e.over), ctx.Err())
		}
	}
	return nil
}

// eventOf gives the event of a notification, which stands first: to read the whole would be measured too.
func eventOf(body []byte) events.Kind {
	rest, _ := bytes.CutPrefix(body, []byte(`{"event":"`))
	word, _, _ := bytes.Cut(rest, []byte{'"'})
	return events.Kind(word)
}
