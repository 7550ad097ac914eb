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
	garbageTotal      = "ringline_garbage_total"
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
			Help: "Commands that are done: carried out (ok), refused (the error code of the answer), or rejected because they could not be read.",
		},
		{
			Name: commandSeconds, Of: OfCoordinator, Kind: Histogram, Unit: "seconds", Labels: []Label{verb}, Buckets: fromMilliseconds(),
			Help: "Time from when NATS stored a command until it was done, all deliveries included.",
		},
		{
			Name: stepSeconds, Of: OfCoordinator, Kind: Histogram, Unit: "seconds", Labels: []Label{{"step", texts(Steps())}}, Buckets: fromTenths(),
			Help: "Time that a step of a command took since the step before it, the first since the command was in hand.",
		},
		{
			Name: rejectedTotal, Of: OfCoordinator, Kind: Counter, Unit: "commands", Labels: []Label{verb},
			Help: "Commands that could not be read and are kept on RINGLINE_REJECTED with the reason.",
		},
		{
			Name: conflictsTotal, Of: OfCoordinator, Kind: Counter, Unit: "decisions",
			Help: "Decisions that came to nothing because the call had moved on meanwhile; each is made again.",
		},
		{
			Name: takeoversTotal, Of: OfCoordinator, Kind: Counter, Unit: "claims",
			Help: "Claims in flight that were older than 30 s and whose call was moved past them, as after the death of a worker.",
		},
		{
			Name: garbageTotal, Of: OfEach, Kind: Counter, Unit: "reads", Labels: []Label{{"where", texts(Places())}},
			Help: "Times that something was passed over that is not what stands there: no transition, no line, no deadline, no settings of an app.",
		},
		{
			Name: redeliveriesTotal, Of: OfEach, Kind: Counter, Unit: "deliveries", Labels: []Label{consumer},
			Help: "Messages that were redelivered: nak'ed before, or not acked in time.",
		},
		{
			Name: naksTotal, Of: OfEach, Kind: Counter, Unit: "messages", Labels: []Label{consumer, {"reason", texts(Reasons())}},
			Help: "Messages that were nak'ed with a delay, or (not_leased) abandoned because another worker may have them.",
		},
		{
			Name: latenessSeconds, Of: OfTimeouts, Kind: Histogram, Unit: "seconds", Buckets: upToAnHour(),
			Help: "Time from a deadline until the expire command that it becomes was stored, whether it came due or was found by the sweep.",
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
			Help: "Client sessions that ended: the client went, was slow or silent, its token expired, the edge stopped, or it was refused.",
		},
		{
			Name: sessionsRefusedTotal, Of: OfEdge, Kind: Counter, Unit: "refusals", Labels: []Label{{"refusal", texts(Refusals())}},
			Help: "Clients that got no session, and commands of sessions that were too many.",
		},
		{
			Name: sessionCommandSeconds, Of: OfEdge, Kind: Histogram, Unit: "seconds", Buckets: fromMilliseconds(),
			Help: "Time from when a client's command was read until its answer was there.",
		},
		{
			Name: pushesTotal, Of: OfEdge, Kind: Counter, Unit: "pushes",
			Help: "Notifications that were sent to sessions, each session of a user counted.",
		},
		{
			Name: snapshotsTotal, Of: OfEdge, Kind: Counter, Unit: "snapshots",
			Help: "Snapshots that were read for open sessions: NATS was away or dropped something, or a session showed a call at the sweep.",
		},
		{
			Name: lostTotal, Of: OfEdge, Kind: Counter, Unit: "reports",
			Help: "Times that NATS reported that it dropped notifications because this edge was slow; those users get a snapshot.",
		},
		{
			Name: errorsTotal, Of: OfEach, Kind: Counter, Unit: "lines", Labels: []Label{{"component", texts(Components())}},
			Help: "Lines of the log at level error.",
		},
		{
			Name: backlogMessages, Of: OfEach, Kind: Gauge, Unit: "messages", Labels: []Label{consumer},
			Help: "Messages of a consumer that wait for their first delivery. The same in every process; absent while NATS is away.",
		},
		{
			Name: backlogUnacked, Of: OfEach, Kind: Gauge, Unit: "messages", Labels: []Label{consumer},
			Help: "Messages of a consumer that are in flight or were nak'ed. The same in every process; absent while NATS is away.",
		},
		{
			Name: readyState, Of: OfEach, Kind: Gauge, Unit: "none",
			Help: "1 while /readyz answers 200, otherwise 0.",
		},
		{
			Name: notReadyFor, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{condition},
			Help: "1 for each condition that makes this process unready, as /readyz shows it.",
		},
		{
			Name: degradedBy, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{condition},
			Help: "1 for each condition that degrades this process and leaves it ready, as /readyz shows it.",
		},
		{
			Name: backlogOldest, Of: OfCoordinator, Kind: Gauge, Unit: "seconds",
			Help: "Age of the oldest command that is not done, 0 if there is none. The same in every process; absent while NATS is away.",
		},
		{
			Name: requestsTotal, Of: OfCoordinator, Kind: Counter, Unit: "requests", Labels: []Label{{"method", methods()}, {"reply", requestReplies()}},
			Help: "Requests to the api, by what became of them: ok, an error code, stalled (this process stood still), late (past its deadline), no_reply.",
		},
		{
			Name: publishFailures, Of: OfEach, Kind: Counter, Unit: "messages", Labels: []Label{{"role", texts(Publishers())}, {"failure", texts(Failures())}},
			Help: "Messages that a part of this process could not store: refused by JetStream, or not acknowledged.",
		},
		{
			Name: stallsTotal, Of: OfEach, Kind: Counter, Unit: "stalls",
			Help: "Times that this process stood still for more than 2 s.",
		},
		{
			Name: clockSkew, Of: OfEach, Kind: Gauge, Unit: "seconds",
			Help: "How far this machine's clock is ahead of broker time, negative where it is behind. It decides nothing.",
		},
		{
			Name: setupProblem, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{{"part", Parts()}, {"problem", texts(Problems())}},
			Help: "1 for each stream, bucket or consumer that is missing, or was altered since ringline setup made it; looked for every 5 s.",
		},
		{
			Name: streamBytes, Of: OfCoordinator, Kind: Gauge, Unit: "bytes", Labels: []Label{stream},
			Help: "What a stream or bucket holds. The same in every process; absent while NATS is away.",
		},
		{
			Name: streamMessages, Of: OfCoordinator, Kind: Gauge, Unit: "messages", Labels: []Label{stream},
			Help: "Messages of a stream or bucket. The same in every process; absent while NATS is away.",
		},
		{
			Name: streamLimit, Of: OfCoordinator, Kind: Gauge, Unit: "bytes", Labels: []Label{stream},
			Help: "The byte limit of a stream or bucket; infinite where it has none.",
		},
		{
			Name: storageBytes, Of: OfCoordinator, Kind: Gauge, Unit: "bytes",
			Help: "What all streams of the account hold, each copy counted.",
		},
		{
			Name: storageLimit, Of: OfCoordinator, Kind: Gauge, Unit: "bytes",
			Help: "What the account may hold, each copy counted; infinite where it has no limit.",
		},
		{
			Name: eventsLost, Of: OfCoordinator, Kind: Gauge, Unit: "messages", Labels: []Label{{"stream", []string{"RINGLINE_EVENTS", "RINGLINE_CDRS"}}},
			Help: "Messages that the durable consumer that is furthest behind has not read, and that the stream has deleted.",
		},
		{
			Name: eventLogMissing, Of: OfCoordinator, Kind: Gauge, Unit: "messages",
			Help: "Transitions that RINGLINE_EVENTS lacks or is about to lack, as RINGLINE_CALLS came back without its newest messages.",
		},
		{
			Name: buildInfo, Of: OfEach, Kind: Gauge, Unit: "none", Labels: []Label{{Name: "version"}},
			Help: "Always 1; the label tells which version runs.",
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
