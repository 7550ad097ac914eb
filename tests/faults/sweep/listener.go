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

// listener receives the notifications for callers and callees of ringing calls. It indexes calls by number.
type listener struct {
	room chan struct{} // holds one element for each invited call that does not ring yet
	over chan struct{} // receives one element for each call whose caller is notified of its end

	mu       sync.Mutex
	due      []time.Time
	notified []time.Time
}

func newListener(calls int) *listener {
	const parallel = 256
	return &listener{
		room: make(chan struct{}, parallel), over: make(chan struct{}, calls), due: make([]time.Time, calls), notified: make([]time.Time, calls),
	}
}

// enter waits until one more call may be invited, as the number of calls that do not ring yet is limited.
func (l *listener) enter(ctx context.Context) error {
	select {
	case l.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *listener) receive(m *nats.Msg) {
	now := time.Now()
	switch eventOf(m.Data) { //nolint:exhaustive // the others are of no interest here
	case events.IncomingCallReceived:
		var n events.Notification
		if json.Unmarshal(m.Data, &n) != nil || len(n.Call.Callees) != 1 {
			return
		}
		if i, ok := l.number(n.Call.Caller.UserID); ok && l.set(l.due, i, n.Call.Callees[0].RingDeadline.Time()) {
			<-l.room
		}
	case events.OutgoingCallTimeout:
		_, user, _ := events.ParseUserSubject(m.Subject)
		if i, ok := l.number(user); ok && l.set(l.notified, i, now) {
			l.over <- struct{}{}
		}
	}
}

// number returns the number of a caller's call.
func (l *listener) number(caller string) (int, bool) {
	digits, found := strings.CutPrefix(caller, callerName)
	i, err := strconv.Atoi(digits)
	return i, found && err == nil && i >= 0 && i < len(l.due)
}

// set returns false if the time was already set.
func (l *listener) set(times []time.Time, i int, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !times[i].IsZero() {
		return false
	}
	times[i] = at
	return true
}

// ended waits until every caller was notified.
func (l *listener) ended(ctx context.Context, most time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, most)
	defer cancel()
	for n := range cap(l.over) {
		select {
		case <-l.over:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d calls did not end: %w", cap(l.over)-n, cap(l.over), ctx.Err())
		}
	}
	return nil
}

// eventOf returns the event of a notification, which is its first field. It does not decode the rest, because
// that time would be measured too.
func eventOf(body []byte) events.Kind {
	rest, _ := bytes.CutPrefix(body, []byte(`{"event":"`))
	word, _, _ := bytes.Cut(rest, []byte{'"'})
	return events.Kind(word)
}
