package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// times are the measured times of the calls of a phase.
type times struct {
	ring     histogram // from the invitation, or from when it was due, to the callee's notification
	notified histogram // from any other command to the notification of the user who waits for it
	command  histogram // from a command to its answer
	late     histogram // from the ring deadline to the caller's timeout notification
}

// histogram counts durations in microseconds, with three significant digits.
type histogram struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// longest is the upper limit of a recorded duration.
const longest = 10 * time.Minute

func (x *histogram) add(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.h == nil {
		x.h = hdrhistogram.New(1, longest.Microseconds(), 3)
	}
	_ = x.h.RecordValue(min(max(d, time.Microsecond), longest).Microseconds()) // the value is in range
}

// Spread is the distribution of durations, in microseconds.
type Spread struct {
	Count int64 `json:"count"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p999"`
	Max   int64 `json:"max"`

	h *hdrhistogram.Histogram
}

// spread returns the distribution, or nil if nothing was recorded.
func (x *histogram) spread() *Spread {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.h == nil {
		return nil
	}
	at := x.h.ValueAtQuantile
	return &Spread{x.h.TotalCount(), at(50), at(90), at(99), at(99.9), x.h.Max(), x.h}
}

// at returns the quantile q, from 0 to 100, in microseconds.
func (s *Spread) at(q float64) float64 { return float64(s.h.ValueAtQuantile(q)) }
