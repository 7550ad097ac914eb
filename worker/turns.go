package worker

import "time"

// turns hands out what can be handled, one share after another: a share with many messages does not keep the others
// waiting. Only the holder of the lock uses it.
type turns struct {
	hands int // that one share may have at once while others are present
	held  int // messages that one share may have in hand while others are present

	shares map[string]*share
	queue  []*share // those with something to hand out, the next one first
}

// share is what one app has in hand.
type share struct {
	name    string
	ready   []*held
	queued  bool
	working int
	held    int
	at      time.Time // when it got its last message
}

// presentFor is how long a share is present after its last message.
const presentFor = 10 * time.Second

// newTurns leaves an eighth of the hands, and a quarter of what can be held, to other shares.
func newTurns(hands, held int) turns {
	return turns{hands: max(1, hands-hands/8), held: max(1, held-held/4), shares: map[string]*share{}}
}

// holds counts a message of this share. It says whether the share holds too much of what the others need too.
func (t *turns) holds(name string, now time.Time) (crowded bool) {
	s := t.shares[name]
	if s == nil {
		s = &share{name: name}
		t.shares[name] = s
	}
	s.held++
	s.at = now
	return s.held > t.held && t.othersPresent(s, now)
}

// othersPresent says whether any other share has something in hand or had recently. Those that have gone are forgotten.
func (t *turns) othersPresent(s *share, now time.Time) bool {
	for name, other := range t.shares {
		switch {
		case other == s:
		case other.held > 0 || now.Sub(other.at) < presentFor:
			return true
		default:
			delete(t.shares, name)
		}
	}
	return false
}

// add puts a message in its share's queue.
func (t *turns) add(msg *held, now time.Time) {
	s := t.shares[msg.share]
	s.ready = append(s.ready, msg)
	t.enqueue(s, now)
}

// enqueue gives the share a turn, if it has something to do and a hand to do it with.
func (t *turns) enqueue(s *share, now time.Time) {
	if !s.queued && len(s.ready) > 0 && (s.working < t.hands || !t.othersPresent(s, now)) {
		s.queued = true
		t.queue = append(t.queue, s)
	}
}

// next gives the message whose turn it is; nil if there is none.
func (t *turns) next(now time.Time) *held {
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

// done counts a message that has left. It says whether its share may go on because of that.
func (t *turns) done(msg *held, now time.Time) (goesOn bool) {
	s := t.shares[msg.share]
	if s.held--; !msg.crowded { // which had no turn
		s.working--
	}
	before := s.queued
	t.enqueue(s, now)
	if s.held == 0 && len(t.shares) > mostShares {
		delete(t.shares, s.name)
	}
	return !before && s.queued
}

// mostShares is how many shares are remembered that have nothing in hand.
const mostShares = 1000
