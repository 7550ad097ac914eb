package broker

import (
	"sync"
	"time"
)

// LogThrottle suppresses repetitions of a log entry. The zero value is ready to use. Any number of goroutines may share it.
type LogThrottle struct {
	mu   sync.Mutex
	text string
	at   time.Time
}

// sameAgainAfter is the minimum time between two log entries with the same text.
const sameAgainAfter = time.Minute

// Allow reports whether to log an entry with this text now. It returns false if the last allowed text is the same and less
// than a minute old.
func (t *LogThrottle) Allow(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if text == t.text && now.Sub(t.at) < sameAgainAfter {
		return false
	}
	t.text, t.at = text, now
	return true
}
