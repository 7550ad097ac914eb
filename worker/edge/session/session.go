package session

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/edge/token"
)

// peer is the client of a session.
type peer interface {
	// Send queues a push without blocking. A client whose queue is full is closed.
	Send(data []byte) error
	// Close ends the connection with a code.
	Close(c Code)
}

// push is a message to one session about one call. A notification without the call does not change what the client is
// known to have. If the client missed the notification with the call, a snapshot still brings it.
type push struct {
	data   []byte
	callID string // empty without the call
	seq    int
	over   bool // the user is no longer in the call
}

// session is one connected device.
type session struct {
	id, app   string
	by        events.Sender
	transport string
	claims    token.Claims
	user      *user
	opened    time.Time   // broker time of its connect command; orders the sessions of a device
	unwatch   func() bool // stops watching the connection's context, which costs a goroutine
	commands  *rate.Limiter
	inFlight  atomic.Int32
	refused   atomic.Int32 // refused commands in a row

	mu     sync.Mutex
	peer   peer // nil until the session has started
	asked  Code // of the first close
	closed bool
	held   []push
	missed bool           // more arrived than could be held: it needs a snapshot
	shown  map[string]int // the seq of each call that the client has and that its user is in
}

// deliver sends a push, or holds it until the session has started.
func (s *session) deliver(p push, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case s.peer != nil:
		s.send(p)
	case len(s.held) < most:
		s.held = append(s.held, p)
	default:
		s.missed = true
	}
}

func (s *session) send(p push) {
	if p.callID != "" {
		s.note(p.callID, p.seq, p.over)
	}
	_ = s.peer.Send(p.data) // if this fails, the connection has ended
}

// note records what the client knows of a call.
func (s *session) note(callID string, seq int, over bool) {
	if over {
		delete(s.shown, callID)
		return
	}
	if s.shown == nil {
		s.shown = map[string]int{}
	}
	s.shown[callID] = max(seq, s.shown[callID])
}

// start sends the held pushes, restamped with this broker time. It returns false if some were not held. If close was
// called before, it returns the code, and the caller closes the peer.
func (s *session) start(p peer, now time.Time) (whole bool, asked Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.asked != 0 {
		return true, s.asked
	}
	s.peer = p
	for _, h := range s.held {
		if data, _, err := events.Restamped(h.data, s.by.UserID, now); err == nil { // deliver has parsed it before
			h.data = data
		}
		s.send(h)
	}
	s.held = nil
	return !s.missed, 0
}

// end stops deliveries to the session. It returns false if they were stopped before.
func (s *session) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.closed
	s.closed, s.held, s.shown = true, nil, nil
	return !was
}

// continues replaces the claims with those of a newer token, if user and device are the same.
func (s *session) continues(c token.Claims) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.App != s.claims.App || c.UserID != s.claims.UserID || c.Device != s.claims.Device {
		return false
	}
	s.claims = c
	return true
}

// says returns the claims of the session's newest token.
func (s *session) says() token.Claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims
}

func (s *session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// close asks the client to disconnect, with a code, now or when the session starts. It returns false if it was called
// before.
func (s *session) close(c Code) (first bool) {
	s.mu.Lock()
	p := s.peer
	if first = s.asked == 0; first {
		s.asked = c
	}
	s.mu.Unlock()
	if first && p != nil {
		p.Close(c)
	}
	return first
}

// key identifies the session's device.
func (s *session) key() devices.Key {
	return devices.Key{App: s.app, UserID: s.by.UserID, DeviceID: s.by.DeviceID}
}

// olderThan orders the sessions of a device, in the same way on every edge.
func (s *session) olderThan(opened time.Time, id string) bool {
	if s.opened.Equal(opened) {
		return s.id < id
	}
	return s.opened.Before(opened)
}

// showsCalls reports whether the client shows a call.
func (s *session) showsCalls() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.shown) > 0
}

// showing lists the calls that the client shows, as far as the edge knows.
func (s *session) showing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.shown))
}

// recordSnapshot records the snapshot that is about to be sent.
func (s *session) recordSnapshot(snapshot events.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteAll(snapshot)
}

func (s *session) noteAll(snapshot events.Snapshot) {
	for _, c := range snapshot.Calls {
		s.note(c.Call.CallID, c.Call.Seq, !c.Call.On(s.by.UserID))
	}
}

// renew sends a snapshot that was read while the client showed these calls, if it has news.
func (s *session) renew(snapshot events.Snapshot, showing []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil
	case s.peer == nil: // its first snapshot may have been read before the loss
		s.missed = true
		return nil
	case !s.isNews(snapshot, showing):
		return nil
	}
	data, err := events.Encode(snapshot.Pushed(showing))
	if err != nil {
		return err
	}
	for _, id := range showing {
		if !slices.ContainsFunc(snapshot.Calls, func(c events.SnapshotCall) bool { return c.Call.CallID == id }) {
			delete(s.shown, id)
		}
	}
	s.noteAll(snapshot)
	return s.peer.Send(data)
}

// isNews reports whether the snapshot has a call that is newer than what the client has, or lacks a call that it shows.
func (s *session) isNews(snapshot events.Snapshot, showing []string) bool {
	there := map[string]bool{}
	for _, c := range snapshot.Calls {
		there[c.Call.CallID] = true
		if seq, known := s.shown[c.Call.CallID]; !known && c.Call.On(s.by.UserID) || known && seq < c.Call.Seq {
			return true
		}
	}
	return slices.ContainsFunc(showing, func(id string) bool { _, still := s.shown[id]; return still && !there[id] })
}
