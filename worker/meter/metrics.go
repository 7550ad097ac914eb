package meter

import (
	"github.com/prometheus/client_golang/prometheus"

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

// metrics holds every metric.
type metrics struct {
	// Counters.
	commands, rejected, conflicts, takeovers, malformed, redeliveries, naks, overdue *prometheus.CounterVec
	sessions, sessionsEnded, sessionsRefused, pushes, snapshots, lost                *prometheus.CounterVec
	presenceDrops                                                                    *prometheus.CounterVec
	presenceSuspects, presenceHeld, presenceSweepSeconds                             *prometheus.GaugeVec
	errors, requests, publishFailures, stalls                                        *prometheus.CounterVec
	commandSeconds, stepSeconds, latenessSeconds, sessionCommandSeconds              *prometheus.HistogramVec
	sessionsOpen, setupProblem, buildInfo                                            *prometheus.GaugeVec

	// Gauges that a collector reads at each scrape.
	backlogMessages, backlogUnacked, readyState, notReadyFor, degradedBy, backlogOldest, clockSkew    Metric
	streamBytes, streamMessages, streamLimit, storageBytes, storageLimit, eventsLost, eventLogMissing Metric
}

// Metrics lists every metric that Ringline declares.
func Metrics() []Metric {
	d := declarations{registry: prometheus.NewRegistry()}
	d.declare()
	return d.list
}

// declare declares every metric, in the order of Metrics.
func (d *declarations) declare() metrics {
	verb := Label{"verb", texts(verbs())}
	transport := Label{"transport", transports()}
	consumer := Label{"consumer", []string{"coordinators", "timeouts"}}
	stream := Label{"stream", streams()}
	condition := Label{"condition", texts(health.Names())}
	return metrics{
		commands: d.counter(Metric{
			Name: "ringline_commands_total", Of: OfCoordinator, Unit: "commands", Labels: []Label{verb, {"outcome", outcomes()}},
			Help: "Commands that are done: executed (ok), refused (the error code of the answer), or rejected because they are malformed.",
		}),
		commandSeconds: d.histogram(Metric{
			Name: "ringline_command_seconds", Of: OfCoordinator, Unit: "seconds", Labels: []Label{verb}, Buckets: fromMilliseconds(),
			Help: "Time from when NATS stored a command until it was done, including all deliveries.",
		}),
		stepSeconds: d.histogram(Metric{
			Name: "ringline_step_seconds", Of: OfCoordinator, Unit: "seconds", Labels: []Label{{"step", texts(Steps())}}, Buckets: fromTenths(),
			Help: "Duration of a step of a command, since the previous step. The first step starts when the worker begins to process the command.",
		}),
		rejected: d.counter(Metric{
			Name: "ringline_rejected_total", Of: OfCoordinator, Unit: "commands", Labels: []Label{verb},
			Help: "Malformed commands, which are kept on RINGLINE_REJECTED with the reason.",
		}),
		conflicts: d.counter(Metric{
			Name: "ringline_conflicts_total", Of: OfCoordinator, Unit: "decisions",
			Help: "Decisions that were discarded because another write changed the call meanwhile. Each is repeated.",
		}),
		takeovers: d.counter(Metric{
			Name: "ringline_takeovers_total", Of: OfCoordinator, Unit: "claims",
			Help: "Claims older than 30 s that were taken over by a write to their call, for example after a worker died.",
		}),
		malformed: d.counter(Metric{
			Name: "ringline_malformed_entries_total", Of: OfEach, Unit: "reads", Labels: []Label{{"where", texts(Places())}},
			Help: "Malformed entries that were ignored: messages or values that are no transition, line, deadline or app settings.",
		}),
		redeliveries: d.counter(Metric{
			Name: "ringline_redeliveries_total", Of: OfEach, Unit: "deliveries", Labels: []Label{consumer},
			Help: "Redelivered messages: nak'ed before, or not acknowledged in time.",
		}),
		naks: d.counter(Metric{
			Name: "ringline_naks_total", Of: OfEach, Unit: "messages", Labels: []Label{consumer, {"reason", texts(Reasons())}},
			Help: "Messages that were nak'ed with a delay. With the reason lease_lost they are not nak'ed, but left to another worker.",
		}),
		latenessSeconds: d.histogram(Metric{
			Name: "ringline_timer_lateness_seconds", Of: OfTimeouts, Unit: "seconds", Buckets: upToAnHour(),
			Help: "Time from a deadline until its expire command was stored, whether NATS fired the deadline or the sweep found it.",
		}),
		overdue: d.counter(Metric{
			Name: "ringline_sweep_overdue_total", Of: OfTimeouts, Unit: "deadlines",
			Help: "Deadlines that NATS did not fire and that the sweep found.",
		}),
		sessionsOpen: d.gauge(Metric{
			Name: "ringline_sessions", Of: OfEdge, Unit: "sessions", Labels: []Label{transport},
			Help: "Client sessions that are open on this edge.",
		}),
		sessions: d.counter(Metric{
			Name: "ringline_sessions_total", Of: OfEdge, Unit: "sessions", Labels: []Label{transport},
			Help: "Client sessions that began.",
		}),
		sessionsEnded: d.counter(Metric{
			Name: "ringline_sessions_ended_total", Of: OfEdge, Unit: "sessions", Labels: []Label{{"end", Ends()}},
			Help: "Client sessions that ended: the client disconnected, was slow or silent, its token expired, the edge stopped, or it was refused.",
		}),
		sessionsRefused: d.counter(Metric{
			Name: "ringline_sessions_refused_total", Of: OfEdge, Unit: "refusals", Labels: []Label{{"refusal", texts(Refusals())}},
			Help: "Refused clients, and refused commands of sessions.",
		}),
		sessionCommandSeconds: d.histogram(Metric{
			Name: "ringline_session_command_seconds", Of: OfEdge, Unit: "seconds", Buckets: fromMilliseconds(),
			Help: "Time from when a client's command was read until its answer was ready.",
		}),
		pushes: d.counter(Metric{
			Name: "ringline_pushes_total", Of: OfEdge, Unit: "pushes",
			Help: "Notifications that were sent to sessions, counted per session.",
		}),
		snapshots: d.counter(Metric{
			Name: "ringline_snapshots_renewed_total", Of: OfEdge, Unit: "snapshots",
			Help: "Snapshots that were read for open sessions, because NATS was unreachable or dropped messages, or because a session showed a call at the sweep.",
		}),
		lost: d.counter(Metric{
			Name: "ringline_slow_consumer_total", Of: OfEdge, Unit: "reports",
			Help: "Times that NATS reported dropped notifications because this edge was slow. The affected users get a snapshot.",
		}),
		errors: d.counter(Metric{
			Name: "ringline_errors_total", Of: OfEach, Unit: "lines", Labels: []Label{{"component", texts(Components())}},
			Help: "Log lines at level error.",
		}),
		backlogMessages: d.scraped(Metric{
			Name: "ringline_backlog_messages", Of: OfEach, Unit: "messages", Labels: []Label{consumer},
			Help: "Messages of a consumer that wait for their first delivery. The same in every process; absent while NATS is unreachable.",
		}),
		backlogUnacked: d.scraped(Metric{
			Name: "ringline_backlog_unacknowledged", Of: OfEach, Unit: "messages", Labels: []Label{consumer},
			Help: "Messages of a consumer that are in flight or wait for redelivery. The same in every process; absent while NATS is unreachable.",
		}),
		readyState: d.scraped(Metric{
			Name: "ringline_ready", Of: OfEach, Unit: "none",
			Help: "1 while /readyz answers 200, otherwise 0.",
		}),
		notReadyFor: d.scraped(Metric{
			Name: "ringline_not_ready", Of: OfEach, Unit: "none", Labels: []Label{condition},
			Help: "1 for each condition that makes this process unready, as shown by /readyz.",
		}),
		degradedBy: d.scraped(Metric{
			Name: "ringline_degraded", Of: OfEach, Unit: "none", Labels: []Label{condition},
			Help: "1 for each condition that degrades this process but leaves it ready, as shown by /readyz.",
		}),
		backlogOldest: d.scraped(Metric{
			Name: "ringline_backlog_oldest_seconds", Of: OfCoordinator, Unit: "seconds",
			Help: "Age of the oldest command that is not done, 0 if there is none. The same in every process; absent while NATS is unreachable.",
		}),
		requests: d.counter(Metric{
			Name: "ringline_api_requests_total", Of: OfCoordinator, Unit: "requests", Labels: []Label{{"method", methods()}, {"reply", requestReplies()}},
			Help: "Requests to the api, by outcome: ok, an error code, stalled (this process was paused), late (past its deadline), no_reply.",
		}),
		publishFailures: d.counter(Metric{
			Name: "ringline_publish_failures_total", Of: OfEach, Unit: "messages", Labels: []Label{{"role", texts(Publishers())}, {"failure", texts(Failures())}},
			Help: "Messages that this process could not store: refused by JetStream, or not acknowledged.",
		}),
		presenceDrops: d.counter(Metric{
			Name: "ringline_presence_drops_total", Of: OfEdge, Unit: "parties", Labels: []Label{{"phase", []string{phaseRinging, phaseActive}}},
			Help: "Drops sent for parties whose devices are gone. A drop is sent again while the party is in the call.",
		}),
		presenceSuspects: d.gauge(Metric{
			Name: "ringline_presence_suspects", Of: OfEdge, Unit: "devices",
			Help: "Devices without a session that this edge checks, because they may be in a call.",
		}),
		presenceHeld: d.gauge(Metric{
			Name: "ringline_presence_held", Of: OfEdge, Unit: "none",
			Help: "1 while drops are held, because more than 20 % of the watched devices are gone at once.",
		}),
		presenceSweepSeconds: d.gauge(Metric{
			Name: "ringline_presence_sweep_seconds", Of: OfEdge, Unit: "seconds",
			Help: "Duration of the last check of every party, after the loss of an edge or periodically.",
		}),
		stalls: d.counter(Metric{
			Name: "ringline_stalls_total", Of: OfEach, Unit: "stalls",
			Help: "Times that this process was paused for more than 2 s.",
		}),
		clockSkew: d.scraped(Metric{
			Name: "ringline_clock_skew_seconds", Of: OfEach, Unit: "seconds",
			Help: "Difference between this machine's clock and broker time, negative if the clock is behind. Decisions do not depend on it.",
		}),
		setupProblem: d.gauge(Metric{
			Name: "ringline_setup_problem", Of: OfEach, Unit: "none", Labels: []Label{{"part", Parts()}, {"problem", texts(Problems())}},
			Help: "1 for each stream, bucket or consumer that is missing, or was altered since ringline setup. Checked every 5 s.",
		}),
		streamBytes: d.scraped(Metric{
			Name: "ringline_stream_bytes", Of: OfCoordinator, Unit: "bytes", Labels: []Label{stream},
			Help: "Size of a stream or bucket. The same in every process; absent while NATS is unreachable.",
		}),
		streamMessages: d.scraped(Metric{
			Name: "ringline_stream_messages", Of: OfCoordinator, Unit: "messages", Labels: []Label{stream},
			Help: "Messages of a stream or bucket. The same in every process; absent while NATS is unreachable.",
		}),
		streamLimit: d.scraped(Metric{
			Name: "ringline_stream_limit_bytes", Of: OfCoordinator, Unit: "bytes", Labels: []Label{stream},
			Help: "Byte limit of a stream or bucket, infinite if it has none.",
		}),
		storageBytes: d.scraped(Metric{
			Name: "ringline_storage_bytes", Of: OfCoordinator, Unit: "bytes",
			Help: "Size of all streams of the account, counting each replica.",
		}),
		storageLimit: d.scraped(Metric{
			Name: "ringline_storage_limit_bytes", Of: OfCoordinator, Unit: "bytes",
			Help: "Storage limit of the account, counting each replica, infinite if it has none.",
		}),
		eventsLost: d.scraped(Metric{
			Name: "ringline_events_lost_messages", Of: OfCoordinator, Unit: "messages", Labels: []Label{{"stream", []string{"RINGLINE_EVENTS", "RINGLINE_CDRS"}}},
			Help: "Messages that the stream deleted before its slowest durable consumer read them.",
		}),
		eventLogMissing: d.scraped(Metric{
			Name: "ringline_event_log_missing_messages", Of: OfCoordinator, Unit: "messages",
			Help: "Transitions that are or will be missing in RINGLINE_EVENTS, because RINGLINE_CALLS lost its newest messages.",
		}),
		buildInfo: d.gauge(Metric{
			Name: "ringline_build_info", Of: OfEach, Unit: "none", Labels: []Label{{Name: "version"}},
			Help: "Always 1. The label is the version of the program.",
		}),
	}
}

// desc returns the description that a collector uses.
func (m Metric) desc() *prometheus.Desc { return prometheus.NewDesc(m.Name, m.Help, m.labels(), nil) }

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
