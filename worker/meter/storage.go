package meter

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// Levels holds the fill levels of the streams, as far as they are known.
type Levels struct {
	Streams []StreamLevel
	Account *AccountLevel     // nil: unknown
	Lost    map[string]uint64 // by stream: messages that were deleted before a consumer acked them
	Missing *uint64           // transitions that the event log lacks, or will lack; nil: unknown
}

// AccountLevel is the storage that the account uses. A limit of 0 means none.
type AccountLevel struct{ Used, Limit int64 }

// StreamLevel is the fill level of a stream or bucket.
type StreamLevel struct {
	Stream                 string
	Bytes, Messages, Limit int64 // a limit of 0 means none
}

// Levels exports what read returns at each scrape. Read must not block.
func (m *Meter) Levels(read func() Levels) {
	if m == nil {
		return
	}
	m.registry.MustRegister(&levels{
		read:        read,
		streamBytes: m.streamBytes.desc(), streamMessages: m.streamMessages.desc(), streamLimit: m.streamLimit.desc(),
		storageBytes: m.storageBytes.desc(), storageLimit: m.storageLimit.desc(),
		eventsLost: m.eventsLost.desc(), eventLogMissing: m.eventLogMissing.desc(),
	})
}

type levels struct {
	read func() Levels

	streamBytes, streamMessages, streamLimit, storageBytes, storageLimit, eventsLost, eventLogMissing *prometheus.Desc
}

func limit(bytes int64) float64 {
	if bytes == 0 {
		return math.Inf(1)
	}
	return float64(bytes)
}

// Describe implements prometheus.Collector.
func (s *levels) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		s.streamBytes, s.streamMessages, s.streamLimit, s.storageBytes, s.storageLimit, s.eventsLost, s.eventLogMissing,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *levels) Collect(ch chan<- prometheus.Metric) {
	now := s.read()
	show := func(of *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value, labels...)
	}
	for _, l := range now.Streams {
		show(s.streamBytes, float64(l.Bytes), l.Stream)
		show(s.streamMessages, float64(l.Messages), l.Stream)
		show(s.streamLimit, limit(l.Limit), l.Stream)
	}
	if now.Account != nil {
		show(s.storageBytes, float64(now.Account.Used))
		show(s.storageLimit, limit(now.Account.Limit))
	}
	for stream, n := range now.Lost {
		show(s.eventsLost, float64(n), stream)
	}
	if now.Missing != nil {
		show(s.eventLogMissing, float64(*now.Missing))
	}
}
