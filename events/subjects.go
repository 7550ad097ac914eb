package events

import (
	"strconv"
	"strings"
)

// All subjects of Ringline. Each %s is one token. Apps, calls, verbs and answer tokens need no escaping (they consist
// of A-Z a-z 0-9 _ -); users are escaped.
const (
	subjectCommand    = "ringline.%s.cmd.%s.%s"   // app, call, verb: a command
	subjectTransition = "ringline.%s.call.%s"     // app, call: the call's transitions; the newest one is the call's state
	subjectTimer      = "ringline.%s.timer.%s.%s" // app, call, seq or seq.kind: a pending deadline
	subjectDue        = "ringline.%s.due.%s.%s"   // app, call, seq or seq.kind: an expired deadline
	subjectUser       = "ringline.%s.user.%s"     // app, user: notifications
	subjectAnswer     = "ringline.%s.answer.%s"   // app, token or token.token: the answer to a command
	subjectRejected   = "ringline.%s.rejected.%s" // app, verb: a malformed command
	subjectAPI        = "ringline.%s.api.%s"      // app, verb: request-reply
	subjectSession    = "ringline.%s.session.%s"  // app, user: connects and disconnects of the user's sessions
	subjectEdge       = "ringline.$edge.%s"       // edge: messages between edges. No app can have this name
)

// SubjectCoordinators is the subject on which coordinators announce that they are alive. No app can have this name.
const SubjectCoordinators = "ringline.$coordinator.alive"

// SubjectDevices is the subject on which edges inform each other about the devices of their sessions. App, user and
// device are in the message, so the subject needs no escaping.
const SubjectDevices = "ringline.$edge.devices"

// Subjects of messages between edges about presence. No app can have this name.
const (
	SubjectBeats    = "ringline.$edge.beats"    // edges announce that they are alive
	SubjectPresence = "ringline.$edge.presence" // an edge asks what the others know of devices
)

// Subject patterns of streams, consumers and subscriptions. The first * is the app.
const (
	CommandSubjects    = "ringline.*.cmd.*.*"
	TransitionSubjects = "ringline.*.call.*"
	TimerSubjects      = "ringline.*.timer.>"
	DueSubjects        = "ringline.*.due.>"
	EventsSubjects     = "ringline.*.events"
	CDRSubjects        = "ringline.*.cdr"
	RejectedSubjects   = "ringline.*.rejected.*"
	SessionSubjects    = "ringline.*.session.*"
	UserSubjects       = "ringline.*.user.*"
	AnswerSubjects     = "ringline.*.answer.>"

	// EventsTransform is the subject transform for transitions that the server copies to the event log.
	EventsTransform = "ringline.{{wildcard(1)}}.events"
)

// Headers defined by Ringline.
const (
	HeaderAnswer       = "Ringline-Answer"        // command: the token of the answer subject
	HeaderDeadline     = "Ringline-Deadline"      // api request: when its sender stops waiting; drop: after when it does not count. In broker time
	HeaderTime         = "Ringline-Time"          // api reply: broker time
	HeaderEvent        = "Ringline-Event"         // transition: its event
	HeaderErrorCode    = "Ringline-Error-Code"    // rejected command: the error code
	HeaderErrorMessage = "Ringline-Error-Message" // rejected command: the error message
	HeaderSubject      = "Ringline-Subject"       // rejected command: its original subject
)

// Limits of a command's size in bytes.
const (
	MaxCommand  = 256 << 10
	MaxRejected = 64 << 10 // maximum size of a stored malformed command; the rest is cut off
)

// fill replaces each %s of a template by the next part.
func fill(template string, parts ...string) string {
	size := len(template)
	for _, p := range parts {
		size += len(p) - len("%s")
	}
	var b strings.Builder
	b.Grow(size)
	for _, p := range parts {
		before, after, _ := strings.Cut(template, "%s")
		b.WriteString(before)
		b.WriteString(p)
		template = after
	}
	b.WriteString(template)
	return b.String()
}

// CommandSubject returns the subject of a command.
func CommandSubject(app, callID string, verb Verb) string {
	return fill(subjectCommand, app, callID, string(verb))
}

// TransitionSubject returns the subject of a call.
func TransitionSubject(app, callID string) string { return fill(subjectTransition, app, callID) }

// AppTransitions matches the transitions of all calls of an app.
func AppTransitions(app string) string { return fill(subjectTransition, app, "*") }

// TimerSubject returns the subject that stores a deadline of a call until it is due.
func TimerSubject(app, callID string, d DeadlineID) string {
	return fill(subjectTimer, app, callID, d.token())
}

// DueSubject returns the subject of that deadline once it is due.
func DueSubject(app, callID string, d DeadlineID) string {
	return fill(subjectDue, app, callID, d.token())
}

