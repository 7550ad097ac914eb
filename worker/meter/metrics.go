package meter

import (
	"fmt"
	"slices"

	"ringline.io/ringline/worker/health"
)

// Kind is the type of a metric.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Histogram Kind = "histogram"
	Gauge     Kind = "gauge"
)

// Label is a label of a metric, with all its values. Without values it can be any version.
type Label struct {
	Name   string
	Values []string
}

// Role is a kind of worker.
type Role string

// The roles.
const (
	OfCoordinator Role = "coordinator"
	OfTimeouts    Role = "timeouts"
	OfEdge        Role = "edge"
	OfEach        Role = "each"
)

// Metric declares a metric.
type Metric struct {
	Name, Help string
	Of         Role // which worker exports it
	Kind       Kind
	Unit       string
	Labels     []Label
	Buckets    []float64 // upper bounds of a histogram, in its unit
}

// The names.
const (
	commandsTotal     = "ringline_commands_total"
	commandSeconds    = "ringline_command_seconds"
	stepSeconds       = "ringline_step_seconds"
	rejectedTotal     = "ringline_rejected_total"
	conflictsTotal    = "ringline_conflicts_total"
	takeoversTotal    = "ringline_takeovers_total"
	garbageTotal      = "ringline_malformed_entries_total"
	redeliveriesTotal = "ringline_redeliveries_total"
	naksTotal         = "ringline_naks_total"
	latenessSeconds   = "ringline_timer_lateness_seconds"
	overdueTotal      = "ringline_sweep_overdue_total"
	errorsTotal       = "ringline_errors_total"
	backlogMessages   = "ringline_backlog_messages"
	backlogUnacked    = "ringline_backlog_unacknowledged"
	clockSkew         = "ringline_clock_skew_seconds"
	stallsTotal       = "ringline_stalls_total"
	requestsTotal     = "ringline_api_requests_total"
	publishFailures   = "ringline_publish_failures_total"
	backlogOldest     = "ringline_backlog_oldest_seconds"
	buildInfo         = "ringline_build_info"
	readyState        = "ringline_ready"
	notReadyFor       = "ringline_not_ready"
	degradedBy        = "ringline_degraded"
	setupProblem      = "ringline_setup_problem"

	streamBytes     = "ringline_stream_bytes"
	streamMessages  = "ringline_stream_messages"
	streamLimit     = "ringline_stream_limit_bytes"
	storageBytes    = "ringline_storage_bytes"
	storageLimit    = "ringline_storage_limit_bytes"
	eventsLost      = "ringline_events_lost_messages"
	eventLogMissing = "ringline_event_log_missing_messages"

	sessionsOpen          = "ringline_sessions"
	sessionsTotal         = "ringline_sessions_total"
	sessionsEndedTotal    = "ringline_sessions_ended_total"
	sessionsRefusedTotal  = "ringline_sessions_refused_total"
	sessionCommandSeconds = "ringline_session_command_seconds"
	pushesTotal           = "ringline_pushes_total"
	snapshotsTotal        = "ringline_snapshots_renewed_total"
	lostTotal             = "ringline_slow_consumer_total"
)

