package meter

import "ringline.io/ringline/events"

// Step is a step of a command that has been done.
type Step string

// The steps, in their order.
const (
	StepLoaded    Step = "loaded"
	StepClaimed   Step = "claimed" // once for each line
	StepCommitted Step = "committed"
	StepTold      Step = "told" // and lines and deadlines are written
	StepAnswered  Step = "answered"

	StepConflicted Step = "conflicted" // the call had moved on, and all is repeated from the load
)

// Steps lists those whose time is measured.
func Steps() []Step {
	return []Step{StepLoaded, StepClaimed, StepCommitted, StepTold, StepAnswered}
}

// Reason is why a message is put back.
type Reason string

// The reasons. What exactly went wrong stands in the log.
const (
	ClaimInFlight   Reason = "claim_in_flight"   // a line holds a claim of another command that may yet be committed
	Conflicts       Reason = "conflicts"         // the call moved on each time that the command was decided
	NoCallYet       Reason = "no_call_yet"       // the command may have overtaken its invitation
	EarlyExpire     Reason = "early_expire"      // a deadline came due too soon
	Store           Reason = "store"             // NATS failed, or did not answer in time
	ExpireNotStored Reason = "expire_not_stored" // the same, of the expire that a deadline becomes
	NewerFormat     Reason = "newer_format"      // the call is stored in a format that only a newer version reads
	Crowded         Reason = "crowded"           // its app has too much in hand here, and it can't be refused
	NotOurs         Reason = "not_ours"          // not put back but left: the worker stood still so long that somebody else may have it
	WorkerEnds      Reason = "worker_ends"       // and the message was not its fault
	Defect          Reason = "defect"            // a panic, or what can't be
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{ClaimInFlight, Conflicts, NoCallYet, EarlyExpire, Store, ExpireNotStored, NewerFormat, Crowded, NotOurs, WorkerEnds, Defect}
}

// Place is where something stands that is not what stands there.
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

// Problem is what is wrong with a stream, bucket or consumer.
type Problem string

// The problems.
const (
	Missing Problem = "missing"
	Altered Problem = "altered" // since the last setup
)

// Problems lists every problem.
func Problems() []Problem { return []Problem{Missing, Altered} }

// Parts lists the streams, buckets and consumers; a consumer has its stream before it. A test of package worker holds it against what is set up.
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
	NATS        Component = "nats"        // our connections
	NATSServer  Component = "nats_server" // the one embedded in dev
	Storage     Component = "storage"     // how full the streams are
	Timeouts    Component = "timeouts"
)

// Components lists every component.
func Components() []Component {
	return []Component{API, Apps, Coordinator, Edge, Health, HTTP, NATS, NATSServer, Storage, Timeouts}
}

// The outcomes of a command that are no error code.
const (
	outcomeOK       = "ok"
	outcomeRejected = "rejected" // it could not be read
)

// streams lists the streams and buckets.
func streams() []string {
	return []string{
		"RINGLINE_COMMANDS", "RINGLINE_CALLS", "RINGLINE_TIMERS", "RINGLINE_LINES", "RINGLINE_APPS", "RINGLINE_SECRETS",
		"RINGLINE_EVENTS", "RINGLINE_CDRS", "RINGLINE_REJECTED", "RINGLINE_SESSIONS",
	}
}

// unknown is the verb of what has none of ours.
const unknown events.Verb = "unknown"

func verbs() []events.Verb { return append(events.Verbs(), unknown) }

func outcomes() []string {
	list := []string{outcomeOK, outcomeRejected}
	for _, c := range events.Codes() {
		list = append(list, string(c))
	}
	return list
}

// verbOf never gives what came from outside.
func verbOf(v events.Verb) events.Verb {
	if v.Known() {
		return v
	}
	return unknown
}