// UserSubject returns the subject of a user's notifications.
func UserSubject(app, userID string) string { return fill(subjectUser, app, Escape(userID)) }

// AppNotifications matches the notifications of all users of an app.
func AppNotifications(app string) string { return fill(subjectUser, app, "*") }

// AnswerSubject returns the subject of the answer to a command. token is one token, or two joined by a dot.
func AnswerSubject(app, token string) string { return fill(subjectAnswer, app, token) }

// AnswersOf matches the answers to <token>.<anything> in all apps.
func AnswersOf(token string) string { return fill(subjectAnswer, "*", token) + ".*" }

// RejectedSubject returns the subject of a malformed command. App and verb come from the original subject. They are
// escaped because they may be the malformed part.
func RejectedSubject(app string, verb Verb) string {
	return fill(subjectRejected, Escape(app), Escape(string(verb)))
}

// SessionSubject returns the subject of the connects and disconnects of a user's sessions.
func SessionSubject(app, userID string) string {
	return fill(subjectSession, app, Escape(userID))
}

// EdgeSubject returns the subject on which one edge receives messages from other edges.
func EdgeSubject(id string) string { return fill(subjectEdge, id) }

// EdgesSubject returns the subject on which all edges receive messages from each other.
func EdgesSubject() string { return EdgeSubject("all") }

// APISubject returns the subject of a request. The method is a verb, get, line or list. The app "*" matches all apps.
func APISubject(app, method string) string { return fill(subjectAPI, app, method) }

// CommandAddress is the content of a command's subject.
type CommandAddress struct {
	App, CallID string
	Verb        Verb
}

// ParseCommandSubject parses a command's subject. If the subject matches CommandSubjects but a token is invalid, it
// returns the address with the error.
func ParseCommandSubject(subject string) (CommandAddress, error) {
	t := strings.Split(subject, ".")
	if len(t) != 5 || t[0] != "ringline" || t[2] != "cmd" {
		return CommandAddress{}, invalid("subject: must be ringline.<app>.cmd.<call>.<verb>, got %s", quoted(subject))
	}
	a := CommandAddress{App: t[1], CallID: t[3], Verb: Verb(t[4])}
	if err := CheckToken("app", a.App); err != nil {
		return a, err
	}
	if err := CheckToken("call_id", a.CallID); err != nil {
		return a, err
	}
	if !a.Verb.Known() {
		return a, invalid("verb: must be one of %s, got %s", list(Verbs()), quoted(t[4]))
	}
	return a, nil
}

// ParseTransitionSubject returns the app and the call of a transition's subject.
func ParseTransitionSubject(subject string) (app, callID string, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "ringline" || t[2] != "call" || !isToken(t[1]) || !isToken(t[3]) {
		return "", "", false
	}
	return t[1], t[3], true
}

// ParseDueSubject returns the app, the call and the id of a deadline that is due.
func ParseDueSubject(subject string) (app, callID string, d DeadlineID, ok bool) {
	return parseDeadline(subject, "due")
}

// ParseTimerSubject returns the app, the call and the id of a pending deadline.
func ParseTimerSubject(subject string) (app, callID string, d DeadlineID, ok bool) {
	return parseDeadline(subject, "timer")
}

func parseDeadline(subject, which string) (app, callID string, d DeadlineID, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) == 6 && t[5] == string(DeadlineReach) {
		t, d.Kind = t[:5], DeadlineReach
	}
	if len(t) != 5 || t[0] != "ringline" || t[2] != which || !isToken(t[1]) || !isToken(t[3]) {
		return "", "", DeadlineID{}, false
	}
	seq, err := strconv.Atoi(t[4])
	d.Seq = seq
	return t[1], t[3], d, err == nil && seq > 0
}

// ParseAPISubject returns the app and the method of a request's subject.
func ParseAPISubject(subject string) (app, method string, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "ringline" || t[2] != "api" || !isToken(t[1]) {
		return "", "", false
	}
	return t[1], t[3], true
}

// ParseUserSubject returns the app and the escaped user id of a notification's subject.
func ParseUserSubject(subject string) (app, user string, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "ringline" || t[2] != "user" || !isToken(t[1]) {
		return "", "", false
	}
	return t[1], t[3], true
}

// CheckAnswerToken checks the value of the Ringline-Answer header: one token, or two joined by a dot.
func CheckAnswerToken(s string) error {
	first, second, two := strings.Cut(s, ".")
	if !isToken(first) || two && !isToken(second) {
		return invalid("header %s: must be <token> or <token>.<token>, each 1 to %d characters of A-Z a-z 0-9 _ -, got %s",
			HeaderAnswer, MaxToken, quoted(s))
	}
	return nil
}

func list[T ~string](words []T) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = string(w)
	}
	return strings.Join(s, ", ")
}
