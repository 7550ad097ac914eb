package presence

import (
	"sync"
	"time"

	"ringline.io/ringline/worker/edge/devices"
)

// suspect is a device that may be gone. The times are on the clock of the checker.
type suspect struct {
	since  time.Duration // from when its absence counts
	next   time.Duration // when it is looked at
	showed bool          // its last session showed a call
	inCall bool          // it may be dropped when it is looked at next
	due    bool          // a look has found that its grace period is over
}

// suspects are the devices that a checker looks at.
type suspects struct {
	mu   sync.Mutex
	list map[devices.Key]suspect
}

func newSuspects() *suspects { return &suspects{list: map[devices.Key]suspect{}} }

// set adds a device, or replaces what is known of it.
func (s *suspects) set(k devices.Key, x suspect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[k] = x
}

// add adds a device unless it is in the list.
func (s *suspects) add(k devices.Key, x suspect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.list[k]; !known {
		s.list[k] = x
	}
}

// take removes a device and returns what was known of it.
func (s *suspects) take(k devices.Key) (x suspect, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, known = s.list[k]
	delete(s.list, k)
	return x, known
}

// remove removes a device, unless its absence began again.
func (s *suspects) remove(k devices.Key, x suspect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list[k].since == x.since {
		delete(s.list, k)
	}
}

// later looks at a device again. It changes nothing if the device was removed, or its absence began again.
func (s *suspects) later(k devices.Key, x suspect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, known := s.list[k]; known && now.since == x.since {
		s.list[k] = x
	}
}

// anew lets the absence of every device count from now on.
func (s *suspects) anew(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, x := range s.list {
		x.since, x.next, x.due = now, now, false
		s.list[k] = x
	}
}

// holds reports whether the device is in the list and its absence counts from the same time.
func (s *suspects) holds(k devices.Key, x suspect) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, known := s.list[k]
	return known && now.since == x.since
}

// due lists up to most devices to look at now.
func (s *suspects) due(now time.Duration, most int) map[devices.Key]suspect {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := map[devices.Key]suspect{}
	for k, x := range s.list {
		if len(list) == most {
			break
		}
		if x.next <= now {
			list[k] = x
		}
	}
	return list
}

// soon counts the devices in calls that are looked at before that time.
func (s *suspects) soon(before time.Duration) (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.list {
		if x.inCall && x.next <= before {
			count++
		}
	}
	return count
}

func (s *suspects) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}
