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
	s := &levels{read: read, descs: map[string]*prometheus.Desc{}}
	for _, name := range []string{streamBytes, streamMessages, streamLimit, storageBytes, storageLimit, eventsLost, eventLogMissing} {
		d := declared(name)
		s.descs[name] = prometheus.NewDesc(d.Name, d.Help, d.labels(), nil)
	}
	m.registry.MustRegister(s)
}

type levels struct {
	read  func() Levels
	descs map[string]*prometheus.Desc
}

func limit(bytes int64) float64 {
	if bytes == 0 {
		return math.Inf(1)
	}
	return float64(bytes)
}

// Describe implements prometheus.Collector.
func (s *levels) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *levels) Collect(ch chan<- prometheus.Metric) {
	now := s.read()
	show := func(name string, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(s.descs[name], prometheus.GaugeValue, value, labels...)
	}
	for _, l := range now.Streams {
		show(streamBytes, float64(l.Bytes), l.Stream)
		show(streamMessages, float64(l.Messages), l.Stream)
		show(streamLimit, limit(l.Limit), l.Stream)
	}
	if now.Account != nil {
		show(storageBytes, float64(now.Account.Used))
		show(storageLimit, limit(now.Account.Limit))
	}
	for stream, n := range now.Lost {
		show(eventsLost, float64(n), stream)
	}
	if now.Missing != nil {
		show(eventLogMissing, float64(*now.Missing))
	}
}
