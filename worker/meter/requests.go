package meter

import (
	"errors"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"ringline.io/ringline/events"
)

// The outcomes of an api request that are no error code of a command.
const (
	RequestOK      = "ok"
	RequestStalled = "stalled"  // it arrived while this process was stalled
	RequestLate    = "late"     // it was past its deadline
	RequestNoReply = "no_reply" // its reply subject is no inbox, or the reply could not be sent
)

func requestReplies() []string {
	list := []string{RequestOK, RequestStalled, RequestLate, RequestNoReply}
	for _, c := range events.Codes() {
		list = append(list, string(c))
	}
	return list
}

func methods() []string { return append([]string{"get", "line", "list", "present"}, texts(verbs())...) }

// Requests counts the outcomes of requests to the api.
type Requests struct {
	counts map[string]map[string]prometheus.Counter
}

// Requests returns the counters of an api.
func (m *Meter) Requests() *Requests {
	if m == nil {
		return nil
	}
	r := &Requests{counts: map[string]map[string]prometheus.Counter{}}
	for _, method := range methods() {
		r.counts[method] = map[string]prometheus.Counter{}
		for _, o := range requestReplies() {
			r.counts[method][o] = m.requests.WithLabelValues(method, o)
		}
	}
	return r
}

// Done counts a request. An unknown method counts as unknown, and an unknown outcome as internal.
func (r *Requests) Done(method, outcome string) {
	if r == nil {
		return
	}
	of, known := r.counts[method]
	if !known {
		of = r.counts[string(unknown)]
	}
	count, known := of[outcome]
	if !known {
		count = of[string(events.CodeInternal)]
	}
	count.Inc()
}

// Publisher is a part of a process that publishes to streams.
type Publisher string

// The publishers.
const (
	ByAPI         Publisher = "api"
	ByEdge        Publisher = "edge"
	ByTimeouts    Publisher = "timeouts"
	ByCoordinator Publisher = "coordinator"
)

// Publishers lists every publisher.
func Publishers() []Publisher { return []Publisher{ByAPI, ByEdge, ByTimeouts, ByCoordinator} }

// Failure is the reason why a message was not stored.
type Failure string

// The failures.
const (
	FailureRefused Failure = "refused" // JetStream returned an error
	FailureNoAck   Failure = "no_ack"  // no ack in time, or no connection
)

// Failures lists every failure.
func Failures() []Failure { return []Failure{FailureRefused, FailureNoAck} }

// Publishes counts the failed publishes of a publisher.
type Publishes struct{ refused, noAck *Count }

// Publishes returns the counters of a publisher.
func (m *Meter) Publishes(by Publisher) *Publishes {
	if m == nil {
		return nil
	}
	return &Publishes{
		refused: countOf(m.publishFailures, string(by), string(FailureRefused)),
		noAck:   countOf(m.publishFailures, string(by), string(FailureNoAck)),
	}
}

// Failed counts a failure if err is not nil.
func (p *Publishes) Failed(err error) {
	if p == nil || err == nil {
		return
	}
	if _, refused := errors.AsType[*jetstream.APIError](err); refused {
		p.refused.Inc()
		return
	}
	p.noAck.Inc()
}

// Stalls counts the stalls of the process.
func (m *Meter) Stalls() *Count {
	if m == nil {
		return nil
	}
	return countOf(m.stalls)
}
