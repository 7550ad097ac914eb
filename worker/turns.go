package worker

import "time"

// turns schedules the messages round-robin over the shares, so that a share with many messages does not delay the others. The
// caller holds the lock of the dispatcher.
type turns struct {
	handlers int // handlers that one share may use while others are present
	inFlight int // messages that one share may have in flight while others are present

	shares map[string]*share
	queue  []*share // shares with a message that may start, the next one first
}

// share is the state of one app.
type share struct {
	name     string
	ready    []*inFlightMsg
	queued   bool
	working  int
	inFlight int
	at       time.Time // when its last message arrived
}

// presentFor is how long a share counts as present after its last message.
const presentFor = 10 * time.Second

// newTurns reserves 1/8 of the handlers and 1/4 of the messages in flight for other shares.
func newTurns(handlers, inFlight int) turns {
	return turns{handlers: max(1, handlers-handlers/8), inFlight: max(1, inFlight-inFlight/4), shares: map[string]*share{}}
}

// arrived counts a new message of this share. It reports whether the share has so many messages in flight that the others need
// the room.
func (t *turns) arrived(name string, now time.Time) (crowded bool) {
	s := t.shares[name]
	if s == nil {
		s = &share{name: name}
		t.shares[name] = s
	}
	s.inFlight++
	s.at = now
	return s.inFlight > t.inFlight && t.othersPresent(s, now)
}

// othersPresent reports whether any other share has messages in flight or had one recently. It deletes the shares that are no longer
// present.
func (t *turns) othersPresent(s *share, now time.Time) bool {
	for name, other := range t.shares {
		switch {
		case other == s:
		case other.inFlight > 0 || now.Sub(other.at) < presentFor:
			return true
		default:
			delete(t.shares, name)
		}
	}
	return false
}

// add appends a message to the queue of its share.
func (t *turns) add(msg *inFlightMsg, now time.Time) {
	s := t.shares[msg.share]
	s.ready = append(s.ready, msg)
	t.enqueue(s, now)
}

// enqueue gives the share a turn if it has a message ready and may use another handler.
func (t *turns) enqueue(s *share, now time.Time) {
	if !s.queued && len(s.ready) > 0 && (s.working < t.handlers || !t.othersPresent(s, now)) {
		s.queued = true
		t.queue = append(t.queue, s)
	}
}

// next returns the message whose turn it is, or nil.
func (t *turns) next(now time.Time) *inFlightMsg {
	if len(t.queue) == 0 {
		return nil
	}
	s := t.queue[0]
	t.queue = t.queue[1:]
	s.queued = false
	msg := s.ready[0]
	s.ready = s.ready[1:]
	s.working++
	t.enqueue(s, now)
	return msg
}

// done counts a finished message. It reports whether its share may start another one because of that.
func (t *turns) done(msg *inFlightMsg, now time.Time) (goesOn bool) {
	s := t.shares[msg.share]
	if s.inFlight--; !msg.crowded { // crowded messages take no turn
		s.working--
	}
	before := s.queued
	t.enqueue(s, now)
	if s.inFlight == 0 && len(t.shares) > mostShares {
		delete(t.shares, s.name)
	}
	return !before && s.queued
}

// mostShares is how many shares without messages may be kept.
const mostShares = 1000
