package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Refused is the reason why an edge refuses a client, or one of its commands.
type Refused string

// The reasons.
const (
	RefusedToken   Refused = "token"   // missing or invalid
	RefusedExpired Refused = "expired" // the token has expired
	RefusedRevoked Refused = "revoked" // or the app has no keys any more
	RefusedOrigin  Refused = "origin"  // the page's origin is not one of the app's
	RefusedDevice  Refused = "device"  // not the token's device
	RefusedUser    Refused = "user"    // too many sessions of the user
	RefusedAddress Refused = "address" // too many connections of the address
	RefusedSize    Refused = "size"    // the message is too big
	RefusedData    Refused = "data"    // bad connect data, or a command without exactly one of connect, RPC and refresh
	RefusedRate    Refused = "rate"    // too many commands
)

// Refusals lists every reason.
func Refusals() []Refused {
	return []Refused{
		RefusedToken, RefusedExpired, RefusedRevoked, RefusedOrigin, RefusedDevice, RefusedUser, RefusedAddress, RefusedSize,
		RefusedData, RefusedRate,
	}
}

// The ways in which a session ends.
const (
	endedByClient = "client"   // the client disconnected, or its connection broke
	endedSlow     = "slow"     // the client did not read its messages
	endedExpired  = "expired"  // the token expired
	endedSilent   = "silent"   // the client did not answer a ping
	endedShutdown = "shutdown" // the edge stops, or has lost NATS
	endedReplaced = "replaced" // the device has opened a newer session
	endedRefused  = "refused"  // for any other reason
)

// Ends lists every way in which a session ends.
func Ends() []string {
	return []string{endedByClient, endedSlow, endedExpired, endedSilent, endedShutdown, endedReplaced, endedRefused}
}

// endOf returns the end for a code of centrifuge.
func endOf(code int) string {
	switch code {
	case 3000:
		return endedByClient
	case 3001:
		return endedShutdown
	case 3005:
		return endedExpired
	case 3008, 3009:
		return endedSlow
	case 3012:
		return endedSilent
	case 4501:
		return endedReplaced
	}
	return endedRefused
}

// transports lists the transports of sessions.
func transports() []string { return []string{"websocket", "http_stream", "sse"} }

// Sessions counts what an edge does.
type Sessions struct {
	open     map[string]prometheus.Gauge
	opened   map[string]prometheus.Counter
	ended    map[string]prometheus.Counter
	refused  map[Refused]prometheus.Counter
	pushes   prometheus.Counter
	renewals prometheus.Counter
	lost     prometheus.Counter
	commands prometheus.Observer
}

// Sessions returns the counters of an edge.
func (m *Meter) Sessions() *Sessions {
	if m == nil {
		return nil
	}
	s := &Sessions{
		open: map[string]prometheus.Gauge{}, opened: map[string]prometheus.Counter{}, ended: map[string]prometheus.Counter{},
		refused: map[Refused]prometheus.Counter{},
		pushes:  m.pushes.WithLabelValues(), renewals: m.snapshots.WithLabelValues(), lost: m.lost.WithLabelValues(),
		commands: m.sessionCommandSeconds.WithLabelValues(),
	}
	for _, t := range transports() {
		s.open[t] = m.sessionsOpen.WithLabelValues(t)
		s.opened[t] = m.sessions.WithLabelValues(t)
	}
	for _, e := range Ends() {
		s.ended[e] = m.sessionsEnded.WithLabelValues(e)
	}
	for _, r := range Refusals() {
		s.refused[r] = m.sessionsRefused.WithLabelValues(string(r))
	}
	return s
}

// Opened counts a session that began.
func (s *Sessions) Opened(transport string) {
	if s != nil && s.opened[transport] != nil {
		s.opened[transport].Inc()
		s.open[transport].Inc()
	}
}

// Ended counts a session that had begun and ended with this code.
func (s *Sessions) Ended(transport string, code int) {
	if s == nil {
		return
	}
	if g := s.open[transport]; g != nil {
		g.Dec()
	}
	s.ended[endOf(code)].Inc()
}

// Refused counts a refused client or command.
func (s *Sessions) Refused(why Refused) {
	if s != nil && s.refused[why] != nil {
		s.refused[why].Inc()
	}
}

// Pushed counts a notification that was sent to a session.
func (s *Sessions) Pushed() {
	if s != nil {
		s.pushes.Inc()
	}
}

// Renewed counts a snapshot that was read again for an open session.
func (s *Sessions) Renewed() {
	if s != nil {
		s.renewals.Inc()
	}
}

// Lost counts a slow consumer report of NATS.
func (s *Sessions) Lost() {
	if s != nil {
		s.lost.Inc()
	}
}

// Answered records how long a command of a session took.
func (s *Sessions) Answered(d time.Duration) {
	if s != nil {
		s.commands.Observe(d.Seconds())
	}
}