// Metrics lists every metric that Ringline declares.
func Metrics() []Metric {
	verb := Label{"verb", texts(verbs())}
	transport := Label{"transport", transports()}
	consumer := Label{"consumer", []string{"coordinators", "timeouts"}}
	stream := Label{"stream", streams()}
	condition := Label{"condition", texts(health.Names())}
	return []Metric{
		{
			Name: commandsTotal, Of: OfCoordinator, Kind: Counter, Unit: "commands", Labels: []Label{verb, {"outcome", outcomes()}},
			Help: "Commands that are done: executed (ok), refused (the error code of the answer), or rejected because they are malformed.",
		},
		{
			Name: commandSeconds, Of: OfCoordinator, Kind: Histogram, Unit: "seconds", Labels: []Label{verb}, Buckets: fromMilliseconds(),
			Help: "Time from when NATS stored a command until it was done, including all deliveries.",
		},
		{
			Name: stepSeconds, Of: OfCoordinator, Kind: Histogram, Unit: "seconds", Labels: []Label{{"step", texts(Steps())}}, Buckets: fromTenths(),
			Help: "Duration of a step of a command, since the previous step. The first step starts when the worker begins to process the command.",
		},
		{
			Name: rejectedTotal, Of: OfCoordinator, Kind: Counter, Unit: "commands", Labels: []Label{verb},
			Help: "Malformed commands, which are kept on RINGLINE_REJECTED with the reason.",
		},
		{
			Name: conflictsTotal, Of: OfCoordinator, Kind: Counter, Unit: "decisions",
			Help: "Decisions that were discarded because another write changed the call meanwhile. Each is repeated.",
		},
		{
			Name: takeoversTotal, Of: OfCoordinator, Kind: Counter, Unit: "claims",
			Help: "Claims older than 30 s that were taken over by a write to their call, for example after a worker died.",
		},
		{
			Name: garbageTotal, Of: OfEach, Kind: Counter, Unit: "reads", Labels: []Label{{"where", texts(Places())}},
			Help: "Malformed entries that were ignored: messages or values that are no transition, line, deadline or app settings.",
		},
		{
			Name: redeliveriesTotal, Of: OfEach, Kind: Counter, Unit: "deliveries", Labels: []Label{consumer},
			Help: "Redelivered messages: nak'ed before, or not acknowledged in time.",
		},
		{
			Name: naksTotal, Of: OfEach, Kind: Counter, Unit: "messages", Labels: []Label{consumer, {"reason", texts(Reasons())}},
			Help: "Messages that were nak'ed with a delay. With the reason lease_lost they are not nak'ed, but left to another worker.",
		},
		{
			Name: latenessSeconds, Of: OfTimeouts, Kind: Histogram, Unit: "seconds", Buckets: upToAnHour(),
			Help: "Time from a deadline until its expire command was stored, whether NATS fired the deadline or the sweep found it.",
		},
		{
			Name: overdueTotal, Of: OfTimeouts, Kind: Counter, Unit: "deadlines",
			Help: "Deadlines that NATS did not fire and that the sweep found.",
		},
		{
			Name: sessionsOpen, Of: OfEdge, Kind: Gauge, Unit: "sessions", Labels: []Label{transport},
			Help: "Client sessions that are open on this edge.",
		},
		{
			Name: sessionsTotal, Of: OfEdge, Kind: Counter, Unit: "sessions", Labels: []Label{transport},
			Help: "Client sessions that began.",
		},
		{
			Name: sessionsEndedTotal, Of: OfEdge, Kind: Counter, Unit: "sessions", Labels: []Label{{"end", Ends()}},
			Help: "Client sessions that ended: the client disconnected, was slow or silent, its token expired, the edge stopped, or it was refused.",
		},
		{
			Name: sessionsRefusedTotal, Of: OfEdge, Kind: Counter, Unit: "refusals", Labels: []Label{{"refusal", texts(Refusals())}},
			Help: "Refused clients, and refused commands of sessions.",
		},
		{
			Name: sessionCommandSeconds, Of: OfEdge, Kind: Histogram, Unit: "seconds", Buckets: fromMilliseconds(),
			Help: "Time from when a client's command was read until its answer was ready.",
		},
		{
			Name: pushesTotal, Of: OfEdge, Kind: Counter, Unit: "pushes",
			Help: "Notifications that were sent to sessions, counted per session.",
		},
		{
			Name: snapshotsTotal, Of: OfEdge, Kind: Counter, Unit: "snapshots",
			Help: "Snapshots that were read for open sessions, because NATS was unreachable or dropped messages, or because a session showed a call at the sweep.",
		},
		{
			Name: lostTotal, Of: OfEdge, Kind: Counter, Unit: "reports",
			Help: "Times that NATS reported dropped notifications because this edge was slow. The affected users get a snapshot.",
		},
		{
			Name: errorsTotal, Of: OfEach, Kind: Counter, Unit: "lines", Labels: []Label{{"component", texts(Components())}},
			Help: "Log lines at level error.",
		},
		{
			Name: backlogMessages, Of: OfEach, Kind: Gauge, Unit: "messages", Labels: []Label{consumer},
			Help: "Messages of a consumer that wait for their first delivery. The same in every process; absent while NATS is unreachable.",
		},
		{
			Name: backlogUnacked, Of: OfEach, Kind: Gauge, Unit: "messages", Labels: []Label{consumer},
			Help: "Messages of a consumer that are in flight or wait for redelivery. The same in every process; absent while NATS is unreachable.",
		},
		{
			Name: readyState, Of: OfEach, Kind: Gauge, Unit: "none",
			Help: "1 while /readyz answers 200, otherwise 0.",
		},
		{
			Name: notReadyFor, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{condition},
			Help: "1 for each condition that makes this process unready, as shown by /readyz.",
		},
		{
			Name: degradedBy, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{condition},
			Help: "1 for each condition that degrades this process but leaves it ready, as shown by /readyz.",
		},
		{
			Name: backlogOldest, Of: OfCoordinator, Kind: Gauge, Unit: "seconds",
			Help: "Age of the oldest command that is not done, 0 if there is none. The same in every process; absent while NATS is unreachable.",
		},
		{
			Name: requestsTotal, Of: OfCoordinator, Kind: Counter, Unit: "requests", Labels: []Label{{"method", methods()}, {"reply", requestReplies()}},
			Help: "Requests to the api, by outcome: ok, an error code, stalled (this process was paused), late (past its deadline), no_reply.",
		},
		{
			Name: publishFailures, Of: OfEach, Kind: Counter, Unit: "messages", Labels: []Label{{"role", texts(Publishers())}, {"failure", texts(Failures())}},
			Help: "Messages that this process could not store: refused by JetStream, or not acknowledged.",
		},
		{
			Name: stallsTotal, Of: OfEach, Kind: Counter, Unit: "stalls",
			Help: "Times that this process was paused for more than 2 s.",
		},
		{
			Name: clockSkew, Of: OfEach, Kind: Gauge, Unit: "seconds",
			Help: "Difference between this machine's clock and broker time, negative if the clock is behind. Decisions do not depend on it.",
		},
		{
			Name: setupProblem, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{{"part", Parts()}, {"problem", texts(Problems())}},
			Help: "1 for each stream, bucket or consumer that is missing, or was altered since ringline setup. Checked every 5 s.",
		},
		{
			Name: streamBytes, Of: OfCoordinator, Kind: Gauge, Unit: "bytes", Labels: []Label{stream},
			Help: "Size of a stream or bucket. The same in every process; absent while NATS is unreachable.",
		},
		{
			Name: streamMessages, Of: OfCoordinator, Kind: Gauge, Unit: "messages", Labels: []Label{stream},
			Help: "Messages of a stream or bucket. The same in every process; absent while NATS is unreachable.",
		},
		{
			Name: streamLimit, Of: OfCoordinator, Kind: Gauge, Unit: "bytes", Labels: []Label{stream},
			Help: "Byte limit of a stream or bucket, infinite if it has none.",
		},
		{
			Name: storageBytes, Of: OfCoordinator, Kind: Gauge, Unit: "bytes",
			Help: "Size of all streams of the account, counting each replica.",
		},
		{
			Name: storageLimit, Of: OfCoordinator, Kind: Gauge, Unit: "bytes",
			Help: "Storage limit of the account, counting each replica, infinite if it has none.",
		},
		{
			Name: eventsLost, Of: OfCoordinator, Kind: Gauge, Unit: "messages", Labels: []Label{{"stream", []string{"RINGLINE_EVENTS", "RINGLINE_CDRS"}}},
			Help: "Messages that the stream deleted before its slowest durable consumer read them.",
		},
		{
			Name: eventLogMissing, Of: OfCoordinator, Kind: Gauge, Unit: "messages",
			Help: "Transitions that are or will be missing in RINGLINE_EVENTS, because RINGLINE_CALLS lost its newest messages.",
		},
		{
			Name: buildInfo, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{{Name: "version"}},
			Help: "Always 1. The label is the version of the program.",
		},
	}
}

// declared returns the metric of that name. An unknown name is a defect, and every test finds it.
func declared(name string) Metric {
	list := Metrics()
	i := slices.IndexFunc(list, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("meter: no metric %s", name))
	}
	return list[i]
}

func (m Metric) labels() []string {
	names := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		names[i] = l.Name
	}
	return names
}

// The buckets, in seconds.
func fromTenths() []float64 { return append([]float64{.0001, .00025, .0005}, fromMilliseconds()...) }

func fromMilliseconds() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

func upToAnHour() []float64 {
	return []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
}

func texts[T ~string](words []T) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return list
}
