package events

import (
	"strconv"
	"strings"
)

// Every subject of Ringline. A %s stands for one token: app, call, verb and answer tokens as they are (they
// keep to A-Z a-z 0-9 _ -), users escaped.
const (
	subjectCommand    = "ringline.%s.cmd.%s.%s"   // app, call, verb: a command
	subjectTransition = "ringline.%s.call.%s"     // app, call: the call's transitions, the newest is the call
	subjectTimer      = "ringline.%s.timer.%s.%s" // app, call, seq: a deadline, delayed
	subjectDue        = "ringline.%s.due.%s.%s"   // app, call, seq: the same, come due
	subjectUser       = "ringline.%s.user.%s"     // app, user: live notifications
	subjectAnswer     = "ringline.%s.answer.%s"   // app, token or token.token: the answer to a command
	subjectRejected   = "ringline.%s.rejected.%s" // app, verb: a command that can't be read
	subjectAPI        = "ringline.%s.api.%s"      // app, verb: request and reply
	subjectSession    = "ringline.%s.session.%s"  // app, user: connects and disconnects of his sessions
	subjectEdge       = "ringline.$edge.%s"       // an edge: what edges tell each other. No app is named so
)

// SubjectCoordinators is where coordinators say that they are there. No app is named so.
const SubjectCoordinators = "ringline.$coordinator.alive"

// The patterns that streams, consumers and subscriptions are declared with. Each has the app as its first *.
const (
	CommandSubjects    = "ringline.*.cmd.*.*"
	TransitionSubjects = "ringline.*.call.*"
	TimerSubjects      = "ringline.*.timer.*.*"
	DueSubjects        = "ringline.*.due.*.*"
	EventsSubjects     = "ringline.*.events"
	CDRSubjects        = "ringline.*.cdr"
	RejectedSubjects   = "ringline.*.rejected.*"
	SessionSubjects    = "ringline.*.session.*"
	UserSubjects       = "ringline.*.user.*"
	AnswerSubjects     = "ringline.*.answer.>"

	// EventsTransform is how the server names a transition that it copies into the event log.
	EventsTransform = "ringline.{{wildcard(1)}}.events"
)

// The headers of Ringline's own.
const (
	HeaderAnswer       = "Ringline-Answer"        // in a command: the token to answer to
	HeaderDeadline     = "Ringline-Deadline"      // in a request to the api: in broker time, until when its sender waits
	HeaderTime         = "Ringline-Time"          // in a reply of the api: broker time
	HeaderEvent        = "Ringline-Event"         // in a transition: its event
	HeaderErrorCode    = "Ringline-Error-Code"    // in a rejected command: why
	HeaderErrorMessage = "Ringline-Error-Message" // in a rejected command: why, in words
	HeaderSubject      = "Ringline-Subject"       // in a rejected command: where it had been published
)

// The limits of a command's size, in bytes.
const (
	MaxCommand  = 256 << 10
	MaxRejected = 64 << 10 // what is kept of a command that can't be read
)

// fill puts the parts in the places of a template's %s.
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

// CommandSubject is where a command is published.
func CommandSubject(app, callID string, verb Verb) string {
	return fill(subjectCommand, app, callID, string(verb))
}

// TransitionSubject is the subject of a call.
func TransitionSubject(app, callID string) string { return fill(subjectTransition, app, callID) }

// AppTransitions matches the transitions of all calls of an app.
func AppTransitions(app string) string { return fill(subjectTransition, app, "*") }

// TimerSubject is where the deadline that transition seq of a call created is kept until it comes due.
func TimerSubject(app, callID string, seq int) string {
	return fill(subjectTimer, app, callID, strconv.Itoa(seq))
}

// DueSubject is where that deadline comes due.
func DueSubject(app, callID string, seq int) string {
	return fill(subjectDue, app, callID, strconv.Itoa(seq))
}

// UserSubject is where a user's live notifications are published.
func UserSubject(app, userID string) string { return fill(subjectUser, app, Escape(userID)) }

// AppNotifications matches the live notifications of all users of an app.
func AppNotifications(app string) string { return fill(subjectUser, app, "*") }

// AnswerSubject is where the answer to a command goes; token is one token, or two with a dot between them.
func AnswerSubject(app, token string) string { return fill(subjectAnswer, app, token) }

// AnswersOf matches, in every app, the answers to <token>.<anything>.
func AnswersOf(token string) string { return fill(subjectAnswer, "*", token) + ".*" }

// RejectedSubject is where a command that can't be read is kept. App and verb are taken as they stood in its
// subject and are escaped, as they may be what could not be read.
func RejectedSubject(app string, verb Verb) string {
	return fill(subjectRejected, Escape(app), Escape(string(verb)))
}

// SessionSubject is where connects and disconnects of a user's sessions are kept.
func SessionSubject(app, userID string) string {
	return fill(subjectSession, app, Escape(userID))
}

// EdgeSubject is where one edge hears of others, and EdgesSubject where all of them do.
func EdgeSubject(id string) string { return fill(subjectEdge, id) }

// EdgesSubject is where all edges hear of each other.
func EdgesSubject() string { return EdgeSubject("all") }

// APISubject is where a request with this method (a verb, get, line, list) is sent; the app "*" matches all.
func APISubject(app, method string) string { return fill(subjectAPI, app, method) }

// CommandAddress is what a command's subject says.
type CommandAddress struct {
	App, CallID string
	Verb        Verb
}

// ParseCommandSubject takes a command's subject apart. Where it is of the form of CommandSubjects but a token
// breaks its rule, the address is given with the error.
func ParseCommandSubject(subject string) (CommandAddress, *Error) {
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

// ParseTransitionSubject gives the app and the call of a transition's subject.
func ParseTransitionSubject(subject string) (app, callID string, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "ringline" || t[2] != "call" || !isToken(t[1]) || !isToken(t[3]) {
		return "", "", false
	}
	return t[1], t[3], true
}

// ParseDueSubject gives the app, the call and the sequence of a deadline that came due.
func ParseDueSubject(subject string) (app, callID string, seq int, ok bool) {
	return parseDeadline(subject, "due")
}

// ParseTimerSubject gives those of a deadline that has not.
func ParseTimerSubject(subject string) (app, callID string, seq int, ok bool) {
	return parseDeadline(subject, "timer")
}

func parseDeadline(subject, kind string) (app, callID string, seq int, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 5 || t[0] != "ringline" || t[2] != kind || !isToken(t[1]) || !isToken(t[3]) {
		return "", "", 0, false
	}
	seq, err := strconv.Atoi(t[4])
	return t[1], t[3], seq, err == nil && seq > 0
}

// ParseAPISubject gives the app and the method of a request's subject.
func ParseAPISubject(subject string) (app, method string, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "ringline" || t[2] != "api" || !isToken(t[1]) {
		return "", "", false
	}
	return t[1], t[3], true
}

// ParseUserSubject gives the app and the escaped user id of a notification's subject.
func ParseUserSubject(subject string) (app, user string, ok bool) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "ringline" || t[2] != "user" || !isToken(t[1]) {
		return "", "", false
	}
	return t[1], t[3], true
}

// CheckAnswerToken checks the value of the header Ringline-Answer: one token, or two with a dot between them.
func CheckAnswerToken(s string) *Error {
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
