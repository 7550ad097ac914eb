package worker

import "time"

// Repeated suppresses repetitions of the same error in a retry loop.
type Repeated struct {
	text string
	at   time.Time
}

// Again reports whether the same error was reported less than a minute ago. If so, the caller does not report it.
func (r *Repeated) Again(err error) bool {
	if err.Error() == r.text && time.Since(r.at) < time.Minute {
		return true
	}
	r.text, r.at = err.Error(), time.Now()
	return false
}
