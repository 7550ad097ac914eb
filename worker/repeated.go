package worker

import "time"

// Repeated knows the error that was told last, of what is tried again and again.
type Repeated struct {
	text string
	at   time.Time
}

// Again says whether the same was told less than a minute ago, so that it need not be told now.
func (r *Repeated) Again(err error) bool {
	if err.Error() == r.text && time.Since(r.at) < time.Minute {
		return true
	}
	r.text, r.at = err.Error(), time.Now()
	return false
}
