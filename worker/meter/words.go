package meter

import "ringline.io/ringline/events"

// Step is a completed step of a command.
type Step string

// The steps, in order.
const (
	StepLoaded    Step = "loaded"
	StepClaimed   Step = "claimed" // once for each line
	StepCommitted Step = "committed"
	StepNotified  Step = "notified" // the callers and callees are notified, and lines and deadlines are written
	StepAnswered  Step = "answered"

	StepConflicted Step = "conflicted" // the call has changed since it was loaded, and the command starts over from the load
)

// Steps lists the steps whose duration is measured.
func Steps() []Step {
	return []Step{StepLoaded, StepClaimed, StepCommitted, StepNotified, StepAnswered}
}

// Reason is the reason why a message is nak'ed with a delay.
type Reason string

// The reasons. The log has the details.
const (
	ClaimInFlight   Reason = "claim_in_flight"   // a line has a claim of another command that may still be committed
	Conflicts       Reason = "conflicts"         // the call changed each time that the command was decided
	NoCallYet       Reason = "no_call_yet"       // the command may have overtaken its invitation
	EarlyExpire     Reason = "early_expire"      // a deadline came due too early
	Store           Reason = "store"             // NATS failed, or did not answer in time
	ExpireNotStored Reason = "expire_not_stored" // the same, for the expire command of a deadline
	NewerFormat     Reason = "newer_format"      // the call is stored in a format that only a newer version reads
	Crowded         Reason = "crowded"           // its app has too many commands in flight here, and the command can't be refused
	LeaseLost       Reason = "lease_lost"        // not nak'ed: the worker was stalled for so long that another one may have the message
	WorkerEnds      Reason = "worker_ends"       // the worker stops; the message is not the cause
	Defect          Reason = "defect"            // a panic, or an impossible state
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{ClaimInFlight, Conflicts, NoCallYet, EarlyExpire, Store, ExpireNotStored, NewerFormat, Crowded, LeaseLost, WorkerEnds, Defect}
}

// Place is where a malformed entry was found.
type Place string

// The places.
const (
	OnCall Place = "call" // the subject of a call
	OnLine Place = "line" // the line of a user
	OnDue  Place = "due"  // the subject of a deadline that came due
	OnApp  Place = "app"  // the settings of an app
)

// Places lists every place.
func Places() []Place { return []Place{OnCall, OnLine, OnDue, OnApp} }

// Problem is a problem of a stream, bucket or consumer.
type Problem string

// The problems.
const (
	Missing Problem = "missing"
	Altered Problem = "altered" // since the last setup
)

// Problems lists every problem.
func Problems() []Problem { return []Problem{Missing, Altered} }

// Parts lists the streams, buckets and consumers. The name of a consumer begins with its stream. A test of package
// worker/streams compares the list with what setup creates.
func Parts() []string {
	return []string{
		"RINGLINE_COMMANDS", "RINGLINE_CALLS", "RINGLINE_TIMERS", "RINGLINE_EVENTS", "RINGLINE_CDRS", "RINGLINE_REJECTED",
		"RINGLINE_SESSIONS", "RINGLINE_LINES", "RINGLINE_APPS", "RINGLINE_SECRETS", "RINGLINE_COMMANDS.coordinators",
		"RINGLINE_TIMERS.timeouts", "RINGLINE_EVENTS.analytics", "RINGLINE_CDRS.analytics",
	}
}

// Component is a part of a process that logs errors.
type Component string

// The components.
const (
	API         Component = "api"
	Apps        Component = "apps"
	Coordinator Component = "coordinator"
	Edge        Component = "edge"
	Health      Component = "health"
	HTTP        Component = "http"
	NATS        Component = "nats"        // the connections to NATS
	NATSServer  Component = "nats_server" // the server that is embedded in dev mode
	Storage     Component = "storage"     // the fill levels of the streams
	Timeouts    Component = "timeouts"
)

// Components lists every component.
func Components() []Component {
	return []Component{API, Apps, Coordinator, Edge, Health, HTTP, NATS, NATSServer, Storage, Timeouts}
}

// The outcomes of a command that are no error code.
const (
	outcomeOK       = "ok"
	outcomeRejected = "rejected" // it was malformed
)

// streams lists the streams and buckets.
func streams() []string {
	return []string{
		"RINGLINE_COMMANDS", "RINGLINE_CALLS", "RINGLINE_TIMERS", "RINGLINE_LINES", "RINGLINE_APPS", "RINGLINE_SECRETS",
		"RINGLINE_EVENTS", "RINGLINE_CDRS", "RINGLINE_REJECTED", "RINGLINE_SESSIONS",
	}
}

// unknown stands in for an unknown verb.
const unknown events.Verb = "unknown"

func verbs() []events.Verb { return append(events.Verbs(), unknown) }

func outcomes() []string {
	list := []string{outcomeOK, outcomeRejected}
	for _, c := range events.Codes() {
		list = append(list, string(c))
	}
	return list
}

// verbOf returns v, or unknown, so that no label has a value from outside.
func verbOf(v events.Verb) events.Verb {
	if v.Known() {
		return v
	}
	return unknown
}
