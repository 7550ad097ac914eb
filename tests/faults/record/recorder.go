package record

import (
	"sync"
	"time"
)

// Recorder records the events of a run. It is safe for concurrent use.
type Recorder struct {
	mu      sync.Mutex
	history History
}

// Now returns the current time in the unit of the history.
func Now() int64 { return time.Now().UnixNano() }

// Send records that a message is about to be sent, and returns its number.
func (r *Recorder) Send(s Sent) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.N, s.At = len(r.history.Sent), Now()
	r.history.Sent = append(r.history.Sent, s)
	return s.N
}

// Acked records the broker's acknowledgement of message n, or the error.
func (r *Recorder) Acked(n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.history.Sent[n].Failed = err.Error()
		return
	}
	r.history.Sent[n].Acked = Now()
}

// Answer records an answer to message n.
func (r *Recorder) Answer(n int, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Answers = append(r.history.Answers, Answer{N: n, At: Now(), Body: string(body)})
}

// Notified records a notification.
func (r *Recorder) Notified(t Notification) {
	t.At = Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Notifications = append(r.history.Notifications, t)
}

// Gap records that a watcher may have missed notifications.
func (r *Recorder) Gap(g Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Gaps = append(r.history.Gaps, g)
}

// Fault records a fault after its repair.
func (r *Recorder) Fault(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Faults = append(r.history.Faults, f)
}

// History returns the history. Nothing may be recorded after it.
func (r *Recorder) History() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &r.history
}
