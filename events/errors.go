package events

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Code is an error code of an answer.
type Code string

// The error codes.
const (
	CodeInvalidArgument   Code = "invalid_argument"   // the command breaks a rule; a retry fails again
	CodeNotFound          Code = "not_found"          // no call has this id
	CodeAlreadyExists     Code = "already_exists"     // the call id is taken, or the callee of an add is in the call
	CodePermissionDenied  Code = "permission_denied"  // the sender may not do this or is not in the call
	CodeCallerBusy        Code = "caller_busy"        // the caller's own line is full
	CodeCallEnded         Code = "call_ended"         // the call has ended
	CodeAnsweredElsewhere Code = "answered_elsewhere" // another device of the user has answered
	CodeNotPending        Code = "not_pending"        // the callee is no longer pending, or the command names another attempt
	CodeRateLimited       Code = "rate_limited"       // too many commands
	CodeExhausted         Code = "exhausted"          // call storage is nearly full; not executed, retry later with the same id
	CodeUnavailable       Code = "unavailable"        // no answer in time; the command may still be executed
	CodeInternal          Code = "internal"           // a bug in Ringline
)

// Codes lists every code.
func Codes() []Code {
	return []Code{
		CodeInvalidArgument, CodeNotFound, CodeAlreadyExists, CodePermissionDenied, CodeCallerBusy, CodeCallEnded,
		CodeAnsweredElsewhere, CodeNotPending, CodeRateLimited, CodeExhausted, CodeUnavailable, CodeInternal,
	}
}

// Error is the reason a command was refused. Answers carry it. Message names the field and the limit. Functions return
// it as an error; for the code, use errors.AsType[*events.Error].
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Errorf returns an *Error with a formatted message.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Message returns the text of an error. For an *Error this is its message, without the code.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// WithoutQuotes makes a message safe for logs: it replaces all quoted text by …. Quoted text comes from outside. It
// may be a secret or part of a conversation.
func WithoutQuotes(message string) string {
	var b strings.Builder
	message = strings.ReplaceAll(message, `'"'`, `'…'`) // an unexpected character in an error about JSON does not start a quote
	for {
		before, _, found := strings.Cut(message, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("…")
		quote, err := strconv.QuotedPrefix(message[len(before):])
		if err != nil {
			return b.String() // unterminated quote
		}
		message = message[len(before)+len(quote):]
	}
}

func invalid(format string, args ...any) error { return Errorf(CodeInvalidArgument, format, args...) }
