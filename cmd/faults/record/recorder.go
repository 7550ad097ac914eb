package record

import (
	"sync"
	"time"
)

// Recorder takes down what happens, from many goroutines.
type Recorder struct {
	mu      sync.Mutex
	history History
}

// Now is the time of the history.
func Now() int64 { return time.Now().UnixNano() }

// Send takes down that a message is about to be sent, and gives its number.
func (r *Recorder) Send(s Sent) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.N, s.At = len(r.history.Sent), Now()
	r.history.Sent = append(r.history.Sent, s)
	return s.N
}

// Acked takes down the broker's acknowledgement of message n, or why there is none.
func (r *Recorder) Acked(n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.history.Sent[n].Failed = err.Error()
		return
	}
	r.history.Sent[n].Acked = Now()
}

// Answer takes down an answer to message n.
func (r *Recorder) Answer(n int, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Answers = append(r.history.Answers, Answer{N: n, At: Now(), Body: string(body)})
}

// Hear takes down a notification.
func (r *Recorder) Hear(t Told) {
	t.At = Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Told = append(r.history.Told, t)
}

// Gap takes down that a watcher may have missed something.
func (r *Recorder) Gap(g Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Gaps = append(r.history.Gaps, g)
}

// Fault takes down what was broken, once it is mended.
func (r *Recorder) Fault(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Faults = append(r.history.Faults, f)
}

// History gives what was taken down. Nothing may be taken down any more.
func (r *Recorder) History() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &r.history
}
